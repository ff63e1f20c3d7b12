"""Examples in tables: DataFrames, Series, masked and sparse arrays; their rows are the examples, or they are refused."""

import json
from typing import Any, NamedTuple

import numpy as np
import pytest

from autograd import DomainError, Value
from nn import MLP, Module, Neuron, Perceptron, accuracy, classify, confusion, fit, plots
from nn.data import moons
from nn.tables import naming, rows_of

COMPILED = pytest.mark.parametrize("compiled", [False, True])
# Square and far from symmetric: training on its transpose by mistake would raise no error.
SQUARE, TARGETS = [[1.0, 2.0], [30.0, 4.0]], [1.0, -1.0]


def trained(X: Any, y: Any, compiled: bool) -> list[float]:
    model = Neuron(2, "linear", seed=0)
    fit(model, X, y, epochs=3, shuffle=False, compiled=compiled, validation=(X, y))
    return [parameter.data for parameter in model.parameters()]


@COMPILED
@pytest.mark.parametrize("columns", [["a", "b"], [0, 1], [1, 0], [7, 7]])
def test_the_rows_of_a_frame_are_examples_whatever_its_columns_are_called(columns: list[Any], compiled: bool) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(SQUARE, columns=columns, index=[1, 0])
    series, column = pd.Series(TARGETS, index=[5, 3]), pd.DataFrame({"y": TARGETS})
    expected = trained(SQUARE, TARGETS, compiled)
    assert trained(frame, series, compiled) == trained(frame, column, compiled) == expected
    assert trained(SQUARE, TARGETS, not compiled) == pytest.approx(expected)
    assert trained(frame.astype("float32"), TARGETS, compiled) == expected
    assert trained(frame.astype("Float64"), TARGETS, compiled) == expected


def test_predicting_and_judging_frames() -> None:
    pd = pytest.importorskip("pandas")
    model, labels = Neuron(2, "linear", init=lambda *_: 1.0), pd.Series([0, 1], index=[1, 0])
    rows = [[-5.0, 2.0], [30.0, -4.0]]
    frame = pd.DataFrame(rows, columns=[1, 0])
    assert model.predict(frame) == model.predict(rows) == [-3.0, 26.0]
    assert model.predict(frame.iloc[1]) == 26.0
    assert classify(model, frame) == [0, 1] and accuracy(model, frame, labels) == 1.0
    assert confusion(model, frame, labels.to_frame()).counts == [[1, 0], [0, 1]]
    X, y = moons(20, seed=1)
    assert Perceptron(2).fit(pd.DataFrame(X), pd.Series(y)).mistakes == Perceptron(2).fit(X, y).mistakes


def test_a_user_defined_module_predicts_the_rows_of_a_frame() -> None:
    pd = pytest.importorskip("pandas")

    class First(Module):
        def __call__(self, x: Any, factor: float = 1.0) -> Any:
            return x[0] * factor

    frame = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=[1, 0])
    assert First().predict(frame) == [1.0, 3.0] and First().predict(frame, factor=2.0) == [2.0, 6.0]
    assert First().predict(frame, 3.0) == [3.0, 9.0]
    assert First().predict(frame.iloc[1]) == 3.0 and First().predict(frame.iloc[1:]) == [3.0]
    for model in (First(), Neuron(2), MLP(2, [3, 1])):
        assert model.predict(frame.iloc[:0]) == []


def test_a_table_without_rows_has_no_predictions() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    for table in (np.zeros((0, 2)), np.zeros((0, 2), object), sparse.csr_array((0, 2))):
        assert MLP(2, [3, 1]).predict(table) == []


def test_a_frame_of_points_is_drawn() -> None:
    pd = pytest.importorskip("pandas")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("Agg")
    points = [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    ax: Any = plots.decision_boundary(Neuron(2, seed=0), pd.DataFrame(points), pd.Series([0, 1, 0]), resolution=3)
    assert ax.collections[-1].get_offsets().tolist() == [points[1]]
    pyplot.close("all")


@COMPILED
def test_a_series_of_numbers_is_read_by_place_and_not_by_label(compiled: bool) -> None:
    pd = pytest.importorskip("pandas")

    class Scale(Module):
        def __init__(self) -> None:
            self.unit = Neuron(1, "linear", seed=0)

        def __call__(self, x: Any) -> Any:
            return self.unit([x])

    found = []
    for X in ([1.0, 2.0, 3.0], pd.Series([1.0, 2.0, 3.0], index=[2, 0, 1])):
        model = Scale()
        fit(model, X, [2.0, 4.0, 7.0], epochs=2, shuffle=False, compiled=compiled)
        found.append(model.state_dict())
    assert found[0] == found[1]


@COMPILED
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of numpy.matrix
def test_sparse_and_matrix(compiled: bool) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    expected = trained(SQUARE, TARGETS, compiled)
    for kind in ("csr_matrix", "csc_array", "coo_array", "lil_matrix"):
        assert trained(getattr(sparse, kind)(np.array(SQUARE)), TARGETS, compiled) == expected
    assert trained(sparse.csr_matrix(np.array(SQUARE)).todense(), np.matrix(TARGETS).T, compiled) == expected
    model = Neuron(2, "linear", seed=0)
    assert model.predict(sparse.csr_array(np.array(SQUARE))) == model.predict(SQUARE)


@COMPILED
def test_masked_arrays_are_refused_only_if_entries_are_masked(compiled: bool) -> None:
    whole = np.ma.masked_array(SQUARE, mask=False)
    assert trained(whole, np.ma.masked_array(TARGETS), compiled) == trained(SQUARE, TARGETS, compiled)
    hidden = np.ma.masked_array(SQUARE, mask=[[False, False], [True, False]])
    model = Neuron(2, seed=0)
    for call in (lambda: fit(model, hidden, TARGETS, compiled=compiled), lambda: model.predict(hidden),
                 lambda: classify(model, hidden)):  # fmt: skip
        with pytest.raises(ValueError, match=r"masked entries: 1, the first at \[1, 0\]"):
            call()
    with pytest.raises(ValueError, match=r"^y: masked entries: 2, the first at \[0\]"):
        fit(model, SQUARE, np.ma.masked_array([1.0, 2.0], mask=True), compiled=compiled)


def frame_of(name: str) -> Any:
    pd = pytest.importorskip("pandas")
    return {
        "dates": pd.DataFrame({"a": pd.to_datetime(["2020-01-01"] * 2), "b": pd.to_datetime(["2020-01-02"] * 2)}),
        "text": pd.DataFrame({"a": ["x", "y"], "b": [1.0, 2.0]}),
        "gaps": pd.DataFrame({"a": pd.array([None, 1], "Int64"), "b": [1, 2]}),
    }[name]


@COMPILED
@pytest.mark.parametrize(("X", "message"), [
    ("dates", "X: .* datetime64"),
    ("text", "'x' is a str; pass a real number"),
    ("gaps", "NAType"),
    (np.array([[1j, 2], [3, 4]]), "X: .* complex128"),
    (np.array([(1.0, 2.0), (3.0, 4.0)], dtype="f8,f8"), r"X: .*\('f0', '<f8'\)"),
    ({"a": [1.0, 2.0], "b": [1.0, 2.0]}, "X is a list or an array"),
    (zip([1.0, 2.0], [3.0, 4.0], strict=True), "X is a list or an array"),
    (np.array(5.0), r"X is a list or an array.*; got array\(5.\)"),
])  # fmt: skip
def test_tables_of_other_types_are_refused(X: Any, message: str, compiled: bool) -> None:
    model = Neuron(2, seed=0)
    before = model.state_dict()
    with pytest.raises(TypeError, match=message):
        fit(model, frame_of(X) if isinstance(X, str) else X, TARGETS, compiled=compiled)
    assert model.state_dict() == before


@COMPILED
def test_ragged_examples_are_refused_before_anything_is_learned(compiled: bool) -> None:
    X = [[1.0, 2.0], [3.0, 4.0], [5.0], [6.0, 7.0]]
    model = MLP(2, [1], seed=0)
    before = model.state_dict()
    with pytest.raises(ValueError, match=r"^example 2: layer1 takes 2 inputs; got 1"):
        fit(model, X, [0.0] * 4, batch_size=1, shuffle=False, compiled=compiled)
    with pytest.raises(ValueError, match=r"^example 2: .*a target for each output; got 1 and 2"):
        fit(model, [[1.0, 2.0]] * 4, [[0.0], [1.0], [0.0, 1.0], [1.0]], batch_size=1, shuffle=False, compiled=compiled)
    with pytest.raises(ValueError, match=r"^example 3: for 2 outputs, a class is a whole number from 0 to 1; got 2"):
        fit(MLP(2, [2], seed=0), [[1.0, 2.0]] * 4, [0, 1, 0, 2], compiled=compiled)
    assert model.state_dict() == before


class Total(Module):
    """A model of sequences."""

    def __init__(self) -> None:
        self.unit = Neuron(1, "linear", seed=0)

    def __call__(self, x: Any) -> Any:
        """Return the sum of a unit's outputs."""
        return sum(self.unit([a]) for a in x)


def test_a_model_of_sequences_may_take_ragged_examples() -> None:
    X, y = [[1.0], [1.0, 2.0], [3.0]], [2.0, 6.0, 6.0]
    assert fit(Total(), X, y, epochs=20, seed=0).loss[-1] < 2.0
    with pytest.raises(ValueError, match=r"not all of one shape, but compiled training needs .* use compiled=False, or"):
        fit(Total(), X, y, epochs=1, compiled=True)


def test_compiled_training_refuses_dicts_by_name() -> None:
    """The error was that the example is not a number."""

    class Sum(Total):
        def __call__(self, x: Any) -> Any:
            return super().__call__(x["parts"])

    X, y = [{"parts": [1.0, 2.0]}, {"parts": [3.0, 4.0]}], [2.0, 6.0]
    assert fit(Sum(), X, y, epochs=20, seed=0).engine.startswith("eager")
    with pytest.raises(TypeError, match="an example is or holds a dict, but compiled training needs numbers in nested lists"):
        fit(Sum(), X, y, epochs=1, compiled=True)


def test_validation_examples_may_have_another_length() -> None:
    options: Any = {"epochs": 1_000_000, "goal": 1e9, "validation": ([[1.0, 2.0], [3.0, 4.0]], [1.0, 2.0])}
    history = fit(Total(), [[1.0], [2.0]], [1.0, 2.0], **options)
    assert history.engine.startswith("eager: the validation examples and their targets have the shapes [(2,), ()], and the ")
    assert len(history.validation_loss) == 1
    with pytest.raises(ValueError, match=r"and the training examples \[\(1,\), \(\)\]; use compiled=False$"):
        fit(Total(), [[1.0], [2.0]], [1.0, 2.0], **options, compiled=True)


def test_an_error_with_its_own_arguments_is_unchanged() -> None:
    class Reader(Module):
        def __init__(self) -> None:
            self.unit = Neuron(1, "linear", seed=0)

        def __call__(self, x: Any) -> Any:
            return self.unit([a if len(x) == 1 else json.loads("no") for a in x])

    with pytest.raises(json.JSONDecodeError, match=r"^Expecting value"):
        fit(Reader(), [[1.0], [1.0, 2.0]], [1.0, 2.0])


def test_a_model_may_take_dicts_and_tuples_as_examples() -> None:
    class Point(NamedTuple):
        x: float
        y: float

    seen: list[Any] = []

    class Curious(Module):
        def __init__(self) -> None:
            self.unit = Neuron(1, "linear", seed=0)

        def __call__(self, x: Any) -> Any:
            seen.append(x)
            return self.unit([x["a"] if isinstance(x, dict) else x[0]])

    fit(Curious(), [{"a": 1.0}, {"a": 2.0}], [1.0, 2.0], epochs=1, shuffle=False)
    fit(Curious(), [Point(1.0, 2.0)], [1.0], epochs=1)
    assert seen[0] == {"a": 1.0} and seen[-1] == [1.0, 2.0]


def test_a_place_is_added_to_messages_of_errors_of_three_types_only() -> None:
    for error, args in ((ValueError("a"), ("here: a",)), (TypeError("a"), ("here: a",)), (RuntimeError("a"), ("here: a",)),
                        (KeyError("a"), ("a",)), (DomainError("a"), ("a",)), (UnicodeError("a"), ("a",))):  # fmt: skip
        with pytest.raises(type(error)) as caught, naming("here"):
            raise error
        assert caught.value.args == args
    with naming("here"):
        pass


def test_rows_that_are_lists_stay_the_same_lists() -> None:
    rows: list[list[float]] = [[1.0], []]
    found = rows_of("X", rows)
    assert found == rows and found is not rows and all(a is b for a, b in zip(found, rows, strict=True))


def test_targets_of_a_table_that_was_not_shuffled_with_it_are_noted() -> None:
    pandas = pytest.importorskip("pandas")
    X, y = pandas.DataFrame({"x": [0.0, 1.0, 2.0]}, index=[3, 1, 2]), pandas.Series([1.0, 3.0, 5.0], index=[1, 2, 3])

    def notes(X: Any, y: Any, **options: Any) -> list[str]:
        return fit(Neuron(1, "linear", seed=0), X, y, epochs=1, **options).notes

    for [note] in (notes(X, y), notes([[0.0]], [1.0], validation=(X, y))):
        assert "paired by position" in note and note.endswith("pass y.loc[X.index]")
    assert not notes(X, y.loc[X.index]) + notes(X, y.to_numpy()) + notes(X, y.rename({3: 4}))
    assert not notes(X.rename({3: 1}), y.rename({3: 1}))


class ByName(dict[str, float]):
    """A dict whose items are attributes too, and that raises a KeyError for any other."""

    __getattr__ = dict.__getitem__


def test_examples_may_be_dicts_with_attributes_for_items() -> None:
    class Named(Module):
        def __init__(self) -> None:
            self.w = Value(0.5)

        def __call__(self, x: Any) -> Any:
            return self.w * x.size

    examples, targets = [ByName(size=1.0), ByName(size=2.0)], [3.0, 6.0]
    model = Named()
    assert model.predict(examples[1]) == 1.0
    assert fit(model, examples, targets, epochs=2, validation=(examples, targets)).epochs == 2
    with pytest.raises(TypeError, match=r"^an example is or holds a ByName, but compiled training needs numbers"):
        fit(model, examples, targets, epochs=2, compiled=True)
    with pytest.raises(TypeError, match=r"^{'size': 1.0} is a ByName; pass a real number"):
        Value(examples[0])
