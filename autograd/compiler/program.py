"""A scalar function, compiled for whole batches.

A `Program` keeps a `Version` of the function for each structure and shape of its arguments, and a machine for each version.

>>> from autograd import Value, compile, dot, sigmoid
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
import importlib
import importlib.util
import inspect
import operator
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol

import numpy as np

from autograd.compiler.arrays import NumPyMachine
from autograd.compiler.batches import Batch, batch_of, indices_of, joined, numbers_of, place, require_states, shaped
from autograd.compiler.interpreter import FLUSH
from autograd.compiler.jacobians import OF, assembled
from autograd.compiler.layout import Array, Layout
from autograd.compiler.lesson import latex, lesson
from autograd.compiler.native import NativeMachine
from autograd.compiler.pure import PureMachine, as_function, exact_share
from autograd.compiler.tracing import Graph, Shape
from autograd.compiler.version import INSIDE, Plan, Version, require_same
from autograd.trees import map_tree
from autograd.value import TRACED_VARIABLE, Value

__all__ = ["MOST_TRACES", "Program"]


class Machine(Protocol):
    """A back end: it runs a program."""

    def __init__(self, plan: Plan, parameters: Array) -> None:
        """Prepare a computation; the parameters are one flat array, to be read in place, as it changes."""

    @classmethod
    def suits(cls, plan: Plan, batch: int) -> bool:
        """Return whether this machine can run a computation, and is the right one for a batch of this size."""

    def outputs(self, arguments: Sequence[Array]) -> Array:
        """Return the outputs [outputs×batch] for arguments [batch×size]."""

    def gradient(self, arguments: Sequence[Array], share: float) -> tuple[Array, Array]:
        """Return the outputs, and the gradient of the first, summed over the batch and multiplied by a share."""


# In order of preference: the first one that suits runs the program.
MACHINES: Final[dict[str, type[Machine]]] = {"pure": PureMachine, "native": NativeMachine, "numpy": NumPyMachine}
REDUCE: Final = ("mean", "sum")
READ: Final = ("the program read its parameters, and it would compute with that; program.pull() reads the numbers of the "
               "Values, program.push() sets them to its own")  # fmt: skip
WATCHED: Final = 32  # parameters whose `Value`s are looked at before each run, which takes 25 ns each
MOST_TRACES: Final = 32


class Program:
    """A compiled function of a batch, which `compile` returns; see there for the arguments.

    A program uses the same memory at each call, so threads that call it take turns.

    Attributes:
        f: the function.
        leaves: the parameters, as `Value`s.
        parameters: their numbers, one flat array; optimisers change it in place.
        backend: the requested one; see `backend_for`.
        traces: the compiled versions; a key holds the paths and shapes of an example's arrays, and the classes of containers
            other than lists.  The version that was used last is last.
    """

    def __init__(
        self, f: Callable[..., Any], parameters: Iterable[Value], *, example: Sequence[Any] | None = None,
        dtype: str = "float64", backend: str = "auto", traces: int = MOST_TRACES, flush: bool = False,
    ) -> None:  # fmt: skip
        require_one_of("dtype", dtype, ("float64", "float32"))
        require_one_of("backend", backend, ("auto", *reversed(MACHINES)))
        if not callable(f):
            raise TypeError(f"compile needs a function of an example, not {f!r}")
        is_ordered = isinstance(parameters, Iterable) and not isinstance(parameters, set | frozenset)
        leaves = [*parameters] if is_ordered else []
        if not is_ordered or not all(isinstance(leaf, Value) for leaf in leaves):
            raise TypeError(f"parameters is a list of Values, such as model.parameters(); got {parameters!r}")
        self.f, self.leaves, self.backend = f, leaves, backend
        self._parameters: Array = np.array([leaf.data for leaf in self.leaves], dtype)
        self._known = self._numbers_now()
        if not hasattr(traces, "__index__") or traces < 1:
            raise ValueError(f"traces is a whole number, at least 1; got {traces!r}")
        self.traces: dict[tuple[Any, ...], Version] = {}
        if flush and FLUSH is None:
            raise ValueError("flush is for x86 processors, which this machine does not have; leave it out")
        self._most_traces, self._takes_any = traces, example is None
        self._version = functools.partial(Version, f, leaves, flush)
        self._updates: dict[Any, Program] = {}
        self._usable = dict(MACHINES)  # without those that turn out not to be installed
        self._lock, self._adding = threading.Lock(), threading.RLock()
        if example is not None:
            if isinstance(example, str | dict) or not isinstance(example, Iterable) or getattr(example, "shape", None) == ():
                raise TypeError(f"example lists the arguments of f; for a single one write [{example!r}]")
            examples = [*example]
            form = Batch(examples)
            form.require_even()
            shapes = {path: array.shape for path, array in form.arrays.items()}
            self.traces[*shapes.items(), *form.classes.items()] = self._version(examples, shapes, form.classes)

    @property
    def parameters(self) -> Array:
        """The numbers of the parameters, one flat array."""
        return self._parameters

    @parameters.setter
    def parameters(self, numbers: Any) -> None:
        if numbers is not self._parameters:  # the same array is set after ``program.parameters -= step``
            # The machines hold this array, so it is filled, not replaced.
            self._parameters[...] = numbers_of(numbers, "parameters", len(self.leaves), "leaf")
        self._known = self._numbers_now()  # earlier changes of the `Value`s no longer matter

    def _numbers_now(self) -> dict[Value, float]:
        """Return the numbers of parameters' `Value`s, of which a few stand for many."""
        return {leaf: leaf._number for leaf in self.leaves[:: len(self.leaves) // WATCHED + 1]}

    def pull(self) -> None:
        """Read the parameters' numbers from the `Value`s."""
        self._parameters[...] = [leaf.data for leaf in self.leaves]
        self._known = self._numbers_now()

    def push(self) -> None:
        """Write the parameters' numbers into the `Value`s."""
        for leaf, x in zip(self.leaves, self._parameters.tolist(), strict=True):
            leaf.data = x
        self._known = self._numbers_now()

    def __call__(self, *arguments: Any) -> Any:
        """Return the outputs for a batch.

        Args:
            arguments: as for f, each with one more dimension in front, for the examples.  In a dict, a namedtuple, a dataclass,
                or a list of these, each array inside has it: {"a": [batch], "b": [batch×2]}.

        Returns:
            An array [batch]; for an array or nested lists of outputs, [batch×…] with their shape; for ragged lists and other
            containers, the same containers with such arrays inside.

        Raises:
            ValueError: for shapes that do not fit, and if the `Value`s of parameters have other numbers than when they were
                read (at most 32 are looked at), since the program would not use these; see `pull` and `push`.
            TypeError: for a leaf that is not a number, by its path.
        """
        runs = []
        for indices, version, batch in self._batches(arguments):
            with self._lock:
                outputs = self._machine(version, batch_of(batch)).outputs(batch)
            results = shaped(version.result, iter(outputs))
            runs.append((indices, results if version.shapes else map_tree(lambda x: x[0], results, entries=False)))
        return runs[0][1] if len(runs) == 1 else joined(runs)

    def gradient(self, *arguments: Any, reduce: str = "mean") -> tuple[float, Array]:
        """Return the loss of a batch, the first output, and its gradient with respect to the parameters, in their order.

        Args:
            arguments: see `__call__`.
            reduce: the ``"mean"`` over the examples, or the ``"sum"``.
        """
        runs, gradient = self._gradients(arguments, reduce)
        losses = runs[0][1][0] if len(runs) == 1 else np.concatenate([outputs[0] for _, outputs in runs])
        if reduce == "sum":
            return float(np.add.reduce(losses)), gradient
        scale = exact_share(len(losses))
        return float(np.add.reduce(losses * scale)) / (len(losses) * scale), gradient

    def outputs_and_gradient(self, *arguments: Any, reduce: str = "mean") -> tuple[Array, Array]:
        """Return all outputs [outputs×batch] and the gradient of the first, from one run.

        Raises:
            ValueError: if the examples have different numbers of outputs.
        """
        runs, gradient = self._gradients(arguments, reduce)
        if len(runs) == 1:
            return runs[0][1], gradient
        if len({len(outputs) for _, outputs in runs}) > 1:
            raise ValueError("the examples have different numbers of outputs, which do not fit into one array; "
                             "call the program for the outputs, and gradient() for the gradient")  # fmt: skip
        order = np.argsort(np.concatenate([indices for indices, _ in runs]))
        return np.concatenate([outputs for _, outputs in runs], axis=1)[:, order], gradient

    def train(
        self,
        *arguments: Any,
        batches: Sequence[Sequence[int]],
        rule: Callable[..., Any],
        states: Array,
        rates: Sequence[float],
        step: int = 1,
        reduce: str = "mean",
        penalty: float = 0.0,
        limits: tuple[float, float] = (-np.inf, np.inf),
    ) -> tuple[int, Array, Array, bool] | None:
        """Make training steps in native code, which change the parameters.

        Training ends before a step at which the loss or the gradient is not finite, or an output is beyond the limits.

        Args:
            arguments: see `__call__`; all examples.
            batches: for each step the indices of its examples.
            rule: the update, from (parameter, gradient, rate, state, step) to (parameter, state), as `nn.Optimizer.rule`.
            states: [states×parameters], of the program's dtype: the states to continue from, changed in place.
            rates: the learning rate of each step.
            step: the number of the first step.
            reduce: whether a step follows the ``"mean"`` over its batch, or the ``"sum"``.
            penalty: this times the sum of the squares of all parameters is added to the loss.
            limits: the lowest and the highest value allowed for an output, except the first.

        Returns:
            The number of steps made, the outputs [outputs×examples], the penalty of each step, and whether any gradient was
            other than 0; or None if the program does not run natively, or the rule cannot be compiled, or returns a different
            number of states than it got, which some rules do at their first step.

        Raises:
            ValueError, TypeError: for indices outside the examples, and for rates or states of wrong lengths and types.

        >>> from autograd import Value, compile
        >>> w = Value(0.0)
        >>> program = compile(lambda x, y: [(w * x - y) ** 2, w * x], [w], backend="native")
        >>> descent = lambda w, g, rate, state, step: (w - rate * g, state)
        >>> X, Y, batches = [1.0, 2.0], [3.0, 6.0], 20 * [[0, 1], [1]]
        >>> made, *_ = program.train(X, Y, batches=batches, rule=descent, states=np.zeros((0, 1)), rates=[0.1] * 40)
        >>> made, program.parameters.round(6)
        (40, array([3.]))
        """
        require_one_of("reduce", reduce, REDUCE)
        groups = self._batches(arguments)
        order, sizes = indices_of(batches, sum([len(indices) for indices, _, _ in groups]))
        rates = numbers_of(rates, "rates", len(sizes), "step")
        require_states(states, self._parameters)
        _, version, arrays = groups[0]
        update = self._update(rule, len(states))
        # A batch of several structures needs a run for each; the caller then makes the steps one by one.
        if len(groups) > 1 or update is None or {self._backend_for(version, size) for size in {*sizes}} != {"native"}:
            return None
        given = [x[order] for x in arrays] or [np.zeros((len(order), 0), self._parameters.dtype)]
        lowest, highest = map(float, limits)
        scalars = lowest, highest, float(penalty), operator.index(step)
        with self._lock:
            machine, inner = self._machine(version, max(sizes)), update._machine(update.trace, 1)
            assert isinstance(machine, NativeMachine) and isinstance(inner, NativeMachine)
            return machine.train(given, sizes, reduce == "mean", inner, states, rates, scalars)

    def _update(self, rule: Callable[..., Any], n_states: int) -> Program | None:
        """Return an optimiser's rule as a program; None if it cannot be compiled or changes the number of states."""

        def flat(parameter: Any, gradient: Any, rate: Any, step: Any, *state: Any) -> list[Any]:
            parameter, state = rule(parameter, gradient, rate, state, step)
            return [parameter, *state]

        key, example = (rule, n_states), [0.0] * (4 + n_states)
        try:
            if key not in self._updates or not self._updates[key].is_current():
                self._updates[key] = Program(flat, (), example=example, dtype=self._parameters.dtype.name, backend="native")
        except Exception:  # such as a rule that calls functions for arrays only; then the caller makes the steps one by one
            return None
        update = self._updates[key]
        return update if len(update.trace.passes.outputs) == 1 + n_states else None

    def _gradients(self, arguments: Sequence[Any], reduce: str) -> tuple[list[tuple[Sequence[int], Array]], Array]:
        """Return the indices and outputs of the examples of each structure, and the gradient for all of them."""
        require_one_of("reduce", reduce, REDUCE)
        runs, total, batches = [], 0.0, self._batches(arguments)
        n_all = sum([len(indices) for indices, _, _ in batches])
        for indices, version, batch in batches:
            n = len(indices)
            with self._lock:
                outputs, gradient = self._machine(version, n).gradient(batch, 1 / n if reduce == "mean" else 1.0)
                if reduce == "mean" and np.count_nonzero(np.isfinite(gradient)) < gradient.size:
                    # The sum overflowed; a sum of scaled examples is finite if the mean is.
                    scale = exact_share(n)
                    mean = PureMachine(version, self._parameters).gradient(batch, scale)[1] / (n * scale)
                    gradient = mean if np.isfinite(mean).all() else gradient
            runs.append((indices, outputs))
            total = gradient if n == n_all else total + gradient * (n / n_all if reduce == "mean" else 1.0)
        return runs, total

    def jacobian(self, *arguments: Any, of: str = "parameters", sparse: bool = False) -> Any:
        """Return the derivatives of all outputs, for each example.

        Args:
            arguments: see `__call__`.
            of: with respect to the ``"parameters"``, in their order, or to the ``"inputs"``: the numbers of an example's
                arguments, in written order.  Derivatives that the trace shows to be 0 are not computed.
            sparse: whether to return a sparse matrix, of the entries that may be other than 0.

        Returns:
            An array [batch×outputs×n]; if sparse, SciPy's `csr_array` [batch·outputs×n], with the rows of the examples one
            after the other.  The outputs are in written order.  Without data the batch is 1.

        Raises:
            ValueError: if examples have different numbers of outputs or, with respect to inputs, different structures.
            ModuleNotFoundError: for a sparse matrix, without SciPy.

        >>> from autograd import Value, compile
        >>> a, b = Value(2.0), Value(0.5)
        >>> program = compile(lambda t: [a * t, (b * t).exp()], [a, b])
        >>> program.jacobian([0.0, 2.0]).round(4)
        array([[[0.    , 0.    ],
                [0.    , 0.    ]],
        <BLANKLINE>
               [[2.    , 0.    ],
                [0.    , 5.4366]]])
        >>> program.jacobian([0.0], of="inputs").tolist()
        [[[2.0], [0.5]]]

        `scipy.optimize.least_squares` takes ``jac=lambda x: program.jacobian(…).reshape(-1, len(x))``.
        """
        require_one_of("of", of, OF)
        if sparse and importlib.util.find_spec("scipy") is None:
            raise ModuleNotFoundError("a sparse Jacobian needs SciPy: pip install scipy", name="scipy")
        runs = []
        for indices, version, batch in self._batches(arguments):
            with self._adding:
                found, plan = version.jacobian(of)
            with self._lock:
                runs.append((indices, found, self._machine(plan, batch_of(batch)).outputs(batch)))
        return assembled(runs, of, sparse)

    def _batches(self, arguments: Sequence[Any]) -> list[tuple[Sequence[int], Version, list[Array]]]:
        """Check a batch; return, for the examples of each structure, their indices, the version, and matrices [batch×size]."""
        batch, dtype = Batch(arguments), self._parameters.dtype
        if TRACED_VARIABLE.get() is not None and any(leaf.__class__ is not Value for leaf in self.leaves):
            raise TypeError(INSIDE)
        require_same(self._known, READ)
        if not self._takes_any:
            in_order = self.trace.in_order(batch)
            self.trace.require_constants()
            return [(range(batch_of(in_order)), self.trace, matrices(in_order, dtype))]
        found = []
        for indices, part in batch.groups():
            key = part.key
            with self._adding:
                version = self.traces.pop(key, None) or self._version(part.first_example(), part.shapes, part.classes)
                self.traces[key] = version  # the one that was used last is last
                while len(self.traces) > self._most_traces:
                    del self.traces[next(iter(self.traces))]
            version.require_constants()
            found.append((indices, version, matrices(part.arrays.values(), dtype)))
        return found

    def to_jax(self, jacobian: str | None = None) -> Callable[..., Any]:
        """Return the program as a pure function for JAX, to be jitted, put on an accelerator, or spread over devices.

        Args:
            jacobian: ``"parameters"`` or ``"inputs"`` for a function that computes the Jacobian, see `jacobian`.

        Returns:
            A function of the parameters' flat array and a batch, which returns the mean loss and its gradient by this
            program's own backward pass: ``loss, gradient = jax.jit(program.to_jax())(program.parameters, X, Y)``; or the
            Jacobian, an array [batch×outputs×n].

        Raises:
            ModuleNotFoundError: without JAX.
        """
        if importlib.util.find_spec("jax") is None:
            raise ModuleNotFoundError("to_jax needs JAX: pip install jax", name="jax")
        if jacobian is not None:
            require_one_of("jacobian", jacobian, OF)
        first = "" if self._takes_any else "compile without example=, "
        return as_function(self.trace, importlib.import_module("jax.numpy"), jacobian, first)

    @property
    def trace(self) -> Version:
        """The version that was compiled for the arguments of the last call.

        Raises:
            ValueError: if there was no call and no example.
        """
        if not self.traces:
            raise ValueError("the function was not traced yet; call the program on a batch, or pass example=… to compile")
        return next(reversed(self.traces.values()))

    @property
    def graph(self) -> Graph:
        """The computation in canonical form, for the arguments of the last call."""
        return self.trace.passes.graph

    @property
    def layout(self) -> Layout:
        """The instructions on arrays, for the arguments of the last call."""
        return self.trace.layout

    def is_current(self) -> bool:
        """Return whether the function, if it were called again, would do what was compiled.

        It would not if it draws random numbers, or if anything else that it uses, besides its arguments and the parameters, has
        changed since.

        >>> from autograd import Value, compile
        >>> w, scale = Value(2.0), [1.0]
        >>> program = compile(lambda x: w * x * scale[0], [w], example=[0.0])
        >>> program.is_current()
        True
        >>> scale[0] = 3.0
        >>> program.is_current()
        False
        """
        return self.trace.is_current() and all(version.is_current() for version in [*self.traces.values()][:-1])

    @property
    def instructions(self) -> dict[str, int]:
        """The number of array instructions in each of the two passes.

        >>> from autograd import Value, compile
        >>> w = Value(2.0)
        >>> compile(lambda x: (w * x).exp(), [w], example=[1.0]).instructions
        {'forward': 2, 'backward': 1}
        """
        backward = [instruction.backward for instruction in self.layout.instructions]
        return {"forward": backward.count(False), "backward": backward.count(True)}

    def backend_for(self, batch: int) -> str:
        """Return the name of the machine that a batch of this size runs on: the first that suits it, or the requested one."""
        return self._backend_for(self.trace, batch)

    def _backend_for(self, plan: Plan, batch: int) -> str:
        if self.backend != "auto":
            return self.backend
        if plan.chosen.get(batch) not in self._usable:
            plan.chosen[batch] = next(name for name, kind in self._usable.items() if kind.suits(plan, batch))
        return plan.chosen[batch]

    def _machine(self, plan: Plan, batch: int) -> Machine:
        backend = self._backend_for(plan, batch)
        if backend not in plan.machines:
            try:
                plan.machines[backend] = MACHINES[backend](plan, self._parameters)
            except ImportError as error:
                if self.backend == backend:
                    raise ImportError(f"the native back end needs numba: pip install numba; {error}") from error
                del self._usable[backend]
                return self._machine(plan, batch)
        machine: Machine = plan.machines[backend]
        return machine

    def __reduce__(self) -> str:
        raise TypeError(f"{self!r} belongs to the parameters that it was compiled with, so it is neither copied nor pickled; "
                        "compile the function again")  # fmt: skip

    def __str__(self) -> str:
        return lesson(self.layout, self._arguments, [leaf.label or "" for leaf in self.leaves]) if self.traces else repr(self)

    @property
    def latex(self) -> str:
        """The program as equations in LaTeX's mathematics mode; ``print(program)`` writes them as text."""
        return latex(self.layout, self._arguments, [leaf.label or "" for leaf in self.leaves])

    @property
    def _arguments(self) -> list[tuple[str, Shape]]:
        """The names of the arrays in f's arguments, which are paths that start with the argument's name, if any; and shapes."""
        try:
            names = [*inspect.signature(self.f).parameters]
        except (TypeError, ValueError):
            names = []
        found = [(place(path), shape) for path, shape in self.trace.shapes.items()]
        return [(f"{names[i] if i < len(names) else f'x{i}'}{rest}", shape) for (i, rest), shape in found]

    def __repr__(self) -> str:
        name = getattr(self.f, "__name__", type(self.f).__name__)
        traced = f"{len(self.graph)} nodes" if self.traces else "not traced yet"
        n = len(self.leaves)
        return f"<program of {name}: {n} parameter{'s' * (n != 1)}, {traced}>"


def matrices(arrays: Iterable[Array], dtype: Any) -> list[Array]:
    """Return arrays as matrices [batch×size]."""
    return [np.ascontiguousarray(array.reshape(len(array), -1), dtype) for array in arrays]


def require_one_of(name: str, given: Any, choices: Sequence[str]) -> None:
    """Raise a ValueError unless an argument is one of its choices."""
    if given not in choices:
        either = " or ".join(map(repr, choices)) if len(choices) < 3 else f"one of {', '.join(map(repr, choices))}"
        raise ValueError(f"{name} is {either}; got {given!r}")
