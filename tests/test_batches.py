"""Batches: examples are matched by place, each structure and class has its trace, and masked or missing entries are refused."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

from autograd import Value, compile, numbers

w = Value(1.0, label="w")


@dataclass
class Circle:
    r: Any

    def area(self) -> Any:
        return 3.0 * self.r * self.r


@dataclass
class Square:
    r: Any

    def area(self) -> Any:
        return self.r * self.r


class Point(NamedTuple):
    x: Any
    y: Any


class Turned(NamedTuple):
    y: Any
    x: Any


class Doubled(dict[str, Any]):
    def area(self) -> Any:
        return 2 * self["r"]


class Tripled(dict[str, Any]):
    def area(self) -> Any:
        return 3 * self["r"]


# Tables


def test_examples_are_matched_by_place_and_not_by_label() -> None:
    pd: Any = pytest.importorskip("pandas")
    program = compile(lambda x, y: w * sum(x) * y, [w])
    ragged = [[1.0], [2.0, 3.0]]
    for index in ([1, 0], [5, 7], ["a", "b"], [0, 0]):
        y = pd.Series([10.0, 20.0], index=index)
        assert program(ragged, y).tolist() == program(pd.Series(ragged, index=index), y).tolist() == [10.0, 100.0]
        assert program([[1.0], [5.0]], y).tolist() == [10.0, 100.0]
    alone = compile(lambda x: w * sum(x), [w])
    assert alone(pd.Series([[1.0], [2.0, 3.0], [4.0, 5.0]], index=[2, 0, 1])).tolist() == [1.0, 5.0, 9.0]
    assert alone(pd.Series([[1.0, 1.0], [2.0, 3.0]], index=[2, 0])).tolist() == [2.0, 5.0]  # also if all have one length
    assert alone(np.array([[1.0], [2.0, 3.0]], dtype=object)).tolist() == [1.0, 5.0]
    assert alone([pd.Series([1.0]), pd.Series([2.0, 3.0], index=["a", "b"])]).tolist() == [1.0, 5.0]
    table = compile(lambda p, q: sum(p["x"]) * p["y"] * q[0], [])
    x, y = pd.Series(ragged, index=[1, 0]), pd.Series([10.0, 20.0], index=[1, 0])
    assert table({"x": x, "y": y}, pd.DataFrame({"q": [1.0, 2.0]}, index=["a", "b"])).tolist() == [10.0, 200.0]


def test_labels_of_examples_belong_to_their_structure() -> None:
    pd: Any = pytest.importorskip("pandas")
    program = compile(lambda row: row["a"] - row["b"])
    one, turned = pd.Series([5.0, 2.0], index=["a", "b"]), pd.Series([5.0, 2.0], index=["b", "a"])
    assert program([one, one]).tolist() == [3.0, 3.0]
    assert program([turned, one]).tolist() == [-3.0, 3.0]


def test_a_program_with_an_example_takes_only_its_labels() -> None:
    pd: Any = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [5.0, 3.0], "b": [2.0, 4.0]})
    program = compile(lambda row: row["a"] - row["b"], example=[frame.iloc[0]])
    assert all(program(x).tolist() == [3.0, -1.0] for x in (frame, frame.to_numpy(), [row for _, row in frame.iterrows()]))
    turned = frame[["b", "a"]]
    for batch in (turned, [frame.iloc[0], turned.iloc[1]], pd.DataFrame({"a": [5.0], "c": [2.0]})):
        with pytest.raises(ValueError, match=r"^argument 0 has the labels \[.*\]; .* for \['a', 'b'\], .* without"):
            program(batch)


@pytest.mark.parametrize("f", [lambda x: sum(x), lambda x: x], ids=["rows", "numbers"])
def test_masked_entries_are_refused(f: Callable[[Any], Any]) -> None:
    is_row = f([1.0, 2.0]) == 3.0
    whole = np.ma.masked_array([[1.0, 99.0]] if is_row else [1.0, 99.0], mask=False)
    hidden = np.ma.masked_array(whole, mask=[[False, True]] if is_row else [False, True])
    place = r"\[0, 1\]" if is_row else r"\[1\]"
    assert compile(f)(whole).tolist() == ([100.0] if is_row else [1.0, 99.0])
    with pytest.raises(ValueError, match=rf"^argument 0 has masked entries: 1, the first at {place}; fill them, or leave"):
        compile(f)(hidden)
    for batch in ([*hidden], {"x": hidden}, [[1.0], hidden[0]] if is_row else (hidden[1], 2.0)):
        with pytest.raises(ValueError, match=r"^argument 0(\[.*\])? has masked entries: 1"):
            compile(lambda x: f(x["x"] if isinstance(x, dict) else x))(batch)
    with pytest.raises(ValueError, match=r"^argument 0\[0\]\[0\] has masked entries: 1"):
        compile(lambda x: 1.0)([[np.ma.masked_array([1.0, 2.0], mask=[False, True])] * 9])
    with pytest.raises(ValueError, match="masked entries"):
        compile(f, example=[[1.0, 2.0] if is_row else 0.0])(hidden)
    with pytest.raises(ValueError, match="masked entries"):
        compile(lambda y, x: f(x) + y)([[1.0], [2.0, 3.0]], hidden)


def test_a_masked_number_in_a_long_row_is_refused_and_nan_is_not() -> None:
    program, rows = compile(lambda x: sum(x)), [[1.0] * 9, [1.0] * 8 + [np.nan]]
    assert np.isnan(program(rows)).tolist() == [False, True]
    hidden: list[Any] = [[1.0] * 9, [*[1.0] * 8, np.ma.masked]]
    for batch, path in ((hidden, "[1][8]"), ([[rows, hidden]], "[0][1][1][8]")):
        with pytest.raises(ValueError, match="has masked entries") as caught, pytest.warns(UserWarning, match="masked"):
            compile(lambda x: 1.0)(batch)
        assert str(caught.value).startswith(f"argument 0{path} has masked entries: 1")


def test_a_series_of_lists_is_an_example_too() -> None:
    pd: Any = pytest.importorskip("pandas")
    program = compile(lambda x: x[0][0] + 10 * x[1][0])
    assert program([pd.Series([[1.0], [2.0]])]).tolist() == [21.0]
    assert program([pd.Series([[1.0], [2.0]]), pd.Series([[3.0], [4.0]])]).tolist() == [21.0, 43.0]


def test_missing_entries_are_refused_and_nan_is_a_number() -> None:
    pd: Any = pytest.importorskip("pandas")
    for dtype in ("Int64", "Float64", "boolean"):
        column = pd.Series([1, None], dtype=dtype, index=["a", "b"])
        for batch, path in ((column, "[1]"), (column.array, "[1]"), (pd.DataFrame({"a": column}), "[1][0]"),
                            (pd.DataFrame({"a": [1.0, 2.0], "b": column}), "[1][1]"), ({"k": column}, "['k'][1]"),
                            ([column, column], "[0][1]"), ([[1.0], column], "[1][1]"), ([1.0, pd.NA], "[1]")):  # fmt: skip
            with pytest.raises(TypeError) as caught:
                compile(lambda x: x)(batch)
            assert str(caught.value).startswith(f"argument 0{path} is <NA>, a NAType; ")
        assert compile(lambda x: x)(pd.Series([1, 0], dtype=dtype)).tolist() == [1.0, 0.0]
        frame = pd.DataFrame({"a": pd.Series([1, 0], dtype=dtype), "b": [1.5, 2.5]})
        assert compile(lambda x: x[0] + x[1])(frame).tolist() == [2.5, 2.5]
    for kind in (float, object):
        assert np.isnan(compile(lambda x: x)(pd.Series([1.0, np.nan], dtype=kind))).tolist() == [False, True]
    frame = pd.DataFrame({"a": pd.Series([1, 2], dtype="Int64"), "b": [1.5, np.nan]})
    assert np.isnan(compile(lambda x: x[0] + x[1])(frame)).tolist() == [False, True]


# Structures and classes


def test_each_class_has_its_own_trace() -> None:
    program = compile(lambda s: s.area())
    for _ in range(2):
        assert program(Circle([1.0])).tolist() == [3.0] and program(Square([1.0])).tolist() == [1.0]
        assert program(Doubled(r=[1.0])).tolist() == [2.0] and program(Tripled(r=[1.0])).tolist() == [3.0]
    assert len(program.traces) == 4
    inside = compile(lambda p: sum(s.area() for s in p["shapes"]))
    assert inside({"shapes": [Circle([1.0]), Square([1.0])]}).tolist() == [4.0]
    assert inside({"shapes": [Square([1.0]), Square([1.0])]}).tolist() == [2.0]
    assert inside({"shapes": (Circle([1.0]), Circle([1.0]))}).tolist() == [6.0]
    empty = compile(lambda x, p: x * len(type(p).__name__))
    assert (empty([1.0], {}).tolist(), empty([1.0], OrderedDict()).tolist()) == ([4.0], [11.0])


def test_lists_tuples_and_arrays_have_separate_traces() -> None:
    program = compile(lambda x: len(x + x) + 0 * x[0])
    rows: tuple[Any, ...] = [[1.0, 2.0]], [(1.0, 2.0)], [np.array([1.0, 2.0])], np.array([[1.0, 2.0]]), [Point(1.0, 2.0)]
    for _ in range(2):
        assert [program(batch).tolist() for batch in rows] == [[4.0], [4.0], [2.0], [2.0], [4.0]]
    names = compile(lambda x: x[0][0] * len("".join(type(row).__name__ for row in x)))
    assert names([[[1.0], [1.0]]]).tolist() == [8.0]
    assert names([[(1.0,), [1.0]]]).tolist() == names([[[1.0], (1.0,)]]).tolist() == [9.0]
    points = compile(lambda p: p.x)
    assert points([Point(1.0, 2.0)]).tolist() == points([Turned(2.0, 1.0)]).tolist() == [1.0]


def test_examples_of_several_kinds_in_one_batch_are_grouped() -> None:
    program = compile(lambda x, y: len(x + x) * y)
    batch = [[1.0, 2.0], (1.0, 2.0), np.array([1.0, 2.0]), [1.0, 2.0]]
    assert program(batch, [1.0, 10.0, 100.0, 1000.0]).tolist() == [4.0, 40.0, 200.0, 4000.0]
    assert compile(lambda p: p.x)([Point(1.0, 2.0), Turned(2.0, 5.0)]).tolist() == [1.0, 5.0]


def test_a_list_of_namedtuples_of_arrays_is_a_container() -> None:
    first, second = Point([1.0, 2.0], [4.0, 5.0]), Point([7.0, 8.0], [10.0, 11.0])
    program = compile(lambda p: p[0].x * 100 + p[1].y)
    for batch in ([first, second], (first, second)):
        assert program(batch).tolist() == [110.0, 211.0]
    assert program([first, Turned(*second)]).tolist() == [107.0, 208.0]
    assert compile(lambda p: p[0][0].x + p[0][1].y)([[first, second]]).tolist() == [11.0, 13.0]
    assert compile(lambda p: p[0].x + p[1].y)([[Point(1.0, 2.0), Point(3.0, 4.0)]]).tolist() == [
        5.0
    ]  # with numbers, the inner list is one example


def test_a_program_with_an_example_takes_only_its_classes() -> None:
    program = compile(lambda s: s.area(), example=[Circle(1.0)])
    assert program(Circle([1.0])).tolist() == [3.0]
    with pytest.raises(TypeError, match=r"^argument 0 is of the class Square; .* compiled for Circle; .* without example="):
        program(Square([1.0]))
    rows = compile(lambda x: len(x + x) + 0 * x[0], example=[[0.0, 0.0]])  # f receives a list, as in the example
    assert [rows(batch).tolist() for batch in ([[1.0, 2.0]], [(1.0, 2.0)], np.array([[1.0, 2.0]]))] == [[4.0]] * 3


# Advice


@pytest.mark.parametrize(("batch", "advice"), [
    ([{"a": 1.0}, {"a": 2.0}], r"^argument 0\[0\]\['a'\] is the number 1.0; .*: {'a': \[1.0, 2.0\]}$"),
    ([Circle(1.0), Circle(2.0)], r": Circle\(r=\[1.0, 2.0\]\)$"),
    ([{"a": [1.0, 2.0], "n": 1.0}, {"a": [3.0, 4.0], "n": 2.0}], r": {'a': \[\[1.0, 2.0\], \[3.0, .*\], 'n': \[1.0, 2.0\]}$"),
    ([({"a": 1.0}, 5.0), ({"a": 2.0}, 6.0)], r": \({'a': \[1.0, 2.0\]}, \[5.0, 6.0\]\)$"),
    ({"p": [{"a": 1.0}]}, r"argument 0\['p'\]\[0\]\['a'\] is .*: {'a': \[1.0\]}$"),
    ([Circle(1.0), Square(2.0)], r"those in argument 0 differ; call it once for each structure$"),
    ([{"a": 1.0}, {"b": 2.0}], r"those in argument 0 differ; call it once for each structure$"),
    ({"a": 1.0}, r"an entry for each example: \[1.0\]$"),
])  # fmt: skip
def test_a_list_of_containers_is_refused_with_a_container_of_lists(batch: Any, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        compile(lambda p: 1.0)(batch)


def test_unequal_counts_are_reported_beside_ragged_examples() -> None:
    program = compile(lambda x, y: sum(x) * y)
    for y in ([1.0, 2.0, 3.0], np.ones(3), (1.0,)):
        with pytest.raises(ValueError, match=rf"there is at least one; got \[2, {len(y)}\] entries"):
            program([[1.0], [2.0, 3.0]], y)
    with pytest.raises(TypeError, match=r"^argument 0\[0\] is not an array .* only whole examples may differ in length"):
        program([[[1.0], [2.0, 3.0]], [[1.0], [2.0, 3.0]]], [1.0, 2.0])


# Parameters, and what else a program depends on


@pytest.mark.parametrize("given", [
    [5.0], 7.0, [], [1.0, 2.0], [[1.0, 2.0, 3.0]], [None, 1, 2], ["1", "2", "3"], [1j, 2, 3], np.ones((3, 1)), None, {"a": 1.0},
    np.ma.masked_array([1.0, 2.0, 3.0], mask=[False, False, True]), [1.0, [2.0], 3.0], [Value(1.0)] * 3, "123",
    (x for x in [1.0]),
])  # fmt: skip
def test_parameters_need_one_real_number_for_each_leaf(given: Any) -> None:
    program = compile(lambda x: w * x, [w, Value(2.0), Value(3.0)])
    with pytest.raises((TypeError, ValueError), match=r"^parameters: .* for each leaf is needed, 3 in all; "):
        program.parameters = given
    assert program.parameters.tolist() == [1.0, 2.0, 3.0]
    for right in ([4, 5.0, True], (4.0, 5, 1), np.array([4, 5, 1])):
        program.parameters = right
        assert program.parameters.tolist() == [4.0, 5.0, 1.0]


def test_a_program_is_current_if_all_its_traces_are() -> None:
    k = [1.0]
    program = compile(lambda x: w * sum(x) * k[0], [w])
    program([[1.0]])
    k[0] = 3.0
    program([[1.0, 2.0]])
    assert not program.is_current()
    assert numbers(program([[1.0]])[0]) == 1.0
