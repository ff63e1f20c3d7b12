"""A function, traced for arguments of one structure, with all that the passes make of it.

The passes run one after the other: `Trace` records the function; `differentiate` brings it into canonical form and adds the
gradient; `schedule` groups nodes that can be computed at once; `lay_out` turns the groups into instructions on arrays.  A
machine reads the graph or the instructions, whichever it is made for.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from autograd.chance import Watched
from autograd.collector import collector_paused
from autograd.compiler.backward import Passes, differentiate
from autograd.compiler.batches import Batch, argument, named
from autograd.compiler.canonical import canonical
from autograd.compiler.jacobians import Jacobian, jacobian
from autograd.compiler.layout import Array, Layout, lay_out
from autograd.compiler.recordings import freeze
from autograd.compiler.schedule import Group, schedule
from autograd.compiler.tracing import Shape, Trace, Traced
from autograd.manners import describe
from autograd.trees import flatten
from autograd.value import TRACED_VARIABLE, Value

__all__ = ["INSIDE", "Plan", "Version", "require_same"]

CONSTANT: Final = ("the function was compiled, and is a constant of the program, because it is not one of its parameters; "
                   "list it there, pass its number as an argument, or compile again")  # fmt: skip
INSIDE: Final = ("a program cannot run inside a function of its parameters that is being compiled: its results would be "
                 "built in as numbers, and their gradient would be lost; call program.f")  # fmt: skip
_TRACING: Final = threading.RLock()  # a trace borrows the parameters, which two programs may share


class Plan:
    """A computation in the forms that machines read.

    Args:
        passes: the computation and its gradient.
        flush: whether native code treats subnormal numbers as 0.

    Attributes:
        machines: the machines that were prepared for it, by name.
        chosen: the name of the machine chosen for each size of batch.
    """

    def __init__(self, passes: Passes, flush: bool = False) -> None:
        self.passes, self.flush = passes, flush
        self.machines: dict[str, Any] = {}
        self.chosen: dict[int, str] = {}

    @functools.cached_property
    def groups(self) -> list[Group]:
        """The nodes that can be computed at once."""
        return schedule(self.passes)

    def has_more_groups(self, n: float) -> bool:
        """Return whether there are more than n groups, without finding all of them if there are."""
        if "groups" not in self.__dict__:
            groups = schedule(self.passes, n)
            if len(groups) > n:
                return True
            self.groups = groups
        return len(self.groups) > n

    @functools.cached_property
    def layout(self) -> Layout:
        """The computation as instructions on arrays, which NumPy, JAX and the lesson read."""
        return lay_out(self.passes, self.groups)


class Version(Plan):
    """A function as a program, for arguments of one structure.

    Args:
        f: the function.
        leaves: the parameters.
        flush: see `Plan`.
        examples: arguments of f; only their structures matter.
        shapes: the shapes of the arrays in them, by path.
        classes: the classes of the containers around these, by path, without plain lists.

    Attributes:
        result: what f returned, with a number for every output.

    Raises:
        TypeError: if f draws random numbers.
        ValueError: if it returns no output.
    """

    def __init__(
        self, f: Callable[..., Any], leaves: Sequence[Value], flush: bool, examples: Sequence[Any], shapes: dict[str, Shape],
        classes: dict[str, type],
    ) -> None:  # fmt: skip
        builds = [flatten(x, argument(i))[1] for i, x in enumerate(examples)]
        self._jacobians: dict[str, tuple[Jacobian, Plan]] = {}
        self.shapes, self._classes, self._function, self._labels = shapes, classes, f, Batch(examples).labels
        self._trace = functools.partial(Trace, f, leaves, [*shapes.values()], builds)
        with collector_paused():
            trace = self._traced()
            if trace is None:
                raise TypeError("the compiled function draws random numbers, and the program would repeat them at every call; "
                                "draw them outside and pass them as an argument, or do not compile the function; if it draws "
                                "none, another thread did, so compile again")  # fmt: skip
            if not trace.outputs:
                raise ValueError("the compiled function returned no output; let it return a Value, or lists of them")
            self.result, self._held = trace.result, trace.held
            super().__init__(differentiate(trace.graph, trace.outputs), flush)
            # Once the collector is on again, it visits all young objects.  Measured: that takes longer than freeing the trace.
            del trace

    def _traced(self) -> Trace | None:
        """Trace the function; return None if it draws random numbers."""
        with _TRACING, collector_paused():
            watched = Watched(self._function)
            try:
                trace = self._trace()
            except Exception as error:
                shapes = ", ".join(f"{named(path)}{shape}" for path, shape in self.shapes.items()) or "none"
                error.add_note(f"while f was traced for one example of a batch; the shapes of its arguments: {shapes}")
                raise
            freeze(trace.graph)
        return None if watched.drew() else trace

    def is_current(self) -> bool:
        """Return whether the function, if it were called again, would do the same computation."""
        # Several tries, because another thread may draw random numbers during one.
        trace = next(filter(None, (self._traced() for _ in range(20))), None)
        if trace is None:
            return False
        graph, outputs = canonical(trace.graph, trace.outputs)
        same = [*flatten(trace.result)[0]] == [*flatten(self.result)[0]] and outputs == self.passes.outputs
        return same and graph.is_equivalent_to(self.passes.graph, self.passes.forward)

    def require_constants(self) -> None:
        """Raise if a leaf that the function used as a constant has another number now, or stands for any.

        Raises:
            ValueError: for another number.
            TypeError: while a function of the leaf is being compiled.
        """
        if TRACED_VARIABLE.get() is not None and any(isinstance(leaf, Traced) for leaf in self._held):
            raise TypeError(INSIDE)
        require_same(self._held, CONSTANT)

    def jacobian(self, of: str) -> tuple[Jacobian, Plan]:
        """Return the Jacobian of the outputs, and its entries as a computation of their own.

        Args:
            of: ``"parameters"`` or ``"inputs"``.
        """
        if of not in self._jacobians:
            with collector_paused():
                found = jacobian(self.passes.graph, self.passes.outputs, of)
            self._jacobians[of] = found, Plan(found.passes, self.flush)
        return self._jacobians[of]

    def in_order(self, batch: Batch, advice: str = "compiled without example=, it takes any") -> list[Array]:
        """Return the arrays of a batch in the order of the example's.

        Args:
            batch: the arguments.
            advice: how to compute with other arguments.

        Raises:
            ValueError, TypeError: unless they fit it.
        """
        batch.require_even()
        batch.count()
        if batch.shapes != self.shapes:
            found = ", ".join(f"{named(path)}{array.shape}" for path, array in batch.arrays.items())
            wanted = ", ".join(f"{named(path)}[batch{''.join(f'×{n}' for n in shape)}]" for path, shape in self.shapes.items())
            raise ValueError(f"the arguments have the shapes {found}; the program was compiled for {wanted}; {advice}")
        classes = batch.classes
        for path in {**self._classes, **classes}:
            one, other = classes.get(path, list), self._classes.get(path, list)
            if one is not other:
                raise TypeError(f"{path} is of the class {one.__qualname__}; the program was compiled for "
                                f"{other.__qualname__}; {advice}")  # fmt: skip
        for path, wanted in self._labels.items():
            labelled = [kind[1:] for kind in batch.kinds.get(path, ()) if hasattr(kind[0], "keys")]  # each example is a Series
            for found in [batch.labels[path]] if path in batch.labels else labelled:
                if [*found] != [*wanted]:
                    raise ValueError(f"{path} has the labels {[*found]}; the program was compiled for {[*wanted]}, in this "
                                     f"order; {advice}")  # fmt: skip
        return [batch.arrays[path] for path in self.shapes]


def require_same(numbers: Mapping[Value, float], then: str) -> None:
    """Raise if a leaf has another number than it had at some time.

    Args:
        numbers: the leaves, each with its number at that time.
        then: the end of the message: when that was, and what to do now.

    Raises:
        ValueError: for another number.
    """
    if [leaf._number for leaf in numbers] == [*numbers.values()]:  # measured: a quarter of the time of reading `data`
        return
    for leaf, x in numbers.items():
        if leaf.data != x and not (leaf.data != leaf.data and x != x):
            raise ValueError(f"{describe(leaf)} was {x!r} when {then}")
