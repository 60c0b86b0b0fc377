"""`lm-eval-ext compare`: paired tests between runs on the same problems."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lm_eval_ext.cli.app import Filter, Metric, PairOn, app, say_next

if TYPE_CHECKING:
    from rich.table import Table

    from lm_eval_ext.analysis.compare_output import ComparisonResults


@app.command("compare")
def compare_command(
    places: Annotated[
        list[str],
        typer.Argument(metavar="A B [C...]", help="Results files or folders; all runs in a folder count."),
    ],
    metric: Metric = None,
    filter: Filter = None,
    pair_on: PairOn = "doc_hash",
    by: Annotated[str, typer.Option(help="Fields to break results down by: topic,level,subject,...")] = "",
    min_group: Annotated[int, typer.Option(min=1, help="Merge smaller groups into one.")] = 10,
    noise: Annotated[str | None, typer.Option(help="Second run of A's model, to measure noise.")] = None,
    cluster: Annotated[str | None, typer.Option(help="Field that groups dependent problems.")] = None,
    flips: Annotated[int, typer.Option(min=0, help="Number of flipped problems to show.")] = 0,
    out: Annotated[Path | None, typer.Option(file_okay=False, help="Folder for CSV, JSON, Markdown.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    across: Annotated[
        list[str] | None,
        typer.Option(metavar="SETTING", help="The setting that is compared; may be repeated."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Compare runs with different protocols.")] = False,
) -> None:
    """Compare runs problem by problem: difference, exact test, flipped problems, breakdowns.

    A run is a results file of lm_eval or its folder (made with --log_samples), optionally with a name:

        lm-eval-ext compare base=out/base tuned=out/tuned --by level,topic
        lm-eval-ext compare out/base out/tuned --noise out/base_batch8
        lm-eval-ext compare out/base out/tuned --flips 5 --out comparison
        lm-eval-ext compare plain=out/plain chat=out/chat --across chat_template

    Runs are paired by problem and must have the same protocol; an error
    names each setting that differs, with both values. With --across, the runs
    are of one model under two settings. Differences are A minus B, in
    percentage points.
    """
    from lm_eval_ext.analysis import naming, runs
    from lm_eval_ext.analysis.breakdown import require_fields
    from lm_eval_ext.analysis.compare import compare_all, noise_floor
    from lm_eval_ext.analysis.compare_output import ComparisonResults

    loaded = naming.named(places, filter=filter)
    if len(loaded) < 2:
        raise typer.BadParameter(f"compare needs at least two runs, got {len(loaded)}: {', '.join(places)}")
    made = compare_all(loaded, metric=metric, pair_on=pair_on, force=force, across=across or ())
    again = runs.load(Path(noise), filter=filter, name="again") if noise else None
    fields = tuple(name.strip() for name in by.split(",") if name.strip())
    require_fields(made, [*fields, *([cluster] if cluster else [])])
    floor = noise_floor(loaded[0], again, metric=metric, pair_on=pair_on, force=force) if again else None
    results = ComparisonResults(made, fields, min_group, floor, cluster)
    if as_json:
        typer.echo(json.dumps(results.json(), indent=1, ensure_ascii=False))
    else:
        show(results, flips)
    for path in results.write(out) if out else []:
        typer.echo(f"wrote {path}", err=True)
    if not as_json:
        say_next("report", *places, "--out", "report", why="a page with every response")


def show(results: ComparisonResults, flips: int = 0) -> None:
    """Prints comparisons as tables that fit 80 columns."""
    from rich.console import Console

    from lm_eval_ext.analysis import compare_output as output

    console = Console(highlight=False)
    for made, of_units in zip(results.comparisons, results.breakdowns, strict=True):
        console.rule(f"{made.a} (A) and {made.b} (B)", align="left")
        for unit, broken in zip(made.units, of_units, strict=True):
            console.print(output.heading(unit), style="bold", markup=False)
            console.print(_grid([[name, text] for name, text in results.facts(made, unit)]))
            if table := output.transitions(unit):
                console.print(_table(table[0], table[1:]))
            for one in broken:
                note = " (a problem counts in each of its values)" if one.several else ""
                head = [one.field, *output.BREAKDOWN_HEAD]
                console.print(_table(head, output.breakdown_cells(one), f"by {one.field}{note}"))
            for pair in unit.flips[:flips]:
                row = output.flip_row(pair, unit)
                console.print(_grid([[k, str(row[k])] for k in FLIP_SHOWN], title=f"right: {row['right']}"))
            if flips and len(unit.flips) > flips:
                console.print(f"{len(unit.flips) - flips} more flipped: --flips, or --out for all")


FLIP_SHOWN = ("id", "problem", "gold", "answer_a", "answer_b")


def _grid(rows: list[list[str]], title: str | None = None) -> Table:
    from rich.table import Table
    from rich.text import Text

    grid = Table(
        box=None, show_header=False, title=title, title_justify="left", title_style="bold", pad_edge=False
    )
    grid.add_column(style="cyan", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in rows:
        style = "yellow" if name == "warning" else ""
        grid.add_row(f"  {name}", Text(text, style=style))
    return grid


def _table(head: list[str], rows: list[list[str]], title: str | None = None) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)
    for i, name in enumerate(head):
        table.add_column(name, justify="right" if i else "left", overflow="fold", no_wrap=i > 0)
    for row in rows:
        table.add_row(*map(Text, row))
    return table
