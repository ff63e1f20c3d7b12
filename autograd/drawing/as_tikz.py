r"""A plan as TikZ: a LaTeX document that shows the same picture, its mathematics set as mathematics.

The places, shapes and colours are those of the SVG, read from its tree, so a shape added there appears here as well.  The
texts are not: names, formulas and numbers are written again, from the symbols in the plan.

The document needs pdflatex, lualatex, xelatex or tectonic with amsmath, geometry and TikZ, and nothing else; the environment
``tikzpicture`` in it can be copied into another document that loads amsmath and TikZ.

>>> from autograd.drawing.plan import Line
>>> from autograd.symbol import Symbol
>>> print(set_line(Line("operation", "z⁽¹⁾₀", Symbol("w_h") * Symbol("θ") + 1, -2.5e-7)))
$z^{(1)}_{0} = w_{h} \cdot θ + 1 = -2.5 \cdot 10^{-7}$
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from unicodedata import decomposition, normalize
from xml.etree.ElementTree import Element

from autograd.drawing.as_svg import draw_plan
from autograd.drawing.geometry import fitted
from autograd.drawing.plan import NAMINGS, Edge, Line, Plan, note_lines
from autograd.drawing.style import BACKWARD, BOXES, FAINT, LINE, NIGHT, NOTE, PAPER, TEXT, WIRE
from autograd.primitives import Primitive
from autograd.symbol import Symbol
from autograd.writing import ESCAPES, Style, latex, latex_name, plain, printable

__all__ = ["GLYPH", "in_ascii", "set_line", "set_words", "to_tikz"]

WEIGHT = r"\partial w "
LARGEST = 14_000  # PDF points; TeX counts to 16,383, and PDF readers to 14,400
COLOURS = {box.fill: f"{kind} fill" for kind, box in reversed(BOXES.items())}  # a shared colour is named after its first kind
COLOURS |= {box.outline: f"{kind} line" for kind, box in reversed(BOXES.items())}
COLOURS |= {PAPER: "paper", WIRE: "wire", FAINT: "faint", NOTE: "note", BACKWARD: "backward", TEXT["value"].colour: "ink"}
COMMANDS = {  # in mathematics
    "∂": "partial", "∞": "infty", "·": "cdot", "×": "times", "←": "leftarrow", "→": "rightarrow", "↑": "uparrow",
    "↓": "downarrow", "…": "ldots", "≤": "leq", "≥": "geq", "≠": "neq", "±": "pm", "∑": "sum", "∇": "nabla", "√": "surd",
    "⊙": "odot", "\u2113": "ell", "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta",
    "η": "eta", "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho",
    "ς": "varsigma", "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "varphi", "χ": "chi", "ψ": "psi", "ω": "omega",
    "ϑ": "vartheta", "ϕ": "phi", "ϵ": "epsilon", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi",
    "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega", "⋮": "vdots",
}  # fmt: skip
COMBINING = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0307": "dot", "\u0308": "ddot"}  # over a letter of its own
ACCENTS = dict(zip("\u0300\u0301\u0302\u0303\u0308\u030a\u030c\u0327", "`'^~\"rvc", strict=True))  # over or under a letter
IN_TEXT = ESCAPES | {c: rf"\ensuremath{{{c}}}" for c in "<>|"} | {c: f"{{{c}}}" for c in "-'`"}  # no ligatures
# Prints a character that the font lacks as a box with its number; otherwise pdflatex stops, and other engines print nothing.
GLYPH = (r"\def\glyph#1#2{\ifdefined\Umathcode\iffontchar\font`#1 #1\else\fbox{\tiny#2}\fi"
         r"\else\fbox{\tiny#2}\fi}")  # fmt: skip


def to_tikz(plan: Plan) -> str:
    """Write a plan as a LaTeX document.

    Raises:
        LayoutError: if no layout engine is installed.
    """
    summary = plan.summary
    plan, geometry = fitted(plan)
    svg = draw_plan(plan, geometry)
    _, _, width, height = map(float, svg.get("viewBox", "").split())
    unit = min(1.0, LARGEST / width, LARGEST / height)
    colours = COLOURS if plan.theme == "light" else {NIGHT[colour]: name for colour, name in COLOURS.items()}
    drawn = "\n".join(map(in_ascii, _parts(svg, plan, colours)))
    used = [(colour[1:].upper(), name) for colour, name in colours.items() if f"={name}" in drawn]
    return "\n".join([
        rf"% {in_ascii(set_words(summary))}",
        r"\documentclass[12pt]{article}",
        rf"\usepackage[paperwidth={width * unit:g}bp, paperheight={height * unit:g}bp, margin=0pt]{{geometry}}",
        r"\usepackage{amsmath, tikz}",
        r"\pagestyle{empty}",
        r"\parindent=0pt \topskip=0pt",
        r"\begin{document}",
        rf"\begin{{tikzpicture}}[x={unit:g}bp, y=-{unit:g}bp,",
        rf"    words/.style={{anchor=base, inner sep=0pt, outer sep=0pt, scale={unit:g}}}]",
        f"  {GLYPH}",
        *(rf"  \definecolor{{{name}}}{{HTML}}{{{colour}}}" for colour, name in used),
        rf"  \useasboundingbox (0,0) rectangle ({width:g},{height:g});",
        drawn,
        r"\end{tikzpicture}",
        r"\end{document}",
        "",
    ])  # fmt: skip


def _parts(svg: Element, plan: Plan, colours: dict[str, str]) -> Iterator[str]:
    """Draw the parts of a picture in the order of its SVG: arrows, their labels, boxes, notes."""
    texts: dict[str | None, list[str]] = {node.id: list(map(set_line, node.lines)) for node in plan.nodes}
    texts |= {edge.id: set_label(edge) for edge in plan.edges}
    if plan.theme == "dark":
        _, _, width, height = svg.get("viewBox", "").split()
        yield rf"  \path[fill={colours[NIGHT[PAPER]]}] (0,0) rectangle ({width},{height});"
    for group in svg.findall("g"):
        for shape in group:
            if path := _path(shape):
                yield rf"  \path[{', '.join(_look(shape, colours))}] {path};"
        lines = texts[group.get("data-of") or group.get("id")]
        for text, line in zip(group.findall("text"), lines, strict=False):  # an arrow's texts are in a group of their own
            yield _words(rf"{{\boldmath\bfseries {line}}}" if text.get("font-weight") == "bold" else line, text, colours)
    for text, note in zip(svg.findall("text"), plan.notes, strict=True):
        for i, line in enumerate(note_lines(note)):
            spot = Element("text", {**text.attrib, "y": f"{float(text.get('y', '0')) + i * LINE:g}"})
            yield _words(rf"\small {set_words(line)}", spot, colours, ", anchor=base west")


def _words(words: str, text: Element, colours: dict[str, str], look: str = "") -> str:
    colour = colours[text.get("fill", "")]
    return rf"  \node[words, text={colour}{look}] at ({text.get('x')},{text.get('y')}) {{{words}}};"


def _look(shape: Element, colours: dict[str, str]) -> Iterator[str]:
    for key, option in (("fill", "fill"), ("stroke", "draw")):
        colour = shape.get(key, "none")
        if colour.startswith("#"):
            yield f"{option}={colours[colour]}"
    for key, option in (
        ("fill-opacity", "fill opacity={}"),
        ("stroke-width", "line width={}bp"),
        ("rx", "rounded corners={}bp"),
    ):
        if key in shape.attrib and (key != "rx" or shape.tag == "rect"):
            yield option.format(shape.get(key))
    if "stroke-dasharray" in shape.attrib:
        yield "dashed"


def _path(shape: Element) -> str:
    """Write a shape of an SVG as a path, or return an empty string if the element is not a shape."""
    match shape.tag:
        case "rect":
            x, y, width, height = (float(shape.get(key, "0")) for key in ("x", "y", "width", "height"))
            return f"({x:g},{y:g}) rectangle ({x + width:g},{y + height:g})"
        case "ellipse":
            cx, cy, rx, ry = (shape.get(key) for key in ("cx", "cy", "rx", "ry"))
            return f"({cx},{cy}) ellipse [x radius={rx}, y radius={ry}]"
        case "polygon":
            return " -- ".join([*_points(shape.get("points", "")), "cycle"])
        case "path":
            start, *rest = _points(shape.get("d", ""))  # a move, then cubic curves
            curves = zip(rest[::3], rest[1::3], rest[2::3], strict=True)
            return start + "".join(f" .. controls {a} and {b} .. {end}" for a, b, end in curves)
    return ""


def _points(text: str) -> list[str]:
    return [f"({point})" for point in re.findall(r"-?[\d.]+,-?[\d.]+", text)]


def set_line(line: Line) -> str:
    """Write a line of a box: as mathematics, or as words if its text was cut."""
    for naming in NAMINGS:
        if line.written(plain(line.digits)._replace(name=naming)) == line.text:
            return f"${line.written(_mathematics(line.digits, naming))}$"
    return set_words(line.text)


def set_label(edge: Edge) -> list[str]:
    """Write the lines of an arrow's label."""
    lines = []
    for (_, text), (_, line) in zip(edge.lines, edge.written(_mathematics(edge.digits, NAMINGS[0])), strict=True):
        is_words = text in ("not taken", edge.name)
        # Without the equals sign, the gradient of a weight would look like a difference.
        lines.append(set_words(text) if is_words else f"${line.replace(WEIGHT, f'{WEIGHT}= ')}$")
    return lines


def set_words(text: str) -> str:
    r"""Write text for LaTeX so that it is printed unchanged.

    >>> print(set_words("50% of {θ} <- a_b"))
    50\% of \{θ\} \ensuremath{<}{-} a\_b
    """
    return "".join(IN_TEXT.get(c, c) for c in printable(text))


def _mathematics(n_digits: int, naming: Callable[[Symbol], str]) -> Style:
    def template(row: Primitive) -> str:  # what fits into a line, and needs no further fonts
        is_high = row.latex.startswith((r"\frac", r"\begin"))
        return "" if is_high else row.latex.replace(r"\mathbb{{1}}", r"\mathbf{{1}}")

    return latex(n_digits)._replace(name=lambda symbol: _name(naming(symbol)), template=template)


def _name(name: str) -> str:
    """Write a name, or the mark of a gradient: ∂w, δ so far."""
    name, so_far = name.removesuffix(" so far"), r"\text{ so far}" * name.endswith(" so far")
    if name.startswith("∂") and name != "∂":
        return rf"\partial {_name(name[1:])}{so_far}"
    written = latex_name(name)
    return (rf"\text{{{set_words(name)}}}" if written.startswith(r"\text{") else written) + so_far


def in_ascii(text: str) -> str:
    r"""Write characters beyond ASCII so that every engine sets them, in text and in mathematics; needs `GLYPH`.

    >>> print(in_ascii("∂x̂ ≤ 2⁻¹"))
    \ensuremath{\partial}\ensuremath{\hat{x}} \ensuremath{\leq} 2\text{\textsuperscript{-}}\text{\textsuperscript{1}}
    """
    text = re.sub(f"([A-Za-z])([{''.join(COMBINING)}])", lambda m: rf"\ensuremath{{\{COMBINING[m[2]]}{{{m[1]}}}}}", text)
    return "".join(c if c.isascii() else _character(c) for c in text)


def _character(c: str) -> str:
    if c == "′":
        return r"\ensuremath{{}'}"
    if command := COMMANDS.get(c, COMMANDS.get(normalize("NFKC", c))):
        return rf"\ensuremath{{\{command}}}"
    kind, _, codes = decomposition(c).partition("> ")
    if kind in ("<super", "<sub"):
        plain_text = "".join(chr(int(code, 16)) for code in codes.split()).replace("−", "-")
        return rf"\text{{\text{kind[1:]}script{{{in_ascii(plain_text)}}}}}"
    parts = normalize("NFD", c)
    letter, accents = parts[0], parts[1:]
    if letter.isascii() and accents and set(accents) <= ACCENTS.keys():
        for accent in accents:
            letter = rf"\{ACCENTS[accent]}{{{letter}}}"
        return rf"\text{{{letter}}}"
    return rf"\text{{\glyph{{{c}}}{{{ord(c):X}}}}}"
