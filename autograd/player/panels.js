// ---- panels beside the picture: the card of a step, the ledger of a node, the leaves, the loss curve, the mistakes
//
// A panel is built when its step or its node changes; when numbers change, only its cells are rewritten.

// Make an HTML element; properties in `on` are listeners.
function made(tag, properties = {}, ...children) {
    const element = document.createElement(tag), {on = {}, data = {}, ...rest} = properties;
    for (const [name, value] of Object.entries(rest)) {
        if (name in element) element[name] = value;
        else element.setAttribute(name, value);
    }
    Object.assign(element.dataset, data);
    for (const [event, action] of Object.entries(on)) element.addEventListener(event, action);
    element.append(...children.filter((each) => each !== null));
    return element;
}

// An element with cells: parts whose text is computed whenever `refresh` is called.
class Panel {
    constructor(element) {
        this.element = element;
        this.cells = [];
    }

    clear(...children) {
        this.cells = [];
        this.element.replaceChildren(...children);
    }

    cell(tag, className, text, number = null) {
        const element = made(tag, {className});
        this.cells.push({element, className, text, number, shown: null});
        return element;
    }

    refresh() {
        for (const cell of this.cells) {
            const text = cell.text();
            if (text !== cell.shown) cell.element.textContent = cell.shown = text;
            const name = cell.number ? `${cell.className} ${signOf(cell.number())}` : cell.className;
            if (cell.element.className !== name) cell.element.className = name;
        }
    }
}

const MOST_EDGES = 12; // in a card or a ledger; of more, the first ones and the last
const ROOMY = 4; // edges in a card; with more, its type is smaller
const CAPTIONS = {
    forward: ["rule", "numbers put in", "value"],
    backward: ["rule", "local derivative", "contribution", "running total"],
};

// The card of a step: its rule, the rule at the numbers, and the result.
class Card extends Panel {
    // graph: a Graph; steps: a function that returns its steps; i: which; quiz: a Quiz about its numbers, or null.
    show(graph, steps, i, quiz = null) {
        this.clear();
        const {phase, node, index, count} = steps()[i], {short} = graph.nodes[node], step = () => steps()[i];
        const where = phase === "forward" ? `Forward ${index} of ${count} →` : `← Backward ${index} of ${count}`;
        const head = made("p", {className: "head"}, made("span", {className: "place"}, where),
                          made("b", {}, `${short} = ${graph.formula(node)}`));
        if (phase === "backward") {
            head.append(this.cell("span", "delta", () => graph.gradientText(node, step().upstream), () => step().upstream));
        }
        const body = made("tbody");
        if (phase === "forward") body.append(this.forwardRow(graph, node, quiz));
        else this.backwardRows(body, graph, step, quiz);
        const heads = CAPTIONS[phase].map((caption) => made("th", {scope: "col"}, caption));
        this.element.className = `card ${phase}${step().edges.length > ROOMY ? " long" : ""}`;
        this.element.append(head, made("table", {}, made("thead", {}, made("tr", {}, ...heads)), body));
        const {mistake} = step();
        if (mistake) this.element.append(this.cell("p", "difference", () => `${step().mistake}.`));
        this.refresh();
    }

    // A cell of the table.  While a prediction is open, a field replaces its number, and its caption is shown if there is no head.
    entry(caption, field, ...cells) {
        return made("td", {data: {caption}}, ...(field ? [field, made("span", {className: "secret"}, ...cells)] : cells));
    }

    forwardRow(graph, node, quiz) {
        const {short} = graph.nodes[node], [rule, numbers, value] = CAPTIONS.forward;
        const field = quiz?.field(`value of ${short}`, () => graph.values[node], {node});
        const outcome = this.cell("span", "outcome", () => graph.number(graph.values[node]), () => graph.values[node]);
        return made("tr", {}, this.entry(rule, null, made("b", {}, `${short} = ${graph.formula(node)}`)),
                    this.entry(numbers, null, this.cell("span", quiz ? "secret" : "", () => graph.formula(node, true))),
                    this.entry(value, field, outcome));
    }

    backwardRows(body, graph, step, quiz) {
        const {node, edges} = step(), [rule, slope, contribution, total] = CAPTIONS.backward;
        const isShown = (k) => edges.length <= MOST_EDGES || k < MOST_EDGES - 2 || k === edges.length - 1;
        const shown = [...edges.keys()].filter(isShown);
        for (const k of shown) {
            const edge = () => step().edges[k], name = graph.nodes[edge().input].short;
            if (k === edges.length - 1 && shown.length < edges.length)
                body.append(made("tr", {}, made("td", {colSpan: 4}, `⋮ ${edges.length - shown.length} more`)));
            const local = () => equation(graph.rule(node, k, edge(), true), graph.number(edge().partial));
            const flows = () => (edge().taken ? graph.product(edge()) : "not taken");
            const sum = () => (edge().taken ? graph.addition(node, k, edge()) : "nothing is added");
            const written = () => [graph.rule(node, k, edge()), graph.reason(node, k, edge())].filter(Boolean).join(", since ");
            const fields = [quiz?.field(`local derivative ${graph.slope(node, k)}`, () => edge().partial, {edge}),
                            quiz?.field(`contribution to ${name}`, () => edge().contribution, {edge})];
            body.append(made("tr", {data: {edge: `${node}.${k}`}},
                this.entry(rule, null, this.cell("span", "", () => `${graph.slope(node, k)} = ${written()}`)),
                this.entry(slope, fields[0], this.cell("span", "", local)),
                this.entry(contribution, fields[1], this.cell("span", "outcome", flows, () => edge().contribution)),
                this.entry(`${total}, ${name}.grad`, null, made("small", {}, `${name}.grad: `),
                           this.cell("span", quiz ? "secret" : "", sum))));
        }
    }
}

// The ledger of a node: where its gradient comes from, edge by edge in the order of the walk.
class Ledger extends Panel {
    // moment: a function that returns the present scene.
    show(graph, place, moment) {
        this.clear();
        const {short, inputs} = graph.nodes[place], loss = graph.nodes[graph.loss].short;
        const known = () => moment().known.has(place), value = () => (known() ? graph.number(graph.values[place]) : "");
        const text = () => {
            if (!inputs.length) return equation(short, value());
            return equation(short, graph.formula(place), known() ? graph.formula(place, true) : "", value());
        };
        const lines = graph.steps.filter(({phase}) => phase === "backward").flatMap(({node, edges}) =>
            edges.flatMap(({input}, k) => (input === place ? [this.line(graph, node, k, moment)] : [])));
        const start = place === graph.loss ? [made("li", {}, `∂${loss}/∂${short} = 1: the backward pass starts here`)] : [];
        const shown = lines.length > MOST_EDGES ? [...lines.slice(0, MOST_EDGES - 2), made("li", {}, "⋮"), lines.at(-1)] : lines;
        const total = () => (moment().arrived.has(place) ? graph.arrivedText(place, moment()) : "still to come");
        this.element.append(
            made("p", {className: "head"}, made("span", {className: "place"}, `Ledger of ${short}`), this.cell("b", "", text)),
            made("ul", {}, ...start, ...shown),
            made("p", {className: "sum"}, `${short}.grad = ∂${loss}/∂${short}: `,
                 this.cell("output", "", total, () => moment().arrived.get(place) ?? NaN)),
        );
        this.element.dataset.node = place;
        this.refresh();
    }

    line(graph, node, k, moment) {
        const {short} = graph.nodes[node], loss = graph.nodes[graph.loss].short, edge = () => moment().flowed.get(`${node}.${k}`);
        const flow = () => {
            if (edge() === undefined) return ", still to come";
            return edge().taken ? ` = ${graph.product(edge())}` : ": not taken";
        };
        return made("li", {}, `from ${short}: ∂${loss}/∂${short} · ${graph.slope(node, k)}`, this.cell("span", "flow", flow));
    }
}

// ---- the leaves

// Call `notice` with a field of an element at each input, and when it is confirmed or left; until then, `isTyped` is true.
function noticeTyping(element, notice) {
    for (const type of ["input", "change", "focusout"]) element.addEventListener(type, ({target}) => {
        target.isTyped = type === "input";
        notice(target);
    });
}

// A round number of the kind 1, 2 or 5 · 10ⁿ that is at least x.
function round(x) {
    const unit = 10 ** Math.floor(Math.log10(x));
    return unit * [1, 2, 5, 10].find((each) => each * unit >= x * (1 - 1e-12));
}

const MOST_LEAVES = 60; // listed at first

// The range of a leaf's slider, around 0.
function rangeOf(x) {
    const least = Math.abs(x) < 0.05 ? 0.1 : 1;
    return Number.isFinite(x) ? Math.max(round(Math.min(2 * Math.abs(x), 1e300)), least) : least;
}

const tidy = (x) => Number(x.toPrecision(12)); // so that 0.1 + 0.2 is 0.3

// Fields for all leaves: each can be typed, stepped by arrow keys, dragged, and moved on a slider.
class Leaves {
    // leaves: [{name, value, isLearned}]; numberAt: the present number of one by its index; change: gives it another.
    constructor(element, leaves, numberAt, change) {
        Object.assign(this, {element, leaves, numberAt, change, rows: []});
        this.list(MOST_LEAVES);
    }

    // List the next n leaves; a button lists more of the many in a large network.
    list(n) {
        const first = this.rows.length, rows = this.leaves.slice(first, first + n).map((_, i) => this.row(first + i));
        this.rows.push(...rows);
        const rest = Math.min(this.leaves.length - this.rows.length, 10 * MOST_LEAVES);
        const more = made("button", {type: "button", className: "all", on: {click: () => {
            more.remove();
            this.list(rest);
            this.rows[first + n].slider.focus();
        }}}, `Show ${rest} more`);
        this.element.append(...rows.map(({row}) => row), ...(rest ? [more] : []));
    }

    row(i) {
        const leaf = this.leaves[i], {name, value} = leaf, range = rangeOf(value), step = range / 200;
        const field = made("input", {type: "text", autocomplete: "off", className: "field",
            title: "type, use the arrow keys, or drag the name"});
        const slider = made("input", {type: "range", min: -range, max: range, step, className: "range",
            ariaLabel: `${name}, slider`});
        const box = made("input", {type: "checkbox", checked: leaf.isLearned, ariaLabel: `learn ${name}`,
            title: "changed by Learn", on: {change: () => (leaf.isLearned = box.checked)}});
        const label = made("label", {className: "name"}, made("span", {}, name), field);
        const set = (x) => Number.isFinite(x) && this.change(i, tidy(x));
        // After typing, the field shows the number that was read, or the old one if there was none.
        noticeTyping(field, () => (field.isTyped ? set(read(field.value)) : this.showRow(row, i)));
        field.addEventListener("keydown", (event) => {
            const by = {ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10}[event.key];
            if (!by || event.ctrlKey || event.altKey || event.metaKey) return;
            event.preventDefault();
            set(this.numberAt(i) + by * (event.shiftKey ? 10 : 1) * range / 100);
            field.isTyped = false;
            this.showRow(row, i);
        });
        slider.addEventListener("input", () => set(slider.valueAsNumber));
        this.drag(label.firstChild, i);
        const slope = made("span", {className: "slope"}), way = made("div", {className: "way"}, slider, slope);
        const row = {row: made("div", {className: "leaf"}, label, way, box), field, slider, slope};
        this.showRow(row, i);
        return row;
    }

    // Make a leaf draggable by its name, or by its place in the picture; `moved` is called at each move.
    drag(handle, i, moved = () => {}) {
        const step = rangeOf(this.leaves[i].value) / 200;
        handle.addEventListener("pointerdown", (down) => {
            if (down.button) return;
            // The press does not take the focus from a field that is being typed into, which would go on showing what was typed.
            this.rows[i]?.field.blur();
            const from = this.numberAt(i);
            const move = ({clientX}) => {
                if (clientX === down.clientX) return;
                moved();
                this.change(i, tidy(Math.round((from + (clientX - down.clientX) * step) / step) * step));
            };
            handle.setPointerCapture(down.pointerId);
            handle.addEventListener("pointermove", move);
            handle.addEventListener("lostpointercapture", () => handle.removeEventListener("pointermove", move), {once: true});
            down.preventDefault();
        });
    }

    // Write the numbers into fields and sliders, except into the active one while someone types, or while it holds the number.
    show(active) {
        this.rows.forEach((row, i) => this.showRow(row, i, active));
    }

    showRow({field, slider}, i, active = null) {
        const x = this.numberAt(i), text = Number.isFinite(x) ? String(Number(x.toPrecision(4))) : "";
        field.placeholder = text ? "" : digits(x, 3);
        if (field.value !== text && !(field.isTyped && field === active)) {
            field.value = text;
            if (field === active) field.select(); // so that the next key replaces it
        }
        if (!text || slider.value === text || (slider === active && tidy(slider.valueAsNumber) === x)) return;
        if (Math.abs(x) > slider.max) [slider.min, slider.max] = [-2 * Math.abs(x), 2 * Math.abs(x)];
        slider.value = text;
    }

    // Write the gradient of each leaf as far as it has arrived in a scene.
    showGradients({arrived}, graph, placeOf) {
        this.rows.forEach(({slope}, i) => {
            const x = arrived.get(placeOf(i)), text = x === undefined ? "" : `∂ ${graph.number(x)}`;
            if (slope.textContent === text) return;
            slope.textContent = text;
            slope.className = `slope ${text && signOf(x)}`;
        });
    }

    // Which leaf to change first, and in which direction, once all gradients are complete; otherwise an empty string.
    advice({arrived, complete}, graph, placeOf) {
        const {learned} = this, gradients = learned.map((i) => arrived.get(placeOf(i)));
        const sizes = gradients.map((x) => Math.abs(x ?? 0)), largest = sizes.indexOf(Math.max(...sizes));
        const x = gradients[largest], isOver = learned.every((i) => complete.has(placeOf(i)));
        if (!isOver || !x || Number.isNaN(graph.values[graph.loss])) return "";
        const change = `${x > 0 ? "lower" : "raise"} ${this.leaves[learned[largest]].name} first`;
        const {short} = graph.nodes[graph.loss];
        return `To lower ${short}, ${change}: its gradient, ${graph.number(x)}, is the largest in size.`;
    }

    get learned() {
        return this.leaves.flatMap(({isLearned}, i) => (isLearned ? [i] : []));
    }
}

// The loss against the number of steps, on a logarithmic scale where it spans more than two decades.
class Curve {
    constructor(svg) {
        this.svg = svg;
        this.losses = [];
    }

    start(loss) {
        this.losses = [loss];
        this.draw();
    }

    add(loss) {
        this.losses.push(loss);
        if (this.losses.length > 4000) this.losses = this.losses.filter((_, i) => i % 2 === 0);
    }

    draw() {
        const finite = this.losses.filter(Number.isFinite), positive = finite.every((x) => x > 0);
        const span = Math.max(...finite) / Math.min(...finite), isLog = positive && span > 100;
        const scale = isLog ? Math.log10 : (x) => x;
        const [low, high] = [Math.min(...finite.map(scale), isLog ? Infinity : 0), Math.max(...finite.map(scale))];
        const n = Math.max(this.losses.length - 1, 1);
        // In the 200 by 60 of player.html, with a margin for the circle.
        const point = (x, i) => [(i / n) * 196 + 2, 56 - ((scale(x) - low) / (high - low || 1)) * 52];
        const points = this.losses.map(point).filter(([, y]) => Number.isFinite(y));
        const line = points.map((each) => each.map((x) => x.toFixed(1)).join(",")).join(" ");
        const [x, y] = points.at(-1) ?? [2, 4];
        put(this.svg.querySelector("polyline"), "points", line);
        put(this.svg.querySelector("circle"), "cx", x.toFixed(1));
        put(this.svg.querySelector("circle"), "cy", y.toFixed(1));
    }
}

// ---- the classic mistakes

const READABLE = 14; // pixels: the size of text in the pictures of a mistake, which show as much as fits

// Each mistake, run on the current numbers, beside the right run at the first step that differs; mistakes that make no
// difference at these numbers are only named.
class Mistakes {
    // about: a description of each, by its name.
    constructor(player, about) {
        this.player = player;
        this.entries = Object.entries(about).map(([name, what]) => this.entry(name, what));
        this.harmless = made("p", {className: "harmless"});
        player.find(".mistakes").append(...this.entries.map(({element}) => element), this.harmless);
        this.offer();
    }

    entry(name, what) {
        const verdict = made("span", {className: "difference"}), runs = made("div", {className: "runs"});
        const summary = made("summary", {}, made("b", {}, name), `: ${what} `, verdict);
        const element = made("details", {data: {mistake: name}}, summary, runs);
        element.addEventListener("toggle", () => this.refresh());
        return {name, element, verdict, runs, isIdle: false};
    }

    // Show the open ones at once, and the others when the numbers have stopped changing.
    refresh() {
        clearTimeout(this.timer);
        for (const entry of this.entries) if (entry.element.open) this.show(entry);
        this.timer = setTimeout(() => this.offer(), 100);
    }

    // Offer those that make a difference, and name the others.
    offer() {
        if (this.player.exercise?.isOpen) return; // it would give answers away
        for (const entry of this.entries) if (!entry.element.open) this.show(entry);
        const idle = this.entries.filter(({isIdle}) => isIdle).map(({name}) => name);
        this.harmless.textContent = idle.length ? `They would change nothing on this graph at these numbers: ${idle.join(", ")}.` : "";
    }

    show(entry) {
        const {name, element, verdict, runs} = entry, {graph} = this.player;
        if (graph.problem) return;
        const steps = graph.run(name), {node, mistake: wrong = ""} = steps.at(-1) ?? {};
        entry.isIdle = !wrong;
        verdict.textContent = wrong ? `${wrong}.` : "At these numbers it changes nothing.";
        element.hidden = !wrong && !element.open;
        if (!element.open) return;
        const right = graph.steps, place = right.findIndex((step) => step.phase === "backward" && step.node === node);
        runs.replaceChildren(...(wrong ? [this.run("right", right, place), this.run("wrong", steps, steps.length - 1)] : []));
        this.fit(runs);
    }

    run(kind, steps, place) {
        const {player} = this, {graph} = player, title = {right: "As it should be", wrong: "With the mistake"}[kind];
        const stage = made("div", {className: "stage"}), card = new Card(made("section"));
        stage.append(player.originals.get(player.stageOfNodes).cloneNode(true));
        stage.ariaHidden = "true"; // the card below says the same
        const picture = new Picture(stage, graph), {phase, node} = steps[place];
        picture.render({phase, node, t: 1, isRevealed: true, ...graph.moment(place, steps)});
        picture.write();
        for (const {group} of picture.boxes) group.removeAttribute("tabindex");
        card.show(graph, () => steps, place);
        const run = made("div", {className: `run ${kind}`}, made("h4", {}, title), stage, card.element);
        run.picture = picture;
        return run;
    }

    fit(runs) {
        for (const {picture} of runs.children) {
            picture.camera.resize(picture.stage);
            picture.camera.aim(null, READABLE); // to set how much is seen
            picture.camera.aim(picture.areaOfProducts(), READABLE); // where the two runs differ
            picture.camera.move();
        }
    }
}
