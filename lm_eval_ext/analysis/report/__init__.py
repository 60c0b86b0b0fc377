"""Report on runs: an HTML page that works offline, Markdown with figures, every table as CSV.

Modules, in import order: `tokens`, `entries` (responses and their outcomes), `budget`, `model` (a report's
data), `warnings`, `builder`, `disagreements`, `breakdowns`, `matrix` (models by evaluations), `sections`
(tables), `drawing`, `matrix_figures`, `figures`, `mathml`, `cards` (samples), `write` (the page and the other
files).

A further table is a function in `sections.every_table`, a further figure one in `figures.figures`: both are
then in the Markdown, and `templates/page.html` gives them a place on the page.

    report = build([load(Path("out/"))])
    write(report, Path("report"))
"""

from lm_eval_ext.analysis.report.builder import build
from lm_eval_ext.analysis.report.model import Options, Report
from lm_eval_ext.analysis.report.write import write

__all__ = ["Options", "Report", "build", "write"]
