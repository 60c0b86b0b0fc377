"""The command line of the benchmark: `python -m benchmarks.grading`."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks import report, synthetic
from benchmarks.about import about, load_average
from benchmarks.data import ROOT, data_folder, load, names
from benchmarks.figures import Figures
from benchmarks.measure import data_set
from benchmarks.peers import PEERS
from lm_eval_ext.grading import Grader, GraderConfig
from lm_eval_ext.grading.cores import usable_cores

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_FLAGGED = "math_cot_100"


@app.command()
def main(
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of the data sets; by default $LM_EVAL_EXT_TEST_DATA, else ../shared/data."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the results go.")] = ROOT / "benchmarks" / "results",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Workers of this grader; by default one per usable core.")
    ] = None,
    limit: Annotated[
        int, typer.Option(min=0, help="Most rows of a data set: a seeded sample of larger ones; 0 for all.")
    ] = 2000,
    peers: Annotated[str, typer.Option(help="Which peers, separated by commas; '' for none.")] = ",".join(
        PEERS
    ),
    minerva_packages: Annotated[
        Path | None,
        typer.Option(help="Folder of packages for minerva alone: it asks for antlr4-python3-runtime 4.11."),
    ] = None,
    synthetic_count: Annotated[
        int, typer.Option("--synthetic", min=0, metavar="N", help="Grade N made-up answers instead.")
    ] = 0,
) -> None:
    """Measure this grader beside its peers, on recorded responses whose truth is known.

    Takes mathnet, math_cot_100, gsm8k and every file of external/; on each, all graders get the same rows,
    this one with their problems. Writes grading.md, grading.png, grading.json and
    math_cot_100_disagreements.md. About ten minutes on two cores.

        python -m benchmarks.grading --limit 100 --peers math-verify --out out/bench

    A peer that is not installed is listed with the reason. For minerva, beside what else is installed:

        pip install --target out/minerva 'antlr4-python3-runtime==4.11.*'

        python -m benchmarks.grading --minerva-packages out/minerva

    With --synthetic N it grades N made-up answers, of known truth, and reports whether time stays linear
    and memory flat: synthetic.md, synthetic.png, synthetic.json. Needs no data.

        python -m benchmarks.grading --synthetic 1000000
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise typer.BadParameter("the pictures need matplotlib: pip install '.[bench]'")
    out.mkdir(parents=True, exist_ok=True)
    workers = workers or usable_cores()
    if synthetic_count:
        _synthetic(out, workers, synthetic_count)
    else:
        _grading(data_folder(data), out, workers, limit, _known(peers), minerva_packages)


def _known(peers: str) -> list[str]:
    names = [name.strip() for name in peers.split(",") if name.strip()]
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        raise typer.BadParameter(f"no such peers: {unknown}; there are {list(PEERS)}", param_hint="--peers")
    return names


def _grading(
    folder: Path, out: Path, workers: int, limit: int, peers: Sequence[str], packages: Path | None
) -> None:
    try:
        sets = {name: load(name, folder, limit) for name in names(folder)}
    except FileNotFoundError as error:
        sys.exit(str(error))
    where = about() | {"rows of a data set, at most": f"{limit} (seeded sample)" if limit else "all"}
    found = {}
    for number, (name, rows) in enumerate(sets.items(), start=1):
        typer.echo(f"{name} ({number} of {len(sets)}): {len(rows)} responses", err=True)
        found[name] = data_set(rows, workers, peers, packages)
    where["load average at the end"] = load_average()
    write_grading(out, where, found)
    _draw("grading", found, out)


def write_grading(out: Path, where: dict[str, str], found: dict[str, Figures]) -> None:
    """Writes all but the picture. Texts of the data stay out of the JSON."""
    flagged = found.get(_FLAGGED)
    if flagged:
        page = report.disagreements(_FLAGGED, where, flagged)
        _write(out / f"{_FLAGGED}_disagreements.md", page)
    bare = {name: {k: v for k, v in one.items() if k != "disagreements"} for name, one in found.items()}
    _write_json(out / "grading.json", {"about": where, "sets": bare})
    _write(out / "grading.md", report.report(where, found))


def _synthetic(out: Path, workers: int, count: int) -> None:
    where = about() | {"workers": str(workers)}
    with Grader(GraderConfig(workers=workers)) as grader:
        found = synthetic.run(grader, count)
    where["load average at the end"] = load_average()
    _write_json(out / "synthetic.json", {"about": where, **found})
    _write(out / "synthetic.md", synthetic.report(where, found))
    _draw("synthetic", found["tenths"], out)


def _draw(name: str, found: Any, out: Path) -> None:
    """matplotlib is loaded when all is measured: its memory is no part of the figures."""
    from benchmarks import plots

    file = out / f"{name}.png"
    getattr(plots, name)(found, file)
    typer.echo(f"wrote {file}", err=True)


def _write(file: Path, text: str) -> None:
    file.write_text(text, "utf-8")
    typer.echo(f"wrote {file}", err=True)


def _write_json(file: Path, content: Any) -> None:
    _write(file, json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    app()
