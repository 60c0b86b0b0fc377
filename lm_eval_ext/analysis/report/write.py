"""Write a report: `report.html`, `report.md`, `figures/*.png`, `tables/*.csv` and `tables/*.md`."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from lm_eval_ext.analysis.report import html, markdown
from lm_eval_ext.analysis.report.figures import figures
from lm_eval_ext.analysis.report.model import Report
from lm_eval_ext.analysis.report.sections import every_table
from lm_eval_ext.analysis.report.tables import as_csv, as_markdown
from lm_eval_ext.atomic import write_bytes, write_text
from lm_eval_ext.harness.errors import UserError

_NEEDED = ("matplotlib", "latex2mathml")


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
    tables = every_table(report)
    written = [out / "report.html"]
    write_text(written[0], html.page(report, progress=progress))
    for made in tables:
        stem = out / "tables" / markdown.file_name(made.key)
        for suffix, text in ((".csv", as_csv(made)), (".md", as_markdown(made))):
            written.append(stem.with_name(stem.name + suffix))
            write_text(written[-1], text)
    drawn = []
    for stem_, what, png in figures(report):
        drawn.append((stem_, what))
        written.append(out / "figures" / f"{markdown.file_name(stem_)}.png")
        write_bytes(written[-1], png)
    written.append(out / "report.md")
    write_text(written[-1], markdown.document(report, tables, drawn))
    return written
