"""Whether a change of the code changed a verdict: records every verdict on the data, compares two records.

    python -m benchmarks.frozen record before.jsonl
    python -m benchmarks.frozen compare before.jsonl

Graded are the recorded responses, pairs of reference answers, and the test cases. `compare` grades again and
exits with 1 where `correct`, `layer` or `answer` of any row is another one.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from benchmarks.data import ROOT, data_folder
from lm_eval_ext.grading import EXTRACTORS, Grader, Item

CASES = ROOT / "tests" / "cases"
TIMED_OUT = ["timed out"]
"""In place of a verdict that a busy machine may change."""
_TIME = re.compile(r"timed out|no time")
app = typer.Typer(add_completion=False)


class Case(NamedTuple):
    """What is graded: a response by an extractor, or an answer already extracted (extractor "")."""

    key: str
    given: str
    gold: Any
    problem: str | None = None
    extractor: str = "statement"


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.is_file() else []


def responses(folder: Path) -> Iterator[Case]:
    """Every recorded response, with and without its problem."""
    for i, row in enumerate(lines(folder / "mathnet/responses.jsonl")):
        yield Case(f"mathnet:{i}", row["response"], row["gold"])
    for i, row in enumerate(lines(folder / "gsm8k/responses.jsonl")):
        for name in ("statement", "strict", "flexible"):
            yield Case(f"gsm8k:{name}:{i}", row["response"], row["gold"], row["question"], name)
    for i, row in enumerate(lines(folder / "math_cot_100/responses.jsonl")):
        for k, response in enumerate(row["responses"]):
            yield Case(f"math_cot:{i}:{k}", response, row["answer"], row["problem"])
    for file in sorted((folder / "external").glob("*.jsonl")):
        for i, row in enumerate(lines(file)):
            yield Case(f"{file.stem}:{i}", row["response"], row["gold"], row["problem"])
    for i, row in enumerate(lines(folder / "field_cases.jsonl")):
        yield Case(f"field:{i}", row["response"], row["gold"], row["problem"], row["extract"])
    for i, row in enumerate(lines(folder / "choices/test.jsonl")):
        for letter in "ABCD":
            yield Case(f"choices:{i}:{letter}", f"The answer is ({letter}).", row["gold"], row["problem"])


def golds(folder: Path) -> Iterator[list[Any]]:
    """Reference answers by data set, and worked solutions."""
    yield [row["final_answer"] for row in lines(folder / "mathnet/eval.jsonl")]
    yield [row["answer"] for row in lines(folder / "math500/test.jsonl")]
    yield [row["final_answer"][0] for row in lines(folder / "olympiadbench/test.jsonl")]
    for file in (*sorted(folder.glob("hendrycks_math/*/test.jsonl")), folder / "minerva_math/test.jsonl"):
        yield [row["solution"] for row in lines(file)]


def pairs(folder: Path) -> Iterator[Case]:
    """Reference answers against themselves and the next two, which differ as a rule."""
    for number, every in enumerate(golds(folder)):
        for i, given in enumerate(every):
            for step in (0, 1, 2):
                gold = every[(i + step) % len(every)]
                worked = "boxed" in given
                yield Case(f"golds:{number}:{i}:{step}", given, gold, None, "boxed" if worked else "")


def cases() -> Iterator[Case]:
    for name in ("answers", "adversarial", "grade"):
        for i, row in enumerate(lines(CASES / f"{name}.jsonl")):
            yield Case(f"{name}:{i}", row["answer"], row["gold"], None, "")
    for i, row in enumerate(lines(CASES / "extract.jsonl")):
        for name in EXTRACTORS:
            yield Case(f"extract:{name}:{i}", row["response"], row.get("answer") or "0", None, name)
    for i, row in enumerate(lines(CASES / "pleasing.jsonl")):
        for gold in ("5", "x = 2", "Yes", "(A)", r"\{1, 2\}"):
            yield Case(f"pleasing:{i}:{gold}", row["response"], gold)


def graded(every: list[Case]) -> dict[str, list[Any]]:
    """(correct, layer, answer) by key."""
    found: dict[str, list[Any]] = {}
    with Grader() as grader:
        for name in ("", *EXTRACTORS):
            chosen = [case for case in every if case.extractor == name]
            if name:
                items = [Item(case.given, case.gold, case.problem) for case in chosen]
                verdicts = grader.grade(items, extractor=EXTRACTORS[name], progress=name)
            else:
                verdicts = grader.equal([(case.given, case.gold) for case in chosen])
            for case, verdict in zip(chosen, verdicts, strict=True):
                timed_out = verdict.correct is None and bool(_TIME.search(verdict.reason or ""))
                found[case.key] = TIMED_OUT if timed_out else [verdict.correct, verdict.layer, verdict.answer]
    return found


def verdicts(data: Path | None, every: int = 1) -> dict[str, list[Any]]:
    folder = data_folder(data)
    return graded([*responses(folder), *pairs(folder), *cases()][::every])


Data = Annotated[Path | None, typer.Option(help="Folder of the data sets; default: see benchmarks/data.py.")]


@app.command()
def record(out: Path, data: Data = None) -> None:
    """Write every verdict to OUT."""
    found = verdicts(data)
    out.write_text("".join(json.dumps([key, *row]) + "\n" for key, row in found.items()), "utf-8")
    typer.echo(f"{len(found)} verdicts: {dict(Counter(str(row[0]) for row in found.values()))}")


@app.command()
def compare(
    before: Path,
    data: Data = None,
    every: Annotated[int, typer.Option(min=1, help="Only every N-th case, for a quick look.")] = 1,
) -> None:
    """Grade again and compare with the record BEFORE."""
    known = {key: row for key, *row in map(json.loads, before.read_text("utf-8").splitlines())}
    found = verdicts(data, every)
    keys = sorted(known.keys() | found.keys()) if every == 1 else sorted(found)
    timed = [key for key in keys if TIMED_OUT in (known.get(key), found.get(key))]
    changed = [key for key in keys if key not in timed and known.get(key) != found.get(key)]
    for key in changed[:50]:
        typer.echo(f"{key}\n  before {known.get(key)}\n  now    {found.get(key)}")
    typer.echo(f"{len(changed)} of {len(keys)} verdicts changed; {len(timed)} timed out on either side")
    raise typer.Exit(bool(changed))


if __name__ == "__main__":
    app()
