"""Trees: whatever can be taken apart can be put together again, and anything else is refused with its path."""

import array
import enum
import subprocess
import sys
from collections import Counter, OrderedDict, UserDict, defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, InitVar, dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Dual, Value, grad, jvp, prod
from autograd.trees import flatten, is_array, map_tree, number_arrays, numbers, stack


class Point(NamedTuple):
    x: Any
    y: Any


@dataclass(frozen=True, slots=True)
class Layer:
    w: Any
    _: KW_ONLY
    b: Any = 0.0


floats = st.floats(allow_nan=False)
trees = st.recursive(
    floats | st.just(Value(1.0)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=2) | st.integers(0, 3), inner, max_size=3),
        st.builds(Point, inner, inner),
        st.builds(Layer, inner, b=inner),
        st.lists(floats, min_size=6, max_size=6).map(lambda xs: np.array(xs).reshape(3, 2)),
    ),
    max_leaves=12,
)


@given(trees)
def test_a_tree_that_is_taken_apart_can_be_put_together_again(tree: Any) -> None:
    leaves, build = flatten(tree, "x")
    assert repr(build(leaves.values())) == repr(map_tree(lambda leaf: leaf, tree)) == repr(tree)
    assert all(repr(eval(path, {"x": tree})) in (repr(leaf), f"np.float64({leaf!r})") for path, leaf in leaves.items())
    assert repr(map_tree(lambda *three: three[1:] == three[:1] * 2, tree, tree, build(leaves.values()))) == repr(
        map_tree(lambda leaf: True, tree)
    )


@given(trees, trees)
def test_other_structures_are_refused(tree: Any, other: Any) -> None:
    if flatten(tree)[0].keys() == flatten(other)[0].keys():
        map_tree(lambda a, b: a, tree, other)
        return
    with pytest.raises(ValueError, match=r"the structures differ: argument 0.* is a leaf of"):
        map_tree(lambda a, b: a, tree, other, name="argument 0")


def test_both_structures_are_named() -> None:
    with pytest.raises(ValueError, match=r"differ: x\[1\] is a leaf of \[1.0, 2.0\], but not of \(3.0,\)$"):
        map_tree(max, [1.0, 2.0], (3.0,), name="x")
    with pytest.raises(ValueError, match=r"differ: x\[1\] is a leaf of \(3.0, 4.0\), but not of \[1.0\]$"):
        map_tree(max, [1.0], (3.0, 4.0), name="x")
    with pytest.raises(ValueError, match=r"differ: x\[0\] is a leaf of \[1.0\], but not of \[\[1.0\]\]$"):
        map_tree(max, [1.0], [[1.0]], name="x")


@pytest.mark.parametrize(("n", "shown"), [(32, f"['{'a' * 30}', '{'b' * 32}']"), (33, f"['{'a' * 30}', …")])
def test_a_structure_of_more_than_seventy_characters_is_cut_in_a_message(n: int, shown: str) -> None:
    with pytest.raises(ValueError) as caught:
        map_tree(max, ["a" * 30, "b" * n], [1.0])
    assert str(caught.value) == f"the structures differ: tree[1] is a leaf of {shown}, but not of [1.0]"


def test_leaves_are_matched_by_path() -> None:
    assert list(flatten([Point(1.0, Layer(2.0))], "t")[0]) == ["t[0].x", "t[0].y.w", "t[0].y.b"]
    assert map_tree(lambda x, y: x - y, {"a": 1.0, "b": 2.0}, {"b": 20.0, "a": 10.0}) == {"a": -9.0, "b": -18.0}
    total = map_tree(lambda x, y: x + y, np.array([[1.0, 2.0]]), [(3.0, 4.0)])
    assert total.tolist() == [[4.0, 6.0]] and total.dtype == float


@pytest.mark.parametrize("dtype", ["float64", "float32", "int8", "uint64", "bool", "object"])
def test_arrays_of_numbers(dtype: str) -> None:
    array = np.array([[1, 0, 1], [0, 1, 1]]).astype(dtype)
    nodes = map_tree(Value, array)
    assert nodes.dtype == object and nodes.shape == (2, 3) and all(isinstance(node, Value) for node in nodes.flat)
    assert nodes[1, 0].data == 0.0 and nodes[:, 0].sum().data == 1.0 and (np.ones((4, 2)) @ nodes)[3, 2].data == 2.0
    back = numbers(nodes)
    assert back.dtype == float and np.array_equal(back, array)


def test_arrays_of_nodes_and_numbers() -> None:
    x = Value(2.0)
    mixed = map_tree(lambda leaf: leaf, np.array([x, 3.0], dtype=object))
    assert mixed.dtype == object and mixed[0] is x
    assert map_tree(lambda leaf: leaf, np.array([[1.0, 2.0], [3.0]], dtype=object)).tolist() == [[1.0, 2.0], [3.0]]
    empty = map_tree(Value, np.empty((0, 3)))
    assert empty.shape == (0, 3) and empty.dtype == float


def test_an_array_without_dimensions_is_a_number() -> None:
    x = Value(2.0)
    for boxed in (np.array(3), np.array(3.0), np.array(x, dtype=object)):
        [leaf] = flatten(boxed)[0].values()
        assert leaf is x or (leaf == 3.0 and type(leaf) in (int, float))
        assert map_tree(lambda leaf: [leaf], boxed) == map_tree(lambda leaf: [leaf], boxed, entries=False) == [leaf]

    class Foreign:
        shape = ()

        def __iter__(self) -> Any:
            raise TypeError

    scalar = Foreign()
    assert map_tree(lambda leaf: leaf, scalar) is scalar


def test_series_keep_index_and_name() -> None:
    pandas: Any = pytest.importorskip("pandas")
    series = pandas.Series([1, 2], index=["a", "b"], name="s")
    nodes = map_tree(Value, {"s": series})["s"]
    assert nodes.dtype == object and (nodes * nodes).sum().data == 5.0 and nodes["b"].data == 2.0
    pandas.testing.assert_series_equal(numbers(nodes), series.astype(float))
    assert flatten(series, "s")[0] == {"s['a']": 1, "s['b']": 2}
    assert map_tree(lambda x, y: x - y, series, series[::-1]).tolist() == [0.0, 0.0]  # by label, as in pandas
    assert stack(series, [series, series, series], (3,)).shape == (3, 2)
    with pytest.raises(ValueError, match=r"two leaves have the path s\['a'\].*make the keys distinct"):
        flatten(pandas.Series([1.0, 2.0], index=["a", "a"]), "s")
    with pytest.raises(TypeError, match=r"^s is a DataFrame; use a list.*for example dict\(…\)"):
        flatten(pandas.DataFrame({"a": [1.0]}), "s")
    with pytest.raises(TypeError, match=r"^s has entries of type datetime64.*must be real numbers"):
        flatten(pandas.Series(pandas.to_datetime(["2020-01-01"])), "s")
    with pytest.raises(TypeError, match=r"tree\[0\]: 'text' is a str"):
        numbers(pandas.Series(["text"]))


class Named(list[Any]):
    name = ""


class Pair(tuple[Any, ...]):
    __slots__ = ()

    def __new__(cls, x: Any, y: Any) -> Self:
        return super().__new__(cls, (x, y))


def test_subclasses_keep_their_types() -> None:
    named = Named([1.0])
    named.name = "w"
    twin = map_tree(Value, named)
    assert type(twin) is Named and twin.name == "w" and twin[0].data == 1.0 and named == [1.0]
    default = map_tree(Value, defaultdict(float, a=1.0))
    assert default["a"].data == 1.0 and default["missing"] == 0.0
    assert map_tree(lambda x: x, OrderedDict(b=1.0, a=2.0)) == OrderedDict(b=1.0, a=2.0)
    assert map_tree(lambda x: x, Counter(a=2)) == Counter(a=2)
    pair, point = map_tree(lambda x: -x, (Pair(1.0, 2.0), Point(3.0, 4.0)))
    assert type(pair) is Pair and pair == (-1.0, -2.0) and type(point) is Point and point.y == -4.0


class FromOne(list[Any]):
    def __getitem__(self, i: Any) -> Any:
        return super().__getitem__(i - 1)

    def __setitem__(self, i: Any, x: Any) -> None:
        super().__setitem__(i - 1, x)


class Backwards(list[Any]):
    def __iter__(self) -> Any:
        return reversed([*super().__iter__()])


class Negated(dict[str, Any]):
    def __setitem__(self, name: str, x: Any) -> None:
        super().__setitem__(name, -x)

    def items(self) -> Any:
        return {name: -x for name, x in super().items()}.items()


@pytest.mark.parametrize(("tree", "f"), [
    (FromOne([2.0, 3.0, 5.0]), lambda p: p[1] ** 2 * p[2]), (Backwards([2.0, 3.0]), lambda p: p[0] ** 2 * p[1]),
    (Negated(a=2.0, b=3.0), lambda p: p["a"] ** 2 * p["b"]),
])  # fmt: skip
def test_subclasses_with_methods_of_their_own_keep_their_items(tree: Any, f: Callable[[Any], Any]) -> None:
    twin = map_tree(lambda x: x, tree)
    assert type(twin) is type(tree) and twin == tree and f(tree) == 12.0
    assert jvp(f, (tree,), (tree,)) == (12.0, 36.0)
    assert [slope.data for slope in flatten(grad(f)(tree))[0].values()][:2] == [12.0, 4.0]


class Mirrored(dict[str, Any]):
    def __init__(self, *items: Any, **more: Any) -> None:
        super().__init__(*items, **more)
        self.__dict__ = self


class Easy(dict[str, Any]):
    def __setitem__(self, name: str, x: Any) -> None:
        super().__setitem__(name, x)
        self.__dict__[name] = x


class Summed(list[Any]):
    scale = 1.0

    def __init__(self, items: Any) -> None:
        super().__init__(items)
        self.sum = sum(items)

    @cached_property
    def product(self) -> Any:
        return prod(self)


def test_attributes_of_a_dict_or_list_follow_its_items() -> None:
    easy = Easy()
    easy["a"], easy["b"] = 3.0, 2.0
    tree: Any
    for tree in (Mirrored(a=3.0, b=2.0), easy):
        assert numbers(grad(lambda p: p.a * p.b)(tree)) == {"a": 2.0, "b": 3.0} and tree.a == 3.0
    summed: Any = Summed([3.0, 2.0])
    assert summed.product == 6.0
    for kept in (5.0, 5, Value(5.0), [1, 5.0], np.ones(2)):
        summed.sum = kept
        with pytest.raises(TypeError, match=r"^argument 0\[1\] is a Summed whose attribute sum holds a number.*in a property"):
            grad(lambda p: p[1].sum)([1.0, summed])
    del summed.sum
    summed.scale, summed.unit, summed.exact, summed.tags = 10.0, "m", True, {1, 2}
    assert numbers(grad(lambda p: p.product * p.scale)(summed)) == [20.0, 30.0] and summed.product == 6.0


@dataclass
class Circle:
    radius: Any
    area: Any = field(init=False)

    def __post_init__(self) -> None:
        self.area = 3.0 * self.radius * self.radius


@dataclass(frozen=True, slots=True)
class Width:
    sigma: Any

    def __post_init__(self) -> None:
        if not isinstance(self.sigma, float) or self.sigma <= 0.0:
            raise ValueError("sigma must be a positive float")


@dataclass
class Angle:
    radians: Any
    unit: InitVar[str] = "radians"

    def __post_init__(self, unit: str) -> None:
        self.radians = self.radians * 2.0


@dataclass
class Fickle(Circle):
    def __post_init__(self) -> None:
        super().__post_init__()
        self.radius = float(self.radius)


def test_computed_fields_are_computed_from_the_new_leaves() -> None:
    assert list(flatten(Circle(2.0), "c")[0]) == ["c.radius"]
    nodes = map_tree(Value, Circle(2.0))
    nodes.area.backward()
    assert nodes.radius.grad == 12.0


def test_a_check_in_the_constructor_does_not_refuse_nodes_and_gradients() -> None:
    assert map_tree(Value, Width(2.0)).sigma.data == 2.0
    assert repr(map_tree(lambda x: -x, [Width(2.0)])) == "[Width(sigma=-2.0)]"


def test_the_constructor_converts_once() -> None:
    angle = Angle(1.0)
    assert angle.radians == 2.0 and map_tree(lambda x: x, angle).radians == 2.0


def test_cached_attributes_are_not_parts() -> None:
    @dataclass
    class Disc:
        radius: Any

    disc = Disc(2.0)
    disc.__dict__["area"] = 12.6  # as a cached property does
    assert map_tree(lambda x: -x, disc) == Disc(-2.0)

    @dataclass
    class Turn:
        degrees: Any
        unit: InitVar[float]

        def __post_init__(self, unit: float) -> None:
            self.radians = self.degrees * unit

    with pytest.raises(TypeError, match="computes attributes from unit, an InitVar"):
        map_tree(lambda x: -x, Turn(2.0, 0.0174))


def test_a_constructor_that_computes_and_refuses_is_named() -> None:
    with pytest.raises(TypeError, match=r"^c\[0\] is a Fickle, which computes area but .* property") as caught:
        map_tree(Value, [Fickle(2.0)], name="c")
    assert "would drop its graph" in str(caught.value.__cause__)
    with pytest.raises(TypeError, match="is a Fickle, which computes area"):
        map_tree(lambda x: Fraction(1), Fickle(2.0))


def test_operands_are_leaves_whatever_else_they_are() -> None:
    @dataclass
    class Own:
        x: float

        def __primitive__(self, row: Any, operands: Any) -> Any:
            raise AssertionError("a leaf is not computed with")

    own = Own(1.0)
    assert flatten([own])[0] == {"tree[0]": own}
    assert list(flatten([None, "text", b"", Layer, Dual(1.0, 2.0)], "x")[0]) == ["x[0]", "x[1]", "x[2]", "x[3]", "x[4]"]


def test_an_array_of_another_library_is_a_leaf_as_a_whole() -> None:
    class Tensor:
        """Two numbers; NumPy, PyTorch and JAX mark their arrays by this method."""

        def __dlpack__(self) -> None: ...

        def __iter__(self) -> Iterator[float]:
            return iter([1.0, 2.0])

    tensor = Tensor()
    assert flatten([tensor], entries=False)[0] == {"tree[0]": tensor}
    with pytest.raises(TypeError, match=r"^tree\[0\] is a Tensor; use a list"):
        flatten([tensor])


def test_a_container_may_occur_twice_and_is_not_changed() -> None:
    shared = [1.0]
    array, layer = np.array([1.0]), Layer(1.0)
    assert map_tree(lambda x: x + 1.0, [shared, (shared,)]) == [[2.0], ([2.0],)] and shared == [1.0]
    assert numbers(map_tree(Value, [array, layer, layer]))[1] == layer == Layer(1.0) and array[0] == 1.0


def nested(depth: int) -> Any:
    tree: Any = 1.0
    for _ in range(depth):
        tree = [tree]
    return tree


class OwnArray(np.ndarray[Any, Any]):
    pass


LISTS = "use a list, tuple, dict, dataclass instance, NumPy array or pandas Series, for example"


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({1.0}, rf"x\['k'\] is a set; {LISTS} list\(…\)"),
        (frozenset([1.0]), r"x\['k'\] is a frozenset"),
        (range(3), r"x\['k'\] is a range"),
        ((x for x in [1.0]), r"x\['k'\] is a generator"),
        (iter([1.0]), r"x\['k'\] is a list_iterator"),
        ({}.values(), r"x\['k'\] is a dict_values"),
        (deque([1.0]), r"x\['k'\] is a deque"),
        (array.array("d", [1.0]), r"x\['k'\] is an array; "),
        (memoryview(b"1"), r"x\['k'\] is a memoryview"),
        (UserDict(a=1.0), rf"x\['k'\] is a UserDict; {LISTS} dict\(…\)"),
        (np.array([1.0]).view(OwnArray), rf"x\['k'\] is an OwnArray; {LISTS} numpy.asarray\(…\)"),
        (np.ma.masked_array([1.0], mask=[True]), r"x\['k'\] is a MaskedArray"),
        (np.array(["1"]), r"x\['k'\] has entries of type <U1; they must be real numbers or nodes"),
        (np.array([1j]), r"x\['k'\] has entries of type complex128"),
        (np.array(["2020-01-01"], "datetime64[ns]"), r"x\['k'\] has entries of type datetime64\[ns\]"),
        (np.array(5, "timedelta64[ns]"), r"x\['k'\] has entries of type timedelta64\[ns\]"),
        (np.array([(1, 2.0)], [("a", "i8"), ("b", "f8")]), r"x\['k'\] has entries of type \[\('a'"),
        (np.array([{1.0}], dtype=object), r"x\['k'\]\[0\] is a set"),
        (nested(10_000), r"^x\['k'\]\[0\]\[0\].*… is nested more than 100 levels deep; use fewer, for example one flat list"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_containers_are_refused_with_their_path(tree: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        flatten({"k": tree}, "x")


class Bits(enum.IntEnum):
    TWO = 2


@pytest.mark.parametrize(
    "leaf", [True, 2, Bits.TWO, Fraction(1, 2), np.float32(2.0), np.bool_(True), np.array(2.0), "ab", None]
)
def test_numbers_of_every_kind_are_leaves(leaf: Any) -> None:
    assert list(flatten({"k": leaf}, "x")[0]) == ["x['k']"]


def test_a_cycle_is_named() -> None:
    cycle: dict[str, Any] = {}
    cycle["k"] = [1.0, (cycle,)]
    with pytest.raises(TypeError, match=r"^x\['k'\]\[1\]\[0\] is a dict that contains itself; a tree has no cycles"):
        flatten(cycle, "x")


def test_a_hundred_levels_are_allowed() -> None:
    assert list(flatten(nested(100), "x")[0]) == ["x" + "[0]" * 100]
    with pytest.raises(TypeError, match="more than 100 levels"):
        flatten(nested(101))


def test_an_error_names_the_leaf() -> None:
    def careful(x: float) -> float:
        if x < 0:
            raise KeyError(x)
        return 1.0 / x

    with pytest.raises(ZeroDivisionError, match=r"^x\[1\].w\[1\]: .*division by zero"):
        map_tree(careful, [1.0, Layer([1.0, 0.0])], name="x")
    with pytest.raises(KeyError, match=r"^-1.0$"):
        map_tree(careful, [-1.0])


def test_one_iterator_fills_several_trees() -> None:
    (_, one), (_, other) = flatten([0.0, (0.0,)]), flatten({"a": 0.0})
    source = iter([1.0, 2.0, 3.0, 4.0])
    assert one(source) == [1.0, (2.0,)] and other(source) == {"a": 3.0} and next(source) == 4.0
    with pytest.raises(ValueError, match=r"^x is built from all its leaves \(2\), and fewer"):
        flatten([0.0, 0.0], "x")[1]([1.0])


def test_numbers() -> None:
    x = Value(2.0)
    found = numbers({"a": [x, 3, Fraction(1, 2), np.float32(0.5), True], "p": Point(x * x, ()), "l": Layer(np.array([x, 1.0]))})
    assert found["a"] == [2.0, 3.0, 0.5, 0.5, 1.0] and {type(leaf) for leaf in found["a"]} == {float}
    assert found["p"] == Point(4.0, ()) and found["l"].w.dtype == float and found["l"].w.tolist() == [2.0, 1.0]
    assert numbers(x) == 2.0 and numbers([]) == []

    class Node:
        data = np.float64(3.0)

    assert type(numbers(Node())) is float
    refused: list[tuple[Any, str]] = [
        ([Dual(1.0, 2.0)], r"^tree\[0\]: Dual\(1.0, 2.0\) is a Dual; pass real numbers, and nodes whose data is a float"),
        (np.array([None]), r"^tree\[0\]: None is a NoneType"),
        ("3", "^tree: '3' is a str"),
        (1j, "^tree: 1j is a complex"),
    ]
    for tree, message in refused:
        with pytest.raises(TypeError, match=message):
            numbers(tree)
    with pytest.raises(OverflowError, match=r"^tree\[0\]: int too large"):
        numbers([10**400])


def test_number_arrays_leave_other_leaves_alone() -> None:
    x = Value(2.0)
    found = number_arrays({"a": np.array([[x, x]]), "x": [x, None]})
    assert found["a"].dtype == float and found["a"].tolist() == [[2.0, 2.0]] and found["x"][0] is x and found["x"][1] is None


def test_stacks() -> None:
    x = Value(1.0)
    like = {"A": np.zeros((2, 1)), "b": [0.0]}
    found = stack(like, [{"A": np.full((2, 1), i), "b": [x]} for i in range(6)], (3, 2))
    assert found["A"].shape == (3, 2, 2, 1) and found["A"].dtype == float and found["A"][2, 1].tolist() == [[5.0], [5.0]]
    assert found["b"][0].shape == (3, 2) and found["b"][0].dtype == object and found["b"][0][0, 0] is x
    nothing = stack(like, [], (0,))
    assert nothing["A"].shape == (0, 2, 1) and nothing["b"][0].shape == (0,)


def test_numpy_and_pandas_are_not_needed() -> None:
    program = (
        "import sys; sys.modules['numpy'] = sys.modules['pandas'] = None\n"
        "from autograd.trees import is_array, map_tree, number_arrays\n"
        "print(number_arrays(map_tree(abs, {'w': [-1.0, (2,)]})), is_array(3.0), is_array(None))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "{'w': [1.0, (2,)]} False False\n"


def test_arrays_are_distinguished_from_lists_and_numbers() -> None:
    expected: list[tuple[Any, bool]] = [(np.zeros((1, 2)), True), (np.zeros(()), False), ([1.0], False), (np.float64(1), False)]
    assert [is_array(x) for x, _ in expected] == [answer for _, answer in expected]
