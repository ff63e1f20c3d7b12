"""One picture in several formats for a notebook; each viewer shows the best one that it allows.

JupyterLab shows no SVG in a notebook that is not trusted, and takes scripts and styles out of HTML, but leaves images whose
address is the data itself.  So such an image comes first.  GitHub prefers HTML where there is any, but does not show SVG in an
address, so ``tests/regenerate_notebooks.py`` replaces it by a PNG in the notebooks of this repository.

>>> bundle(image("<svg/>", "a < b"), "<svg/>", "<drawing>")["text/html"]
'<img style="max-width: 100%" alt="a &lt; b" src="data:image/svg+xml;base64,PHN2Zy8+">'

Source: https://jupyterlab.readthedocs.io/en/stable/user/notebook.html, https://github.com/jupyter/nbconvert/pull/2106
"""

from __future__ import annotations

import base64
from html import escape

__all__ = ["bundle", "image"]


def image(svg: str, words: str) -> str:
    """Write an SVG as an HTML image that is never wider than its page and runs no script.

    Args:
        svg: the picture.
        words: what it shows, for screen readers.
    """
    data = base64.b64encode(svg.encode()).decode()
    return f'<img style="max-width: 100%" alt="{escape(words)}" src="data:image/svg+xml;base64,{data}">'


def bundle(html: str, svg: str, text: str) -> dict[str, str]:
    """Return the formats by their MIME types, as `_repr_mimebundle_` has to."""
    return {"text/html": html, "image/svg+xml": svg, "text/plain": text}
