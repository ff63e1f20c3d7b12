"""The fixed words of the page and of the player: one table, in which each language is a column.

To add a language, add an entry with the same keys to `LANGUAGES`; the page then offers it.  The page fills in each ``{…}``.
The page's words have names as keys.  The player's have the English words, which its own files contain, so the player needs no
table when it is used without the page.  Texts that Python writes as well, such as steps, derivations and errors, are not in it.

>>> {language: set(table) - set(LANGUAGES["en"]) for language, table in LANGUAGES.items()}
{'en': set()}
"""

from __future__ import annotations

from typing import Final

__all__ = ["FRAME", "LANGUAGES", "SPOKEN"]

FRAME: Final = (  # of the player, in player.html
    "Zoom in", "Zoom in (+)", "Zoom out", "Zoom out (-)", "Fit the picture", "Fit the picture to the window (0)", "fit",
    "Lecture mode", "Lecture mode: large type, the step as a caption (l)", "Full screen", "Full screen (f)", "First step",
    "First step (Home)", "Previous step", "Previous step (←)", "Play", "Play or pause (space)", "Next step",
    "Next step (→)", "Last step", "Last step (End)", "Step", "Speed", "What to predict", "numbers", "signs", "Reveal",
    "Predict", "Predict each number before it is shown (p)", "Ledger of a node", "Values", "Example", "Change a number",
    "Reset", "Back to the numbers that Python computed with", "One step of gradient descent: w ← w − η·∂w", "Learn", "Train",
    "Repeat Learn until pressed again", "Loss by step", "Whole graph", "thick: this step", "dashed: still to come", "green +",
    "purple −", "← what has flowed back",
    "← →: steps, space: play, ↑ ↓: from node to node, drag a number or a box to change it",
    "The classic mistakes, made on this graph", "Neurons", "Nodes",
)  # fmt: skip
SPOKEN: Final = (  # in the player's scripts, where {} stands for a text that is filled in
    "Play", "Pause", "As it should be", "With the mistake",
    "At these numbers it changes nothing.", "rule", "numbers put in", "value", "contribution", "running total", "not taken",
    "nothing is added", "still to come", "type, use the arrow keys, or drag the name", "changed by Learn",
    "Forward {} of {} →", "← Backward {} of {}", "forward {}/{} →", "← backward {}/{}", "value of {}",
    "local derivative {}", "contribution to {}", "Ledger of {}", "your prediction: {}", "learn {}", "Show {} more",
    "a number, such as 1/2 or -0.5", "the sign", "multiply, do not add", "that flows to the other operand",
    "that is the contribution, with the upstream gradient in it", "that belongs to the other operand",
    "that is the value of the operand", "the local derivative {} is missing", "the upstream gradient {} is missing",
    "that is {}", "{} {}/{}: {} = {}. Predict, then reveal.",
    "Press the nodes in the picture, or write their names, with commas.",
    "An answer is a number, a fraction such as 1/2, or a formula over the names in the picture.", "Show the solution",
    "Exercise", "Hint", "Undo", "{} Enter marks it; an answer that cannot be read costs no points.",
)  # fmt: skip

LANGUAGES: Final[dict[str, dict[str, str]]] = {
    "en": {
        "language-name": "English",
        "direction": "ltr",
        "language": "Language",
        "title": "Backpropagation, step by step",
        "intro": "Type a formula, and watch the chain rule go through it. Nothing that you type leaves this page.",
        "example": "Example",
        "own": "your own",
        "editor": "What to differentiate",
        "mode": "Write",
        "mode-expression": "an expression",
        "mode-code": "Python",
        "expression": "Expression",
        "variables": "Variables",
        "code": "Python that ends in a Value",
        "code-keys": "Ctrl+Enter runs it. Tab indents; Escape, then Tab, leaves the field.",
        "run": "Run",
        "stop": "Stop",
        "copy-link": "Copy link",
        "link-copied": "The link is copied. It holds everything that you see here.",
        "link-here": "The browser did not copy the link. Copy the address of this page instead.",
        "link-long": "This link has {size} kB. Some programs cut off links of more than 8 kB; send the code as a file instead.",
        "link-broken": "This link cannot be read; it may have been cut off. The page stays as it was.",
        "link-code": "This link contains Python code. It runs only after you have seen it and pressed Run.",
        "show-code": "Show the code",
        "not-number": "{name} needs a number, such as 0.5, -2 or 1/3.",
        "line": "line {line}",
        "output": "What the code printed",
        "loading": "Loading Python: {percent} %. The example plays meanwhile.",
        "starting": "Starting Python …",
        "ready": "Python is ready: scalar-autograd {version}",
        "working": "Computing …",
        "failed": "Python cannot be loaded: {reason}. The examples still play.",
        "ended": "Python has ended: {reason}. The player still works.",
        "retry": "Try again",
        "stopped": "Stopped. Python is starting again.",
        "waiting": "This will be computed as soon as Python is ready.",
        "tabs": "Views of the graph",
        "step": "Step",
        "why": "Why",
        "check": "Check",
        "exercise": "Exercise",
        "source": "Code",
        "nothing": "Nothing has been computed yet.",
        "gradient-of": "The gradient of",
        "ledger": "The contributions that add up to it",
        "through": "through",
        "upstream": "upstream",
        "local": "local derivative",
        "contribution": "contribution",
        "derivation": "The derivation",
        "derivative": "derivative",
        "at": "at",
        "backward": "backward",
        "numeric": "numeric",
        "error": "± error",
        "verdict": "verdict",
        "check-intro": "Each derivative is compared with a numeric one, computed from values only.",
        "task": "Find",
        "task-gradients": "the gradients of this graph",
        "task-deltas": "the intermediate gradients",
        "task-local": "its local derivatives",
        "task-order": "the order of the backward pass",
        "task-update": "a step of gradient descent",
        "task-1": "level 1: one product",
        "task-2": "level 2: shared nodes",
        "task-3": "level 3: neurons",
        "task-4": "level 4: networks",
        "another": "Another one",
        "source-intro": "This Python makes the same graph. It needs this project: run pip install . in its folder.",
        "copy": "Copy",
        "copied": "Copied.",
        "copy-here": "The browser did not copy the code. It is selected now: press Ctrl+C.",
        "no-scripts": "This page computes in your browser, so it needs JavaScript.",
        **{phrase: phrase for phrase in (*FRAME, *SPOKEN)},
    },
}
