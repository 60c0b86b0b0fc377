"""Convert LaTeX in problems and answers to safe MathML; all other text is escaped.

latex2mathml passes `\\text{<script>}`, `\\href` and `\\style` through. So its element tree is used instead of
its string: attributes not listed here are dropped, and a formula with other elements is shown as source.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from xml.etree import ElementTree

from markupsafe import Markup, escape

MAX_CHARS = 4_000
_MAX_DEPTH = 60
_TAGS = {
    "math", "mi", "mn", "mo", "ms", "mtext", "mspace", "mrow", "mfrac", "msqrt", "mroot", "mstyle", "merror",
    "mpadded", "mphantom", "mfenced", "menclose", "msub", "msup", "msubsup", "munder", "mover", "munderover",
    "mmultiscripts", "mprescripts", "none", "mtable", "mtr", "mtd", "mlabeledtr",
}  # fmt: skip
_ATTRIBUTES = {
    "accent", "accentunder", "columnalign", "columnlines", "columnspacing", "columnspan", "depth", "display",
    "displaystyle", "fence", "form", "height", "largeop", "linethickness", "lspace", "mathvariant", "maxsize",
    "minsize", "movablelimits", "notation", "rowlines", "rowspacing", "rowspan", "rspace", "scriptlevel",
    "separator", "stretchy", "symmetric", "voffset", "width", "mathcolor",
}  # fmt: skip
_FORMULA = re.compile(
    r"\$\$(?P<display>.+?)\$\$|\\\[(?P<bracket>.+?)\\\]|\\\((?P<paren>.+?)\\\)"
    r"|(?<!\\)\$(?P<inline>[^$]+?)(?<!\\)\$",
    re.DOTALL,
)
_SIGN_OF_LATEX = re.compile(r"\\[A-Za-z]+|[\^_]")
_COMMAND_OR_TEXT = re.compile(r"\\(?:text|mathrm|operatorname|textbf|mbox)\s*\{[^{}]*\}|\\[A-Za-z]+")
_PROSE = re.compile(r"[A-Za-z]{4,}|[A-Za-z]{2,}\s+[A-Za-z]{2,}")


def rendered(text: str, mark: tuple[int, int] | None = None) -> Markup:
    """The text with its formulas as MathML; everything else is escaped source.

    `mark`: start and end of what is highlighted, a formula as a whole.
    """
    if mark is None and not _FORMULA.search(text):
        return _whole(text)
    parts, done = [], 0
    for match in _FORMULA.finditer(text):
        parts.append(marked(text, done, match.start(), mark))
        latex = next(group for group in match.groups() if group is not None)
        block = match.lastgroup in ("display", "bracket")
        made = formula(latex, block) or source(match.group())
        inside = mark is not None and max(mark[0], match.start()) < min(mark[1], match.end())
        parts.append(Markup("<mark>{}</mark>").format(made) if inside else made)
        done = match.end()
    return Markup("").join([*parts, marked(text, done, len(text), mark)])


def marked(text: str, start: int, end: int, mark: tuple[int, int] | None) -> Markup:
    """A part of a text, escaped, with what `mark` has of it highlighted."""
    first, last = (min(max(edge, start), end) for edge in mark or (start, start))
    inside = Markup("<mark>{}</mark>").format(text[first:last]) if first < last else Markup("")
    return escape(text[start:first]) + inside + escape(text[last:end])


def source(latex: str) -> Markup:
    """The source of a formula."""
    return Markup('<code class="tex">{}</code>').format(latex)


@lru_cache(maxsize=65_536)
def formula(latex: str, block: bool = False) -> Markup | None:
    """A formula as MathML; None if it is too long, cannot be converted, or yields other elements."""
    from latex2mathml.converter import convert_to_element

    if len(latex) > MAX_CHARS or latex.count("{") > 40 * _MAX_DEPTH:
        return None
    try:
        tree = convert_to_element(latex.strip(), display="block" if block else "inline")
        clean = _clean(tree, 0)
    except (_Refused, RecursionError):
        return None
    except Exception:  # its errors share no base class, and odd input raises others: show the source
        return None
    clean.set("alttext", latex.strip())
    return Markup(ElementTree.tostring(clean, encoding="unicode"))


class _Refused(ValueError):
    """The formula uses elements that are not allowed."""


def _clean(element: ElementTree.Element, depth: int) -> ElementTree.Element:
    if element.tag not in _TAGS or depth > _MAX_DEPTH:
        raise _Refused(element.tag)
    text = html.unescape(element.text or "")
    if element.tag == "mi" and text.startswith("\\"):
        raise _Refused(text)  # an unknown command
    kept = {k: v for k, v in element.attrib.items() if k in _ATTRIBUTES}
    made = ElementTree.Element(element.tag, kept)
    made.text = text or None
    children = list(element)
    bare = element.tag == "mrow" and not kept and len(children) == 1 and not text
    if bare:  # unwrap rows of one element, which would make up half of the page
        return _clean(children[0], depth + 1)
    made.extend(_clean(child, depth + 1) for child in children)
    return made


def _whole(text: str) -> Markup:
    """A text without dollar signs: an answer is often one formula, a problem is prose."""
    bare = _COMMAND_OR_TEXT.sub(" ", text)
    if _SIGN_OF_LATEX.search(text) and not _PROSE.search(bare) and (made := formula(text)):
        return made
    return escape(text)
