"""Write a report: `report.html`, `report.md`, `figures/*.png`, `tables/*.csv` and `tables/*.md`.

The page sends no request and runs no script but its own: templates escape all text from runs, formulas are
rebuilt from allowed MathML elements, and a content security policy allows one script, identified by its hash.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from tqdm import tqdm

from lm_eval_ext.analysis import pages
from lm_eval_ext.analysis.compare import TaskComparison
from lm_eval_ext.analysis.entries import OUTCOMES
from lm_eval_ext.analysis.report import cards, sections
from lm_eval_ext.analysis.report.drawing import Figure
from lm_eval_ext.analysis.report.figures import figures
from lm_eval_ext.analysis.report.model import Report
from lm_eval_ext.analysis.tables import Table, as_csv, as_markdown, plain
from lm_eval_ext.atomic import write_bytes, write_text
from lm_eval_ext.grading.types import LAYERS
from lm_eval_ext.harness.errors import UserError

_NEEDED = ("matplotlib", "latex2mathml")
_MATRICES = 6
"""Maximum number of pairs to draw 2x2 tables for; beyond it, the table of pairs suffices."""


def require() -> None:
    """Raises UserError if the packages for figures and formulas are not installed."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise UserError(f"report needs {' and '.join(missing)}: pip install 'lm-eval-ext[report]'")


def write(report: Report, out: Path, *, progress: bool = False) -> list[Path]:
    """Writes all files of a report into the folder `out`, each atomically, and returns their paths.

    Raises UserError without the extra `report`.
    """
    require()
    every, drawn = sections.every_table(report), figures(report)
    files = {"report.html": page(report, every, drawn, progress=progress)}
    for made in filter(lambda made: made.rows, every):
        files[f"tables/{file_name(made.key)}.csv"] = as_csv(made)
        files[f"tables/{file_name(made.key)}.md"] = as_markdown(made)
    files["report.md"] = document(report, every, drawn)
    for name, text in files.items():
        write_text(out / name, text)
    pictures = [out / "figures" / f"{file_name(figure.stem)}.png" for figure in drawn]
    for path, figure in zip(pictures, drawn, strict=True):
        write_bytes(path, figure.png())
    return [*(out / name for name in files), *pictures]


def page(report: Report, every: Sequence[Table], drawn: Sequence[Figure], *, progress: bool = False) -> str:
    """The report as one HTML file."""
    environment = pages.environment("lm_eval_ext.analysis.report")
    script = environment.get_template("report.js").render().strip()
    samples = cards.page(report)
    made = environment.get_template("page.html").render(
        **{made.key: made for made in every},
        breakdowns=[made for made in every if made.key.startswith("by_")],
        report=report,
        matrices=_matrices(report),
        figures=drawn,
        manifests=sections.manifests(report),
        samples=samples,
        cards=tqdm(samples.cards, "rendering", disable=not progress, unit="problem"),
        outcomes=OUTCOMES,
        layer_names=LAYERS,
        style=environment.get_template("style.css").render(),
        script=script,
        script_hash="sha256-" + base64.b64encode(sha256(script.encode()).digest()).decode(),
    )
    return made.lstrip()


def _matrices(report: Report) -> list[TaskComparison]:
    every = [unit for made in report.comparisons for unit in made.units if unit.pairing is not None]
    return every if len(every) <= _MATRICES else []


def document(report: Report, every: Sequence[Table], drawn: Sequence[Figure]) -> str:
    """The report as Markdown: each table under its heading, with its figures in separate files."""
    runs = "\n".join(f"- {plain(run.name)}: {plain(run.model)}" for run in report.runs)
    parts = [f"# Evaluation report\n\nMade {report.made}.\n\n{runs}\n"]
    if report.warnings:
        parts.append("## Warnings\n\n" + "\n".join(f"- {plain(line)}" for line in report.warnings) + "\n")
    for made in filter(lambda made: made.rows, every):
        own = (figure for figure in drawn if figure.section == made.key)
        shown = (f"![{plain(f.caption)}](figures/{file_name(f.stem)}.png)\n\n" for f in own)
        parts.append(f"## {plain(made.title)}\n\n" + "".join(shown) + as_markdown(made))
    parts.append("The samples are in `report.html`; every table is in `tables/` as CSV and Markdown.\n")
    return "\n".join(parts)


def file_name(stem: str) -> str:
    """A safe file name: task names may have any characters."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in stem)[:120]
