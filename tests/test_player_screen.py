"""The live player on one screen: what is visible without scrolling, on a projector, on a phone, and enlarged."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from players import Players
from test_player import layers, neuron

from autograd import Value, log, walk
from autograd.demo import POINT
from autograd.demo import network as demonstration
from nn import MLP
from nn.losses import squared_error

pytestmark = pytest.mark.slow  # needs a browser: run by `.ci/run pictures`

LOOK = """(() => {
    const stage = find(".stage:not([hidden])"), frame = stage.getBoundingClientRect();
    const isSeen = ({left, right, top, bottom}) =>
        left >= frame.left - 1 && right <= frame.right + 1 && top >= frame.top - 1 && bottom <= frame.bottom + 1;
    const rect = (selector) => find(selector).getBoundingClientRect();
    const texts = [...stage.querySelectorAll("text")].filter((text) => text.textContent);
    return {
        isWhole: [...stage.querySelectorAll(".box")].every((box) => isSeen(box.getBoundingClientRect())),
        text: Math.min(...texts.map((text) => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a)),
        bar: rect(".bar").bottom, card: [rect(".card").top, rect(".card").bottom], desk: find(".player").dataset.desk,
        stage: [frame.width, frame.height],
    };
})()"""


def perceptron(*sizes: int) -> Value:
    """Return the squared error of a network of `nn`, at inputs that are numbers."""
    model = MLP(sizes[0], list(sizes[1:]), activation="tanh", output="sigmoid", seed=1)
    loss: Value = squared_error(model([0.5 * (i + 1) for i in range(sizes[0])]), 1.0)
    return loss


def by_hand(*sizes: int) -> Value:
    """Return the same with inputs that have names and gradients, and a loss in three operations."""
    model = MLP(sizes[0], list(sizes[1:]), activation="tanh", output="sigmoid", seed=1)
    inputs = [Value(0.5 * (i + 1), label=f"x{i}") for i in range(sizes[0])]
    loss: Value = (model(inputs) - 1) ** 2 / 2
    return loss


@pytest.mark.parametrize("make", [perceptron, by_hand, layers])
def test_a_small_network_can_be_read_from_the_last_row_of_the_lecture_room(
    make: Callable[..., Value], players: Players
) -> None:
    loss = make(2, 3, 1)
    players.show(loss, width=1280, height=720)
    for _ in walk(loss):
        seen = players.run(LOOK)
        assert seen["isWhole"]
        assert seen["text"] >= 18
        assert max(seen["bar"], seen["card"][1]) <= 720
        players.press("ArrowRight")


@pytest.mark.parametrize("make", [perceptron, by_hand, layers])
@pytest.mark.parametrize("sizes", [(1, 1, 1), (2, 4, 4, 1), (2, 8, 1)])
def test_a_network_its_controls_and_the_step_are_on_one_screen(
    make: Callable[..., Value], sizes: tuple[int, ...], players: Players
) -> None:
    players.show(make(*sizes), width=1280, height=720)
    for key in ("Home", "End"):
        players.press(key)
        players.still()
        seen = players.run(LOOK)
        assert seen["isWhole"]
        assert seen["text"] >= 10
        assert seen["bar"] <= 720
        assert seen["card"][0] <= 600
    assert seen["desk"] == "side" or sizes != (2, 8, 1)


def test_a_graph_of_eight_nodes_is_whole_on_a_phone(players: Players) -> None:
    players.show(neuron(), width=390, height=844)
    for step in walk(neuron()):
        players.still()
        seen = players.run(LOOK)
        assert seen["isWhole"], step
        assert seen["text"] >= 10
        assert max(seen["bar"], seen["card"][1]) <= 844
        players.press("ArrowRight")
    assert players.browser.run("document.documentElement.scrollWidth") <= 390


def test_a_chain_stays_a_strip_with_a_map(players: Players) -> None:
    y = Value(0.5, label="x")
    for i in range(35):
        y = (y * Value(0.9, label=f"w{i}")).tanh() + 0.1
    players.show(y, width=1280, height=720)
    players.still()
    assert not players.run("find('.map').hasAttribute('hidden')")
    width, height = players.run("(v => [v.width, v.height])(find('.map').viewBox.baseVal)")
    assert width > 10 * height


def test_turning_the_phone_changes_the_layout_and_nothing_else(players: Players) -> None:
    players.show(neuron(), width=390, height=844)
    players.run("(player.goto(7), player.set({w: 0.7}))")
    players.still()
    before = players.seen()
    players.browser.call("Emulation.setDeviceMetricsOverride", width=1280, height=720, deviceScaleFactor=1, mobile=False)
    players.still()
    wide = players.seen()
    assert {key: wide[key] for key in ("boxes", "labels", "place")} == {
        key: before[key] for key in ("boxes", "labels", "place")
    }
    assert players.run(LOOK)["isWhole"]


def test_a_long_name_is_broken_where_a_phone_ends(players: Players) -> None:
    names = [f"layer{i}.weight_with_a_long_name" for i in range(2)]
    players.show(Value(0.5, names[0]) * Value(2.0, names[1]), width=360, height=740)
    assert players.run("[...find('.card').querySelectorAll('td')].every(td => td.getBoundingClientRect().right <= innerWidth)")
    players.show(log(Value(0.5, "w" * 60)) * 2, width=360, height=740)
    texts = "[...find('.desk').querySelectorAll('.ledger p, .ledger li, .advice, .losses, .problem')]"
    for script in ("player.goto(3)", f"player.set({{{'w' * 60}: -1}})"):
        players.run(script)
        players.run("find('.stage:not([hidden]) .box[tabindex]').focus()")
        players.still()
        assert players.run(f"{texts}.every(text => text.scrollWidth <= text.clientWidth)")
        assert players.run("document.documentElement.scrollWidth <= innerWidth")


def test_at_200_percent_nothing_is_lost(players: Players) -> None:
    players.show(layers(2, 3, 1), width=640, height=360)  # a window of 1280×720 at 200 %
    assert players.run("['.card', '.ledger', '.values', '.mistakes'].every(part => find(part).checkVisibility())")
    assert players.browser.run("document.documentElement.scrollWidth") <= 640
    players.click(".next", ".learn")
    assert players.place == 1


@pytest.mark.parametrize("style", ["zoom: 0.8", "zoom: 2", "transform: scale(0.5)"])  # as slide shows do
def test_in_a_scaled_page_the_picture_fills_its_frame_and_follows_the_mouse(style: str, players: Players) -> None:
    players.show(neuron(), neuron())
    players.browser.run(f"document.body.style = {style!r}")
    players.still()
    players.run("[1, 2, 3, 4].forEach(() => find('.closer').click())")
    players.still()
    sizes = "['.stage', '.stage > svg'].map(part => find(part).getBoundingClientRect()).map(r => [r.width, r.height])"
    frame, picture = players.run(sizes)
    assert picture == pytest.approx(frame, abs=2)
    place = "find('.box.operation').getBoundingClientRect().x"
    before = players.run(place)
    players.drag(".box.operation", -60)
    players.still()
    assert players.run(place) == pytest.approx(before - 60, abs=3)


def test_in_forced_colours_what_is_pressed_is_seen(players: Players) -> None:
    players.show(neuron(), forced_colors="active")
    players.click(".predict")
    paper, ink = players.run("['.reset', '.predict'].map(each => getComputedStyle(find(each)).backgroundColor)")
    assert paper != ink


def test_the_demonstration_can_be_read_in_lecture_mode(players: Players) -> None:
    players.show(demonstration(**POINT)["E"], width=1280, height=720)
    for _ in range(2):
        players.still()
        seen = players.run(LOOK)
        assert seen["isWhole"] and seen["text"] >= 15
        players.press("l")
    assert players.run("find('.losses').textContent") == "E 0.19615"


@pytest.mark.parametrize("sizes", [(2, 2, 1), (2, 3, 1), (2, 4, 1)])
def test_products_at_rest_cover_neither_gradients_of_weights_nor_each_other(sizes: tuple[int, ...], players: Players) -> None:
    players.show(layers(*sizes), width=1280, height=720)
    players.run("player.goto(player.steps / 2 + 3)")
    players.still()
    places = players.run("""[...host.shadowRoot.querySelectorAll(
        ".stage:not([hidden]) :is(.label.active text:last-child, .dot.over:not(.off) text)")].map((text) => {
            const {left, right, top, bottom, height} = text.getBoundingClientRect();
            return [left, right, top + 0.1 * height, bottom - 0.1 * height];
        })""")
    assert len(places) == 2 * sizes[1]
    for i, (left, right, top, bottom) in enumerate(places):
        for other in places[:i]:
            is_apart = right <= other[0] or other[1] <= left or bottom <= other[2] or other[3] <= top
            assert is_apart, (places[i], other)


def test_a_mark_can_be_read_between_the_units_of_a_layer(players: Players) -> None:
    model = MLP(2, [8, 1], activation="relu", output="sigmoid", seed=2)
    players.show(squared_error(model([1.0, 0.5]), 1.0))
    players.press("End")
    covered = players.run("""[...host.shadowRoot.querySelectorAll('.stage:not([hidden]) .mark')].flatMap(mark => {
        const shown = what => [...host.shadowRoot.querySelectorAll(`.stage:not([hidden]) ${what}`)];
        const own = mark.getBoundingClientRect();
        const isOver = (text, {top, bottom, left, right} = text.getBoundingClientRect()) =>
            text !== mark && left < own.right && own.left < right && top < own.bottom - 4 && own.top + 4 < bottom;
        const isUnder = box => mark.compareDocumentPosition(box) & Node.DOCUMENT_POSITION_FOLLOWING;
        const over = shown(".box text").filter(text => isOver(text));
        return [[mark.textContent, over.length, shown(".box").filter(isUnder).length]];
    })""")
    assert covered == [["dead: slope 0", 0, 0]] * 3


def test_the_pictures_of_a_mistake_show_the_difference_in_readable_type(players: Players) -> None:
    players.show(demonstration(**POINT)["E"], width=1280, height=720)
    players.click('[data-mistake="activation-forgotten"] summary')
    players.wait("find('[data-mistake=activation-forgotten] .wrong .label.active')")
    for kind, product in (("right", "-0.62633 × 0.23404 = -0.14659"), ("wrong", "-0.62633 × 1 = -0.62633")):
        text, size, is_seen = players.run(f"""((run) => {{
            const label = run.querySelector(".label.active"), frame = run.querySelector(".stage").getBoundingClientRect();
            const {{left, right, top, bottom}} = label.getBoundingClientRect();
            const isSeen = left >= frame.left && right <= frame.right && top >= frame.top && bottom <= frame.bottom;
            return [label.textContent, 14 * label.getScreenCTM().a, isSeen];
        }})(find('[data-mistake=activation-forgotten] .{kind}'))""")
        assert " ".join(text.split()) == product and size >= 13.9 and is_seen


def test_a_box_keeps_the_focus_in_another_layout_and_a_box_that_is_gone_keeps_nothing(players: Players) -> None:
    """The boxes of another layout are other elements: the old ones leave the page with neither the focus nor the mouse."""
    players.show(neuron(), width=390, height=844)
    players.run("player.goto(7)")
    held = "host.shadowRoot.activeElement?.dataset.nodes"
    for width, point in ((1280, "focus()"), (390, "dispatchEvent(new Event('pointerenter'))")):
        players.run(f"find('.stages > .stage:not([hidden]) .box[data-nodes=\"0\"]').{point}")
        place, name = players.run("find('.ledger').dataset.node"), players.run(held)
        assert place == "0"
        players.browser.resize(width, 844, prefers_reduced_motion="reduce")
        players.still()
        assert players.run(held) == name
        players.run("host.shadowRoot.activeElement?.blur()")
        assert players.run("find('.ledger').dataset.node === find('.stage:not([hidden]) .box.active').dataset.nodes")


def test_a_box_keeps_the_focus_when_an_edited_address_changes_the_view(players: Players) -> None:
    players.show(layers(2, 3, 1))
    held = "host.shadowRoot.activeElement?.closest('.stage:not([hidden])')?.dataset.view"
    players.run("find('.stage:not([hidden]) .neuron').focus()")
    assert players.run(held) == "neurons"
    for view in ("nodes", "neurons"):
        players.run(f"location.hash = 'view={view}'")
        players.still()
        assert players.run(held) == view


@pytest.mark.parametrize(("size", "is_narrowed"), [(6, False), (60, True)])
def test_a_line_is_narrowed_to_its_box_and_never_stretched(size: int, is_narrowed: bool, players: Players) -> None:
    players.show(neuron())
    players.run(f"host.shadowRoot.querySelectorAll('.graph').forEach(e => e.style.font = '{size}px sans-serif')")
    players.run("(player.set({w: 0.4}), player.goto(player.steps - 1))")
    players.browser.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    lines = "[...host.shadowRoot.querySelectorAll('.stage:not([hidden]) .box [data-gradient]')].filter(e => e.textContent)"
    assert players.run(f"{lines}.map(line => line.hasAttribute('textLength'))") == [is_narrowed] * 8
