"""What the report and `lm-eval-ext view` share: templates, style, formulas as MathML."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from lm_eval_ext.analysis import tables
from lm_eval_ext.analysis.pages.mathml import rendered

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def environment(package: str) -> Environment:
    """The templates of a package and the shared ones; all text is escaped."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader(__name__)]),
        autoescape=lambda name: not (name or "").endswith((".css", ".js")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "shown": tables.shown,
        "maths": rendered,
        "trusted": Markup,
        "start": start,
        "clip": clip,
        "breakable": breakable,
    }
    return made


def breakable(text: str) -> Markup:
    """A text that may break after its underscores and slashes, which browsers do not do by themselves."""
    return Markup(str(escape(text)).replace("_", "_<wbr>").replace("/", "/<wbr>"))


def clip(text: str, most: int) -> tuple[str, int, str]:
    """(head, number of omitted characters, tail) of a text; the tail is longer, since it has the answer."""
    if len(text) <= most:
        return "", 0, text
    head = most // 4
    return text[:head], len(text) - most, text[head - most :]


def start(text: str, most: int = 240) -> str:
    """The beginning of a long text, never cut inside a formula."""
    if len(text) <= most + 60:
        return text
    cut = text[:most]
    return (cut[: cut.rindex("$")] if cut.count("$") % 2 else cut) + " …"
