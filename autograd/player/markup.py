"""HTML and SVG as trees, so that text never becomes markup: it is escaped when the tree is written.

>>> write(element("p", "1 < 2", class_="note", data_step="3"))
'<p class="note" data-step="3">1 &lt; 2</p>'
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any
from xml.etree.ElementTree import Element, tostring

from autograd.writing import printable

__all__ = ["as_data", "element", "policy_hash", "style_of", "write"]


def element(tag: str, content: str | Element, **attributes: str) -> Element:
    """Make an element: ``class_`` is its class, ``data_step`` its attribute data-step; control characters are made visible."""
    made = Element(tag, {name.rstrip("_").replace("_", "-"): printable(text) for name, text in attributes.items()})
    if isinstance(content, Element):
        made.append(content)
    else:
        made.text = printable(content)
    return made


def write(tree: Element) -> str:
    """Write a tree as HTML."""
    return tostring(tree, encoding="unicode", method="html")


def as_data(content: Any) -> str:
    r"""Write plain data as JSON for the inside of a script element, which no text in it can end.

    >>> as_data({"label": "</script>"})
    '{"label": "\\u003c/script>"}'
    """
    return json.dumps(content).replace("<", r"\u003c")


def style_of(markup: str) -> str:
    """Return the style sheet in a player's markup; all players of one kind have the same."""
    return str(re.findall(r"<style>(.*?)</style>", markup, re.DOTALL)[0])


def policy_hash(text: str) -> str:
    """Return the hash, in quotes, by which a Content-Security-Policy allows a script or a style.

    >>> policy_hash("")
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    """
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
