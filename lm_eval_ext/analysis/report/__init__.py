"""Report on runs: an HTML page that works offline, Markdown with figures, every table as CSV.

Modules, in import order: `tokens`, `entries` (responses and their outcomes), `modes`, `lengths`, `budget`,
`tables` (table data and its formats), `model` (a report's data), `warnings`, `builder`, `disagreements`,
`breakdowns`, `sections` (a report's tables), `charts`, `figures` (PNG), `mathml`, `cards` (the samples),
`html`, `markdown`, `write`.

    report = build([load(Path("out/"))])
    write(report, Path("report"))
"""

from lm_eval_ext.analysis.report.builder import build
from lm_eval_ext.analysis.report.model import Options, Report
from lm_eval_ext.analysis.report.write import write

__all__ = ["Options", "Report", "build", "write"]
