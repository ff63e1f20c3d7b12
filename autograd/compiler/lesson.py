"""The instructions as equations.

A block of results is named after the labels of its nodes, without the numbers that count them: ``layer1.neuron0.net``,
``layer1.neuron1.net``, … become ``net1``, and their gradients δ1.  A block that has no name and is used once is written where
it is used.  ``v1₂`` is an entry of a block or a list, ``x₂,₁`` one of a matrix, and ``x₂`` its row; ``v1₀…₃`` are the first
four entries, ``[v1₀, v1₂]`` several parts, and ``v1[…]`` is any other choice or order of entries.  They are counted from 0, or
as their labels count them.  Parameters of a second network with the same labels get a ′, and a list of more than four numbers
or a matrix of them is called c.  `autograd.writing` writes formulas.

>>> from autograd.compiler import compile
>>> from nn import MLP
>>> model = MLP(3, [2, 4], activation="sigmoid", seed=1)
>>> def loss(x, y):
...     return sum((out - target) ** 2 for out, target in zip(model(x), y))
>>> print(compile(loss, model.parameters(), example=([0.0] * 3, [0.0] * 4)))
forward
  net1[2×B] = layer1.w[2×3] @ x[3×B] + layer1.b
  out1[2×B] = σ(net1)
  net2[4×B] = layer2.w[4×2] @ out1 + layer2.b
  loss[B] = Σ (net2 - y)²
backward
  δ2[4×B] = 2·(net2 - y)
  ∂layer2.w[4×2] = δ2 @ out1ᵀ
  δ1[2×B] = (layer2.wᵀ @ δ2) ⊙ (out1 ⊙ (1 - out1))
  ∂layer1.w[2×3] = δ1 @ xᵀ
  ∂layer2.b[4] = Σ δ2
  ∂layer1.b[2] = Σ δ1

The equations under *backward* are the four of backpropagation: BP1 and BP2 for δ, BP3 and BP4 for the gradients.

Source: Nielsen, Neural Networks and Deep Learning (2015), chapter 2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from itertools import chain, count
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from autograd.compiler.labels import coordinates
from autograd.compiler.layout import Array, Instruction, Layout, Slots
from autograd.compiler.names import Names
from autograd.compiler.parts import (
    MOST_PARTS,
    SOME,
    Name,
    distinct,
    is_dot,
    is_transposed,
    is_whole,
    once,
    operands_of,
    part_of,
)
from autograd.compiler.schedule import BATCHED, CONSTANTS, GRADIENT, INPUTS, PARAMETERS
from autograd.primitives import total
from autograd.symbol import Symbol
from autograd.writing import ATOM, COMPARE, LATEX, PLAIN, PRODUCT, SUM, Style, call, latex_name, write

__all__ = ["latex", "lesson"]

SUBSCRIPTS: Final = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
Arguments: TypeAlias = Sequence[tuple[str, tuple[int, ...]]]
DEEPEST: Final = 12  # formulas one inside the other; longer chains get names in between


class Markup(NamedTuple):
    """How equations are written: formulas, words, parts, and templates of shapes, products, transposes, sums, parentheses."""

    style: Style
    word: Callable[[str], str]
    part: Callable[[str, str], str]
    shape: str
    product: str
    transpose: str
    total: str
    enclosed: str


def _text_part(whole: str, subscripts: str) -> str:
    return whole + (subscripts.translate(SUBSCRIPTS) or "[…]")


def _latex_word(word: str) -> str:
    if word.startswith("∂"):
        return rf"\partial {_latex_word(word[1:])}"
    if re.fullmatch("δ[0-9]*", word):
        return rf"\delta_{{{word[1:]}}}".removesuffix("_{}")
    text = latex_name(word)
    return f"{{{text}}}" if "^" in text else text  # TeX refuses a second superscript, such as that of a transpose


def _latex_part(whole: str, subscripts: str) -> str:
    below = subscripts.replace("…", r" \ldots ") or r"\cdot"
    return f"{{{whole}}}_{{{below}}}"


TEXT = Markup(
    PLAIN._replace(signs={**PLAIN.signs, "*": " ⊙ "}, scale="·"),
    str, _text_part, "[{}]", "{} @ {}", "{}ᵀ", "Σ {}", "({})",
)  # fmt: skip
TEX = Markup(
    LATEX._replace(signs={**LATEX.signs, "*": r" \odot "}, name=PLAIN.name, scale=" "),
    _latex_word, _latex_part, "", r"{} \, {}", "{}^{{T}}", r"\sum {}", r"\left({}\right)",
)  # fmt: skip


def lesson(layout: Layout, arguments: Arguments, parameters: Sequence[str]) -> str:
    """Write a program as equations, in text.

    Args:
        layout: the program.
        arguments: the names and the shapes of the arrays in the function's arguments.
        parameters: the parameters' labels.
    """
    writer = Writer(layout, arguments, parameters, TEXT)
    lines = []
    for title, backward in (("forward", False), ("backward", True)):
        equations = [f"  {left} = {right}" for left, right in writer.equations(backward)]
        lines += [title, *equations] if equations else []
    return "\n".join(lines)


def latex(layout: Layout, arguments: Arguments, parameters: Sequence[str]) -> str:
    """Write a program as equations, in LaTeX; see `lesson`."""
    writer = Writer(layout, arguments, parameters, TEX)
    lines = [f"{left} &= {right}" for backward in (False, True) for left, right in writer.equations(backward)]
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


class Written(Symbol):
    """A formula that is not that of a row; in parentheses wherever it is part of another one."""

    level = COMPARE


@dataclass(eq=False)
class Block:
    """The results of an instruction, which one equation defines unless they are written where they are used.

    Attributes:
        instruction: the instruction.
        users: the number of operands with slots in the block.
        is_parted: whether an operand is only a part of the block, or of several blocks.
        words: those of its name; none for a block without an equation.
        depth: the number of formulas that are one inside the other in its own.
    """

    instruction: Instruction
    users: int = 0
    is_parted: bool = False
    words: tuple[str, ...] = ()
    depth: int = 0


class Writer:
    """A program's equations, in text or LaTeX; see `lesson`."""

    def __init__(self, layout: Layout, arguments: Arguments, parameters: Sequence[str], markup: Markup) -> None:
        self.layout, self.arguments, self.markup, self.names = layout, arguments, markup, Names(layout, parameters)
        self.blocks = [Block(instruction) for instruction in layout.instructions]
        self.block_of = {space: np.zeros(size, np.intp) for space, size in layout.sizes.items()}
        for i, block in enumerate(self.blocks):
            if block.instruction.out.space in self.block_of:
                self.block_of[block.instruction.out.space][block.instruction.out.index] = i
        self.symbols: dict[tuple[int, bytes], Any] = {}
        self.shown: set[str] = set()  # the arguments and parameters whose shape was written already
        self.constants: dict[tuple[float, ...], str] = {}  # what several numbers are called
        self.taken: set[tuple[str, ...]] = {(word,) for word, _ in arguments}  # names that blocks and constants must not get
        self.constant_names = self._free(chain("c", map("c{}".format, count(2))))
        self.taken |= self.names.taken()
        self._name_blocks()

    def _free(self, words: Iterable[str]) -> Iterator[str]:
        """Iterate over the words that are no name yet."""
        return (word for word in words if (word,) not in self.taken)

    def _name_blocks(self) -> None:
        """Name all blocks but those that are written where they are used."""
        outputs = [self.blocks[self.block_of[space][slot]] for space, slot in self.layout.outputs if space in self.block_of]
        for block in self.blocks:
            block.words = self._words_for(block, outputs)
            if block.instruction.out.space != GRADIENT and block.words in self.taken:
                block.words = ()  # for example of a second node with this label
            self.taken.add(block.words)
            for parts in dict.fromkeys(tuple(self.parts(slots)) for slots in block.instruction.operands):
                for used, is_all in parts:
                    used.users += 1
                    used.is_parted |= not is_all or len(parts) > 1
        free = self._free(map("v{}".format, count(1)))
        for block in self.blocks:
            is_gradient = bool(block.words) and block.words[0].startswith("∂")
            if is_gradient and block.users == 1 and block.instruction.out.space != GRADIENT:
                block.words = ()  # an output's gradient is written inside the δ it is a factor of
            inner = [used.depth for slots in block.instruction.operands for used, _ in self.parts(slots) if not used.words]
            block.depth = 1 + max(inner, default=0)
            if not block.words and (block in outputs or block.is_parted or block.depth > DEEPEST or not self._is_short(block)):
                block.words = (next(free),)

    def _is_short(self, block: Block) -> bool:
        """Return whether a block without a name is written where it is used: once, or if it is one operation, twice."""
        words = [used.words for slots in block.instruction.operands for used, _ in self.parts(slots)]
        return block.users == 1 or (block.users == 2 and block.instruction.kind == "apply" and all(words))

    def _words_for(self, block: Block, outputs: Sequence[Block]) -> tuple[str, ...]:
        out = block.instruction.out
        if out.space == GRADIENT:
            return self.names.of(out)[0].words
        words = self.names.words(out)
        if not any(words) and block in outputs and len(self.layout.outputs) == 1:
            return ("loss",)
        if not all(words):
            return ()
        if len(words) == 1:
            word = re.sub(r"^(∂?)([^\W\d]+)(\d+)\.(\w+)$", r"\1\4\3", words[0])  # layer1.net is net1
            return (re.sub(r"^∂net", "δ", word),)
        return words

    def parts(self, slots: Slots) -> list[tuple[Block, bool]]:
        """Return the blocks that slots are in, each with whether the slots are all of it, in order; for leaves, none."""
        if slots.space not in self.block_of:
            return []
        blocks, counts = np.unique(self.block_of[slots.space][distinct(slots.index)], return_counts=True)
        found = zip([self.blocks[i] for i in blocks], counts, strict=True)
        return [(block, is_whole(block.instruction.out.index, slots.index, n)) for block, n in found]

    def equations(self, backward: bool) -> Iterator[tuple[str, str]]:
        """Return the equations of a pass, as left and right sides."""
        for block in self.blocks:
            if block.words and block.instruction.backward == backward:
                out = block.instruction.out
                left = self.parameter(out, "∂") if out.space == GRADIENT else self.name(Name(block.words))
                dims = out.index.shape if out.space == GRADIENT and block.instruction.kind == "product" else None
                yield left + self.shape(out, dims), self.formula(block.instruction)

    def parameter(self, slots: Slots, sign: str = "") -> str:
        """Write the name of parameters, each word after a sign."""
        names = [Name(tuple([sign + word for word in words]), parts) for words, parts in self.names.of(slots)]
        return _listed([self.name(name) for name in names])

    def name(self, name: Name) -> str:
        """Write a name; several words or parts in brackets."""
        whole = _listed([self.markup.word(word) for word in name.words])
        return _listed([reduce(self.markup.part, subscripts, whole) for subscripts in name.parts or [()]])

    def shape(self, slots: Slots, dims: Sequence[int] | None = None) -> str:
        """Write the shape of slots, with B for the size of the batch."""
        sizes = [str(n) for n in (dims or [slots.index.size]) if n > 1] + ["B"] * (slots.space >= BATCHED)
        return self.markup.shape.format("×".join(sizes)) if sizes else ""

    def formula(self, instruction: Instruction) -> str:
        """Write the right side of an instruction's equation."""
        return str(getattr(self, instruction.kind)(instruction))

    def apply(self, instruction: Instruction) -> str:
        """Write the row."""
        return write(instruction.row.apply([self.operand(slots) for slots in instruction.operands]), self.markup.style)[0]

    def fold(self, instruction: Instruction) -> str:
        """Write all operands, in a sum or a call; those that occur several times as often."""
        operands = operands_of(instruction)
        if instruction.row is total:
            return " + ".join(self.addend(slots, n) for slots, n in operands)
        return call(instruction.row, [self.operand(slots) for slots, n in operands for _ in range(n)], self.markup.style)

    def addend(self, slots: Slots, n: int) -> str:
        """Write n times the sum of the columns of slots."""
        symbol = self.operand(slots)
        if slots.index.shape[1] == 1:
            return self.text(n * symbol if n > 1 else symbol)
        text = self.markup.total.format(self.text(symbol, least=PRODUCT))
        return text if n == 1 else self.text(n * Written(text))

    def product(self, instruction: Instruction) -> str:
        """Write products of matrices and the bias."""
        terms = [self.matrices(left, right, instruction) for left, right in instruction.factors]
        return " + ".join(terms + ([self.text(self.operand(instruction.bias))] if instruction.bias else []))

    def sum(self, instruction: Instruction) -> str:
        """Write a sum over the batch."""
        text = self.markup.total.format(self.text(self.operand(instruction.operands[0]), least=PRODUCT))
        return f"{self.parameter(instruction.out, '∂')} + {text}" if instruction.adds else text

    def text(self, symbol: Any, *, least: int = SUM) -> str:
        """Write a symbol; in parentheses if it binds less tightly than a sum, or than a level of `autograd.writing`."""
        written, level = write(symbol, self.markup.style)
        return self.markup.enclosed.format(written) if level < least else written

    def operand(self, slots: Slots) -> Any:
        """Return slots as a symbol, or as the formula of a block that has no name; equal slots give the same object."""
        key = slots.space, slots.index.tobytes()
        if key not in self.symbols:
            self.symbols[key] = self._operand(slots)
        return self.symbols[key]

    def _operand(self, slots: Slots) -> Any:
        if slots.space == CONSTANTS:
            index = once(slots.index)
            numbers = tuple([self.layout.constants[slot] for slot in index.ravel().tolist()])
            if len({*numbers}) == 1:
                return numbers[0]
            if len(numbers) == max(index.shape) <= MOST_PARTS:
                return Symbol(_listed([self.text(x) for x in numbers]))
            if numbers not in self.constants:
                self.constants[numbers] = next(self.constant_names)
            return Symbol(self.markup.word(self.constants[numbers]))
        parts = self.parts(slots)
        if len(parts) == 1 and not parts[0][0].words:
            inner = parts[0][0].instruction
            if inner.kind == "apply":
                return inner.row.apply([self.operand(operand) for operand in inner.operands])
            return Written(self.formula(inner))
        several = parts[0][0].words if len(parts) == 1 else ()
        if len(several) > 1 and {*(words := self.names.words(slots))} < {*several}:  # some of those in a block
            out = parts[0][0].instruction.out
            used = [i for i, word in enumerate(self.names.words(out)) if word in words]
            order = out.index[np.isin(self.names.numbers_of_words(out), used)]
            return Symbol(self.name(_part(words, order, slots.index, order.shape)))
        if parts:
            return Symbol(_listed([self.name(name) for name in self.results(slots, [block for block, _ in parts])]))
        if slots.space >= INPUTS:
            word, shape = self.arguments[slots.space - INPUTS]
            return Symbol(self.name(_part((word,), np.arange(math.prod(shape)), slots.index, shape)))
        return Symbol(self.parameter(slots))

    def results(self, slots: Slots, blocks: Sequence[Block]) -> list[Name]:
        """Return the names of the parts of blocks that slots consist of, in order; if there are many, one for each block."""
        runs = [slots.index]
        if len(blocks) > 1:
            index = once(slots.index).ravel()
            of = self.block_of[slots.space][index]
            ends = np.flatnonzero((of[1:] != of[:-1]) | (np.diff(index) != 1)) + 1
            if len(ends) >= max(len(blocks), MOST_PARTS):
                return [Name(block.words, ((SOME,),)) for block in blocks]
            runs = np.split(index, ends)
        used = [self.blocks[self.block_of[slots.space][run.flat[0]]] for run in runs]
        orders = [block.instruction.out.index.ravel() for block in used]
        return [_part(block.words, order, run, order.shape) for block, order, run in zip(used, orders, runs, strict=True)]

    def matrices(self, left: Slots, right: Slots, instruction: Instruction) -> str:
        """Write a product of matrices, or the sum of its terms if each matrix is only a row."""
        (_, m, n), k = instruction.out.index.shape, left.index.shape[2]
        a, b = self.operand(left), self.operand(right)
        if k > 1 and all((slots.index == slots.index[..., :1]).all() for slots in (left, right)):
            left, right = (slots._replace(index=slots.index[..., :1]) for slots in (left, right))
            a, k = k * a, 1
        if m == n == 1 and not instruction.is_summed and (k == 1 or not is_dot(left, right)):
            return self.text(a * b) if k == 1 else self.markup.total.format(self.text(a * b))
        first, second = self.matrix(left, a), self.matrix(right, b)
        if is_transposed(left):
            first = self.markup.transpose.format(first)
        if instruction.is_summed or (n > 1 and not is_transposed(right)):
            second = self.markup.transpose.format(second)
        return self.markup.product.format(first, second)

    def matrix(self, slots: Slots, symbol: Any) -> str:
        """Write a factor; an argument or a matrix of parameters with its shape the first time."""
        text = self.text(symbol, least=ATOM)
        is_argument = slots.space >= INPUTS and text == self.markup.word(self.arguments[slots.space - INPUTS][0])
        if not (is_argument or slots.space == PARAMETERS) or text in self.shown:
            return text
        self.shown.add(text)
        _, m, k = slots.index.shape
        return text + self.shape(slots, [k, m] if is_argument or is_transposed(slots) else [m, k])


def _part(words: tuple[str, ...], order: Array, index: Array, shape: Sequence[int]) -> Name:
    """Return the name of a part of an array whose entries are counted from 0."""
    return part_of(words, order, index, partial(coordinates, shape))


def _listed(texts: Sequence[str]) -> str:
    """Return a text, or several in brackets."""
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
