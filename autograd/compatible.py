"""What programs written for other libraries expect of a node: NumPy's functions, and micrograd's names.

>>> import numpy as np
>>> from autograd import Value
>>> np.exp(Value(0.0))
Value(data=1.0, grad=0.0)
>>> Value(0.0).topo
Traceback (most recent call last):
AttributeError: Value(data=0.0, grad=0.0) has no attribute 'topo'; backward() finds the order itself; ...
"""

from __future__ import annotations

from typing import Any, Final, NoReturn, Self, cast

from autograd.functions import clip
from autograd.primitives import Primitive
from autograd.rows import TABLE

__all__ = ["Compatible"]

# Attributes that programs written for other engines read or set on a node, and what to use here instead.
ELSEWHERE: Final = {
    "_backward": "call backward() on the result; the rules of an operation are in its row of the table, `primitive`",
    "children": "the nodes it was computed from are its `inputs`",
    "topo": "backward() finds the order itself; `inputs` leads from a node to the nodes below it",
    **dict.fromkeys(["detach", "item"], "its number, without the graph, is `data`"),
    **dict.fromkeys(["m", "v", "momentum", "velocity"], "keep it in a dict keyed by parameter: dict.fromkeys(parameters, 0.0)"),
}


class Compatible:
    """The base class of `Value` with the attributes that other libraries look for."""

    __slots__ = ()

    primitive: Primitive | None

    @property
    def _prev(self) -> Any:
        """The `inputs`, under micrograd's name, for programs written for it."""
        return cast(Any, self).inputs

    @property
    def _op(self) -> str:
        """The sign or the name of the operation, for programs written for micrograd; empty for a leaf.

        >>> from autograd import Value
        >>> x = Value(2.0)
        >>> (x * 3)._op, x.tanh()._op, x._op
        ('*', 'tanh', '')
        """
        return "" if self.primitive is None else self.primitive.infix or self.primitive.name

    def __array_ufunc__(self, ufunc: Any, method: str, *operands: Any, **options: Any) -> Any:
        """Dispatch NumPy's function to the row of the same name, as in ``np.exp(v)``, ``np.float64(2) * v``, ``nodes * v``."""
        row = TABLE.get(ufunc.__name__)
        arrays = [x for x in operands if getattr(getattr(x, "dtype", None), "kind", "") == "O"]
        if arrays and method == "__call__":  # NumPy applies it to the objects one by one
            namespace = arrays[0].__array_namespace__()
            boxed = [namespace.array(x, dtype=object) if hasattr(type(x), "__primitive__") else x for x in operands]
            # NumPy's own function calls a method of the first operand.  If that is a plain number, it has only operators.
            calls_methods = row is None or row.infix or options
            return (ufunc if calls_methods else namespace.frompyfunc(row, len(operands), 1))(*boxed, **options)
        if ufunc.__name__ == "divmod" and method == "__call__" and not options:
            return operands[0] // operands[1], operands[0] % operands[1]
        if row is None or method != "__call__" or options:
            name = ufunc.__name__
            if method == "__call__" and f"{'d' * ufunc.nin}->?" in ufunc.types:  # it returns truth values
                raise TypeError(f"numpy.{name} tests numbers, not nodes; for those write x.data")
            its_row = f", or make it a row: Unary({name!r}, {name}, rule)" if row is None and ufunc.nin == 1 else ""
            raise TypeError(f"numpy.{name} cannot be recorded; use operators and autograd's functions on Values{its_row}")
        return row.apply(operands)

    def clip(self, low: Any, high: Any, out: None = None) -> Any:
        """Apply `autograd.clip`; ``np.clip(x, low, high)`` calls this."""
        if out is not None:
            raise TypeError("a result that is recorded cannot be written into an array; leave out `out`")
        return clip(self, low, high)

    def conjugate(self) -> Self:
        """Return this node, since a real number is its own conjugate; ``np.std``, ``np.var`` and ``np.vdot`` call this.

        >>> import numpy as np
        >>> from autograd import grad
        >>> grad(np.var)(np.array([1.0, 5.0]))
        array([-2.,  2.])
        """
        return self


def _elsewhere(name: str, advice: str) -> property:
    def refuse(self: Compatible, *_: Any) -> NoReturn:
        raise AttributeError(f"{self!r} has no attribute {name!r}; {advice}")

    return property(refuse, refuse)


for _name, _advice in ELSEWHERE.items():  # measured: a __setattr__ makes setting any attribute 27 times as slow
    setattr(Compatible, _name, _elsewhere(_name, _advice))
