"""The report as Markdown, with PNG figures in separate files."""

from __future__ import annotations

from collections.abc import Sequence

from lm_eval_ext.analysis.report.model import Report
from lm_eval_ext.analysis.report.tables import Table, as_markdown, plain

_FIGURE_AFTER = {"lengths": "lengths_", "budgets": "budget_"}


def document(report: Report, tables: Sequence[Table], figures: Sequence[tuple[str, str]]) -> str:
    """The whole document: each table under its heading, with its figures.

    Args:
        figures: (file stem, caption) of each figure in `figures/`.
    """
    runs = "\n".join(f"- {plain(run.name)}: {plain(run.model)}" for run in report.runs)
    parts = [f"# Evaluation report\n\nMade {report.made}.\n\n{runs}\n"]
    if report.warnings:
        parts.append("## Warnings\n\n" + "\n".join(f"- {plain(line)}" for line in report.warnings) + "\n")
    for made in tables:
        prefix = _FIGURE_AFTER.get(made.key, made.key)
        drawn = [_figure(s, what) for s, what in figures if s == made.key or s.startswith(prefix)]
        parts.append(f"## {plain(made.title)}\n\n" + "".join(drawn) + as_markdown(made))
    parts.append("The samples are in `report.html`; every table is in `tables/` as CSV and Markdown.\n")
    return "\n".join(parts)


def _figure(stem: str, what: str) -> str:
    return f"![{plain(what)}](figures/{file_name(stem)}.png)\n\n"


def file_name(stem: str) -> str:
    """A safe file name: task names may have any characters."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in stem)[:120]
