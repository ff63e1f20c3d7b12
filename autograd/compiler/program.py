"""A scalar function, compiled for whole batches.

Nothing happens here but the passes, one after the other: `Trace` writes the function down, its gradient with it; `canonical`
gathers sums; `schedule` finds what can be done at once; `lay_out` turns that into instructions on arrays.  A machine does them.

>>> from autograd import Value, dot, sigmoid
>>> w, b = [Value(0.5, label="w0"), Value(-1.0, label="w1")], Value(0.25, label="b")
>>> program = compile(lambda x, y: (sigmoid(dot(w, x, b)) - y) ** 2, [*w, b])
>>> X, Y = [[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]], [0, 1, 1]
>>> program(X, Y).round(4)
array([0.0496, 0.0496, 0.0496])
>>> loss, gradient = program.gradient(X, Y)
>>> round(loss, 4), gradient.round(4)
(0.0496, array([-0.0514,  0.0643, -0.0257]))
"""

from __future__ import annotations

import functools
import gc
import importlib.util
import inspect
import math
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from autograd.compiler.arrays import Machine
from autograd.compiler.backward import differentiate
from autograd.compiler.batches import argument, arrays_of, first_example, named, place, require_one_length, shaped
from autograd.compiler.layout import Array, Layout, lay_out
from autograd.compiler.lesson import latex, lesson
from autograd.compiler.native import NativeMachine, can_run
from autograd.compiler.pure import exact_share, run
from autograd.compiler.schedule import Group, is_deep, schedule
from autograd.compiler.tracing import Graph, Shape, Trace
from autograd.trees import flatten
from autograd.value import Value

__all__ = ["Program", "compile"]

_TRACING: Final = threading.RLock()  # a trace borrows the parameters, which two programs may share
HAS_NUMBA: Final = importlib.util.find_spec("numba") is not None
BACKENDS: Final = ("auto", "numpy", "native")
FEW: Final = 2500  # operations on single numbers, for which calling NumPy a few times is too much
REDUCE: Final = ("mean", "sum")


def compile(
    f: Callable[..., Any],
    parameters: Iterable[Value] = (),
    *,
    example: Sequence[Any] | None = None,
    dtype: str = "float64",
    backend: str = "auto",
) -> Program:
    """Compile a scalar function of one example into a program for whole batches.

    Args:
        f: a function of numbers or trees of numbers (nested lists, tuples, dicts, dataclasses, NumPy arrays, pandas Series)
            that returns one `Value`, such as a loss, or a tree of them.  It is called once, with nodes that stand for any
            number; so a choice that depends on data has to be a `where`, a `maximum` or the like, and Python's ``if`` is
            refused.  For that call it borrows the parameters: no other thread may use them then.
        parameters: the leaves that the gradient is taken by.  Any other `Value` that f uses is a constant.
        example: arguments to trace f with at once.  Only their structures and shapes matter.  Without it, f is traced at the
            first call, with the structure of the first example there.
        dtype: ``"float64"`` or ``"float32"``.
        backend: ``"numpy"``; ``"native"``, for small or unstructured work, which needs numba; or the faster of the two.

    Raises:
        ModuleNotFoundError: without NumPy, or without numba where it was asked for.
        TypeError: if f asks for a number that depends on an input or a parameter; for a leaf that is not a number, by its path.

    >>> from autograd import Value
    >>> w = Value(2.0, label="w")
    >>> program = compile(lambda x: w * x, [w])
    >>> program([1.0, 2.0, 3.0])
    array([2., 4., 6.])
    >>> program = compile(lambda p: {"sum": p["a"] + p["b"].sum()}, example=[{"a": 1.0, "b": np.zeros(2)}])
    >>> program({"a": [1.0, 2.0], "b": [[3.0, 4.0], [5.0, 6.0]]})
    {'sum': array([ 8., 13.])}
    """
    program = Program(f, parameters, dtype=dtype, backend=backend)
    if example is not None:
        if isinstance(example, str | dict) or not isinstance(example, Iterable):
            raise TypeError(f"example lists the arguments of f; for a single one write [{example!r}]")
        examples = list(example)
        program._trace(examples, {path: x.shape for path, x in arrays_of(examples).items()})
    return program


class Program:
    """What `compile` returns: a function of a batch.

    A program writes its numbers where it wrote them before, so several threads that call one take turns.

    Attributes:
        f: the function.
        leaves: the parameters, as `Value`s.
        parameters: their numbers, one flat array; optimisers change it in place.
        backend: as it was asked for; see `backend_for`.
        graph: the computation in canonical form, once f was traced.
        groups: its schedule.
    """

    def __init__(self, f: Callable[..., Any], parameters: Iterable[Value], *, dtype: str, backend: str) -> None:
        if dtype not in ("float32", "float64"):
            raise ValueError(f"dtype is 'float64' or 'float32'; got {dtype!r}")
        if backend not in BACKENDS:
            raise ValueError(f"backend is one of {', '.join(map(repr, BACKENDS))}; got {backend!r}")
        if not callable(f):
            raise TypeError(f"compile needs a function of an example, not {f!r}")
        leaves = list(parameters) if isinstance(parameters, Iterable) else [None]
        if not all(isinstance(leaf, Value) for leaf in leaves):
            raise TypeError(f"parameters is a list of Values, such as model.parameters(); got {parameters!r}")
        self.f, self.leaves, self.backend = f, leaves, backend
        self._parameters: Array = np.array([leaf.data for leaf in self.leaves], dtype)
        self._shapes: dict[str, Shape] | None = None  # of the arrays in an example, by path
        self._machines: dict[str, Machine | NativeMachine] = {}
        self._lock = threading.Lock()

    @property
    def parameters(self) -> Array:
        """The numbers of the parameters, one flat array."""
        return self._parameters

    @parameters.setter
    def parameters(self, numbers: Any) -> None:
        if numbers is not self._parameters:  # as it is after ``program.parameters -= step``
            self._parameters[...] = numbers  # the machines look at this very array

    def pull(self) -> None:
        """Read the parameters' numbers from the `Value`s."""
        self._parameters[...] = [leaf.data for leaf in self.leaves]

    def push(self) -> None:
        """Write the parameters' numbers into the `Value`s."""
        for leaf, x in zip(self.leaves, self._parameters.tolist(), strict=True):
            leaf.data = x

    def __call__(self, *arguments: Any) -> Any:
        """Return the outputs for a batch.

        Args:
            arguments: as f's, each with a first dimension more, for the examples.  Of a dict, a namedtuple, a dataclass, or a
                list of such, each array inside has it: {"a": [batch], "b": [batch×2]}.

        Returns:
            An array [batch], or for an array or nested lists of outputs [batch×…], in their shape; for ragged ones and other
            containers, the containers with such arrays inside.

        Raises:
            ValueError: for shapes that do not fit.
            TypeError: for a leaf that is not a number, by its path.
        """
        batch = self._batch(arguments)
        with self._lock:
            return shaped(self._result, iter(self._machine(len(batch[0])).outputs(batch)))

    def gradient(self, *arguments: Any, reduce: str = "mean") -> tuple[float, Array]:
        """Return the loss of a batch and its gradient by the parameters, in their order; of several outputs, the first's.

        Args:
            arguments: see `__call__`.
            reduce: the ``"mean"`` over the examples, or the ``"sum"``.
        """
        outputs, gradient = self.outputs_and_gradient(*arguments, reduce=reduce)
        scale = exact_share(outputs.shape[1]) if reduce == "mean" else 1.0
        loss = float(np.add.reduce(outputs[0] * scale))
        return loss / (outputs.shape[1] * scale) if reduce == "mean" else loss, gradient

    def outputs_and_gradient(self, *arguments: Any, reduce: str = "mean") -> tuple[Array, Array]:
        """Return all outputs [outputs×batch] and the gradient of the first, from one run."""
        if reduce not in REDUCE:
            raise ValueError(f"reduce is 'mean' or 'sum'; got {reduce!r}")
        batch = self._batch(arguments)
        n = len(batch[0])
        with self._lock:
            outputs, gradient = self._machine(n).gradient(batch, 1 / n if reduce == "mean" else 1.0)
            if reduce == "mean" and n > 1 and np.count_nonzero(np.isfinite(gradient)) < gradient.size:
                gradient = self._mean_gradient(batch, gradient)
            return outputs, gradient

    def _mean_gradient(self, batch: Sequence[Array], overflowed: Array) -> Array:
        """Add up the gradients of a batch in shares, since their sum overflowed; return that sum if the mean does too."""
        n, machine = len(batch[0]), self._machine(1)
        scale, total = exact_share(n), np.zeros_like(overflowed)
        for i in range(n):
            total += machine.gradient([x[i : i + 1] for x in batch], scale)[1]
            if not np.isfinite(total).all():
                return overflowed
        total /= n * scale
        return total

    def _trace(self, examples: Sequence[Any], shapes: dict[str, Shape]) -> None:
        """Write the function down for arguments like these, and for arrays of these shapes in them."""
        builds = [flatten(x, argument(i))[1] for i, x in enumerate(examples)]

        def on_arrays(*arrays: Any) -> Any:
            nodes = iter(flatten(arrays)[0].values())
            return self.f(*[build(nodes) for build in builds])

        with _TRACING, _collector_paused():
            trace = Trace(on_arrays, self.leaves, [*shapes.values()])
            if not trace.outputs:
                raise ValueError("the compiled function returned no output; let it return a Value, or lists of them")
            self.passes = differentiate(trace.graph, trace.outputs)
        self._result, self._shapes = trace.result, shapes
        self._runs_natively = HAS_NUMBA and can_run(self.passes.graph)

    def to_jax(self) -> Callable[..., tuple[Any, Any]]:
        """Return the program as a pure function for JAX, to be jitted, put on an accelerator, or spread over devices.

        Returns:
            A function of the parameters' flat array and a batch, that returns the mean loss and its gradient by this
            program's own backward pass: ``loss, gradient = jax.jit(program.to_jax())(program.parameters, X, Y)``.

        Raises:
            ModuleNotFoundError: without JAX.
        """
        self._require_trace()
        if importlib.util.find_spec("jax") is None:
            raise ModuleNotFoundError("to_jax needs JAX: pip install jax", name="jax")
        layout, numpy = self.layout, importlib.import_module("jax.numpy")

        def loss_and_gradient(parameters: Any, *arguments: Any) -> tuple[Any, Any]:
            arrays = [numpy.asarray(x, parameters.dtype) for x in self._in_order(arrays_of(arguments, numpy.asarray))]
            batch = len(arrays[0])
            scale = exact_share(batch)
            outputs, gradient = run(layout, numpy, parameters, [x.reshape(batch, -1) for x in arrays], scale)
            return (outputs[0] * scale).sum() / (batch * scale), gradient / (batch * scale)

        return loss_and_gradient

    @property
    def graph(self) -> Graph:
        """The computation in canonical form."""
        self._require_trace()
        return self.passes.graph

    @functools.cached_property
    def layout(self) -> Layout:
        """The program as instructions on arrays."""
        self._require_trace()
        return lay_out(self.passes.graph, self.groups, self.passes.outputs, self.passes.gradients)

    @functools.cached_property
    def groups(self) -> list[Group]:
        """What can be done at once."""
        self._require_trace()
        return schedule(self.passes.graph, self.passes.forward, self.passes.gradients.outers)

    @property
    def instructions(self) -> dict[str, int]:
        """How many array instructions the two passes take.

        >>> from autograd import Value
        >>> w = Value(2.0)
        >>> compile(lambda x: (w * x).exp(), [w], example=[1.0]).instructions
        {'forward': 2, 'backward': 1}
        """
        backward = [instruction.backward for instruction in self.layout.instructions]
        return {"forward": backward.count(False), "backward": backward.count(True)}

    @property
    def n_backward(self) -> int:
        """The number of nodes that only the gradient needs."""
        self._require_trace()
        return len(self.graph) - self.passes.forward

    def backend_for(self, batch: int) -> str:
        """Return ``"numpy"`` or ``"native"``, whichever a batch of this size runs on.

        An array instruction costs a few calls of NumPy, as much as some 2,500 operations on single numbers in native code:
        there the two are equally fast, within a factor of 1.5, for networks, convolution and attention at batches up to 256.
        """
        self._require_trace()
        if self.backend != "auto":
            return self.backend
        if not self._runs_natively:
            return "numpy"
        few = self.passes.work * batch / FEW
        return "native" if is_deep(self.graph, few) or len(self.groups) > few else "numpy"

    def _machine(self, batch: int) -> Machine | NativeMachine:
        backend = self.backend_for(batch)
        if backend not in self._machines:
            assert self._shapes is not None
            sizes = [math.prod(shape) for shape in self._shapes.values()]
            if backend == "numpy":
                self._machines[backend] = Machine(self.layout, self._parameters, sizes)
            else:
                try:
                    self._machines[backend] = NativeMachine(self.passes, self._parameters)
                except ImportError as error:
                    if self.backend == "native":
                        raise ImportError(f"the native back end needs numba: pip install numba; {error}") from error
                    self._runs_natively = False
                    return self._machine(batch)
        return self._machines[backend]

    def _batch(self, arguments: Sequence[Any]) -> list[Array]:
        """Check a batch and return its arrays as matrices [batch×size]."""
        arrays = arrays_of(arguments)
        for path, array in arrays.items():
            if not array.ndim:
                x = array.item()
                raise ValueError(f"{path} is the number {x!r}; a program takes a batch, an entry for each example: [{x!r}]")
        if self._shapes is None:
            require_one_length(arrays)
            examples = [first_example(x, argument(i), arrays) for i, x in enumerate(arguments)]
            self._trace(examples, {path: array.shape[1:] for path, array in arrays.items()})
        matrices = [array.reshape(len(array), -1) for array in self._in_order(arrays)]
        return [np.ascontiguousarray(matrix, self._parameters.dtype) for matrix in matrices]

    def _in_order(self, arrays: dict[str, Array]) -> list[Array]:
        """Return the arrays of a batch in the order of the example's; raise unless they fit it."""
        assert self._shapes is not None
        if {path: array.shape[1:] for path, array in arrays.items()} != self._shapes:
            found = ", ".join(f"{named(path)}{array.shape}" for path, array in arrays.items())
            wanted = ", ".join(f"{named(path)}[batch{''.join(f'×{n}' for n in shape)}]" for path, shape in self._shapes.items())
            raise ValueError(f"the arguments have the shapes {found}; the program was compiled for {wanted}")
        require_one_length(arrays)
        return [arrays[path] for path in self._shapes]

    def __reduce__(self) -> str:
        raise TypeError(f"{self!r} belongs to the parameters that it was compiled with, so it is neither copied nor pickled; "
                        "compile the function again")  # fmt: skip

    def _require_trace(self) -> None:
        if self._shapes is None:
            raise ValueError("the function was not traced yet; call the program on a batch, or pass example=… to compile")

    def __str__(self) -> str:
        return lesson(self.layout, self._arguments, [leaf.label or "" for leaf in self.leaves]) if self._shapes else repr(self)

    @property
    def latex(self) -> str:
        """The program as equations in LaTeX's mathematics mode; ``print(program)`` writes them as text."""
        return latex(self.layout, self._arguments, [leaf.label or "" for leaf in self.leaves])

    @property
    def _arguments(self) -> list[str]:
        """The names of the arrays in f's arguments: paths that start with the argument's name, if it has one."""
        assert self._shapes is not None
        try:
            names = [*inspect.signature(self.f).parameters]
        except (TypeError, ValueError):
            names = []
        found = [place(path) for path in self._shapes]
        return [f"{names[i] if i < len(names) else f'x{i}'}{rest}" for i, rest in found]

    def __repr__(self) -> str:
        name = getattr(self.f, "__name__", type(self.f).__name__)
        traced = "not traced yet" if self._shapes is None else f"{len(self.graph)} nodes"
        return f"<program of {name}: {len(self.leaves)} parameters, {traced}>"


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep the cyclic garbage collector off: a trace has no cycles, and many nodes that it would visit again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():  # count what was made as old; else the collector would visit all of it at once
            gc.freeze()
            gc.unfreeze()
        if was_on:
            gc.enable()
