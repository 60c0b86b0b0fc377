"""`lm-eval-ext report`: report on runs and audit the grader."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lm_eval_ext.cli.app import Filter, Metric, PairOn, app, say_next

_MOST_SAMPLES = 2_400
"""Responses on a page by default, of all runs together."""
Samples = Annotated[
    int | None, typer.Option(min=0, help="Responses per run on the samples page; default: 200, or fewer.")
]
Budgets = Annotated[
    str | None, typer.Option(help="Token budgets to simulate: 1024,4096; default: powers of two.")
]
Baselines = Annotated[
    Path | None, typer.Option(file_okay=False, help="Folder of baselines; default: the packaged ones.")
]


@app.command("report")
def report_command(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="RUN", help="results_*.json, folder, batch; or NAME=PATH.")
    ] = None,
    out: Annotated[Path, typer.Option(file_okay=False, help="Output folder.")] = Path("report"),
    samples: Samples = None,
    response_chars: Annotated[int, typer.Option(min=100, help="Characters shown of each response.")] = 1500,
    budgets: Budgets = None,
    tokenizer: Annotated[
        str | None, typer.Option(help="Tokenizer for runs that name none, such as API models.")
    ] = None,
    baselines: Baselines = None,
    metric: Metric = None,
    filter: Filter = None,
    pair_on: PairOn = "doc_hash",
    audit: Annotated[
        int | None,
        typer.Option(min=1, help="Export N rejected and N accepted answers to label."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the audit's sample and order.")] = 0,
    audit_labels: Annotated[
        Path | None, typer.Option(help="Labelled sheet of an audit, CSV or JSONL.")
    ] = None,
    audit_key: Annotated[Path | None, typer.Option(help="Key file of the same audit.")] = None,
) -> None:
    """Write a report on runs: an HTML page that works offline, Markdown with figures, every table as CSV.

    \b
        lm-eval-ext report out/ --out report/
        lm-eval-ext report base=out/base tuned=out/tuned --out report/ --samples 500
        lm-eval-ext report out/plan --out report/

    An audit measures how often the grader is right. Export answers without their verdicts, fill in the column
    "label" (yes: the answer equals the reference answer; no; unsure), then read the labels back:

        lm-eval-ext report out/ --audit 100 --out audit/
        lm-eval-ext report --audit-labels audit/sheet.csv --audit-key audit/key.json --out audit/
    """
    from lm_eval_ext.analysis import audit as audits
    from lm_eval_ext.batch.results import read_places
    from lm_eval_ext.errors import UserError

    if (audit_labels is None) != (audit_key is None):
        raise UserError(
            "--audit-labels and --audit-key go together: the labelled sheet and key.json of one audit"
        )
    if audit_labels is not None and audit_key is not None:
        lines = audits.judge_grader(audit_labels, audit_key, out)
    elif not runs:
        raise UserError("give at least one run: lm-eval-ext report out/")
    elif audit is not None:
        lines = audits.export(read_places(runs, filter)[0], audit, out, seed=seed)
    else:
        lines = _report(
            runs, filter, out, samples=samples, response_chars=response_chars, budgets=_numbers(budgets),
            tokenizer=tokenizer, metric=metric, pair_on=pair_on, baselines=baselines,
        )  # fmt: skip
    for line in lines:
        typer.echo(line)
    say_next(*_following(runs or [], out, audit))


def _following(runs: list[str], out: Path, audit: int | None) -> tuple[object, ...]:
    """The command after a report on several runs, on one, after an audit's export, and after its labels."""
    from lm_eval_ext.analysis.audit import KEY, SHEET

    if len(runs) > 1 and not audit:
        return ("compare", *runs)
    if runs and not audit:
        return ("report", *runs, "--audit", 100, "--out", "audit")
    if audit:
        return ("report", "--audit-labels", out / SHEET, "--audit-key", out / KEY, "--out", out)
    return ("explain", "RESPONSE", "GOLD")


def _report(places: list[str], filter: str | None, out: Path, **options: Any) -> list[str]:
    from lm_eval_ext.analysis import report as reports
    from lm_eval_ext.analysis.report.sections import overview
    from lm_eval_ext.analysis.report.write import require
    from lm_eval_ext.analysis.tables import as_text
    from lm_eval_ext.batch.results import read_places

    require()
    runs, matrix = read_places(places, filter, options["metric"])
    if options["samples"] is None:
        options["samples"] = min(200, _MOST_SAMPLES // len(runs))
    made = reports.build(runs, reports.Options(**options), matrix=matrix, progress=True)
    written = reports.write(made, out, progress=True)
    for warning in made.warnings:
        typer.echo(f"warning: {warning}", err=True)
    size = written[0].stat().st_size / 1e6
    return [
        as_text(overview(made)),
        f"{written[0]} ({size:.2f} MB) and {len(written) - 1} files beside it; open it in a browser",
    ]


def _numbers(text: str | None) -> tuple[int, ...] | None:
    from lm_eval_ext.errors import UserError

    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise UserError(f"--budgets {text}: must be positive integers separated by commas: 1024,4096")
    return tuple(sorted({int(part) for part in parts}))
