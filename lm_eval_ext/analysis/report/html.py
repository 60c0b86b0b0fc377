"""The report as one HTML file that sends no request and runs no script but its own."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any

from lm_eval_ext.analysis.report import charts, sections, tables
from lm_eval_ext.analysis.report.breakdowns import breakdowns
from lm_eval_ext.analysis.report.cards import page as cards_page
from lm_eval_ext.analysis.report.entries import OUTCOMES
from lm_eval_ext.analysis.report.model import Report
from lm_eval_ext.analysis.report.tables import Table
from lm_eval_ext.grading.types import LAYERS

_MATRICES = 6
"""Maximum number of pairs to draw 2x2 tables for; beyond it, the table of pairs suffices."""


def page(report: Report, *, progress: bool = False) -> str:
    """The whole file.

    Templates escape all text from runs, formulas are rebuilt from allowed MathML elements, and a content
    security policy limits the browser to one script, identified by its hash.
    """
    environment = _environment()
    script = environment.get_template("report.js").render().strip()
    style = environment.get_template("report.css").render()
    context = _context(report, progress)
    made = environment.get_template("page.html").render(
        **context, script=script, style=style, script_hash=_hash(script)
    )
    return str(made).lstrip()


def _context(report: Report, progress: bool) -> dict[str, Any]:
    samples = cards_page(report, progress=progress)
    return {
        "report": report,
        "scores": sections.scoreboard(report),
        "layers": sections.layers(report),
        "modes": sections.modes(report),
        "pairs": sections.pairs(report),
        "matrices": _matrices(report),
        "lengths": sections.lengths(report),
        "histograms": charts.histograms(report),
        "breakdowns": breakdowns(report),
        "disagreements": sections.disagreements(report),
        "judged": sections.judge_against_symbolic(report),
        "budgets": sections.budgets(report),
        "lines": charts.lines(report),
        "settings": sections.settings(report),
        "versions": sections.versions(report),
        "manifests": sections.manifests(report),
        "samples": samples,
        "outcomes": OUTCOMES,
        "layer_names": LAYERS,
    }


def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    from lm_eval_ext.analysis.report.mathml import rendered

    made = Environment(
        loader=PackageLoader("lm_eval_ext.analysis.report"),
        autoescape=lambda name: not (name or "").endswith((".css", ".js")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"kinds": {kind: kind for kind in tables.KINDS}, "short": charts.short}
    made.filters |= {
        "shown": tables.shown,
        "maths": rendered,
        "trusted": Markup,
        "differing": _differing,
        "start": _start,
    }
    return made


def _differing(made: Table) -> tuple[list[Any], list[Any]]:
    """(rows of settings that differ between runs, rows of the others)."""
    return [r for r in made.rows if r[2] == "no"], [r for r in made.rows if r[2] == "yes"]


def _matrices(report: Report) -> list[Any]:
    every = [unit for made in report.comparisons for unit in made.units if unit.pairing is not None]
    return every if len(every) <= _MATRICES else []


def _start(text: str, most: int = 240) -> str:
    """The beginning of a long text, never cut inside a formula."""
    if len(text) <= most + 60:
        return text
    cut = text[:most]
    return (cut[: cut.rindex("$")] if cut.count("$") % 2 else cut) + " …"


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(sha256(script.encode()).digest()).decode()
