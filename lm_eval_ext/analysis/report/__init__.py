"""Runs as a report: one HTML page that needs no network, Markdown with figures, every table as CSV.

Rooms, from the ground up: `tokens`, `entries` (responses with what is known of them), `modes`, `lengths`,
`budget`, `tables` (data and how it is written), `model` (a report's data), `warnings`, `builder`,
`disagreements`, `breakdowns`, `sections` (a report's tables), `charts`, `figures` (PNG), `mathml`, `cards`
(the samples), `html`, `markdown`, `write`.

    report = build([load(Path("out/"))])
    write(report, Path("report"))
"""

from lm_eval_ext.analysis.report.builder import build
from lm_eval_ext.analysis.report.model import Options, Report
from lm_eval_ext.analysis.report.write import write

__all__ = ["Options", "Report", "build", "write"]
