r"""Golds against themselves, and against copies with one sign changed: how many are taken for equal.

    python -m benchmarks.mutants

Every gold is its own answer; each copy has one digit, sign, letter, bracket or entry changed. Left as is are
the name of the unknown, and what explains a yes or no, for neither is part of the answer. Accepted copies are
listed with the rule that makes them equal: a reader tells those that are equal (+ C and - C) from faults.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from benchmarks.data import ROOT, SEED, data_folder
from benchmarks.frozen import golds, lines
from lm_eval_ext.grading import Grader
from lm_eval_ext.grading.golds import acceptable

app = typer.Typer(add_completion=False)


class Mutant(NamedTuple):
    """A changed gold, and how it was changed."""

    kind: str
    text: str
    gold: str


_COMMAND = re.compile(r"\\[A-Za-z]+|[A-Za-z]{2,}")
_ENTRY = re.compile(r"(?<=[(\[{&,])\s*([^(),&\[\]{}\\]{1,12})\s*(?=[),&\]}])")
_NAME_END = re.compile(
    r"\s*(?:_\{?\w+\}?)?\s*(?:\([^()=]*\))?\s*(?:=|\\in\b|∈|≥|≤|\\[gl]e(?:q|qslant)?\b|\\equiv|≡|[<>,])"
)
_DECISION = re.compile(r"\s*(?:\(?a\)?[).]?\s*)?(?:yes|no|none|there)\b", re.IGNORECASE)
_BRACKETS = {"(": "[", "[": "(", ")": "]", "]": ")"}


def mutants(gold: str, chance: random.Random) -> Iterator[Mutant]:
    """One of each kind that `gold` has a place for."""
    words = {i for match in _COMMAND.finditer(gold) for i in range(*match.span())}
    for kind, other in _CHANGES.items():
        places = [i for i, sign in enumerate(gold) if other(sign)]
        if kind == "letter":
            places = [i for i in places if i not in words and not _NAME_END.match(gold, i + 1)]
        if places:
            at = chance.choice(places)
            yield Mutant(kind, gold[:at] + other(gold[at]) + gold[at + 1 :], gold)
    entries = list(_ENTRY.finditer(gold))
    if entries:
        start, end = chance.choice(entries).span(1)
        yield Mutant("entry", f"{gold[:start]}97{gold[end:]}", gold)


_CHANGES: dict[str, Callable[[str], str]] = {
    "digit": lambda sign: str((int(sign) + 1) % 10) if sign in "0123456789" else "",
    "sign": lambda sign: {"+": "-", "-": "+"}.get(sign, ""),
    "letter": lambda sign: "w" if sign.isascii() and sign.isalpha() and sign != "w" else "",
    "bracket": lambda sign: _BRACKETS.get(sign, ""),
}


def sources(folder: Path) -> dict[str, list[str]]:
    """Reference answers by data set."""
    names = ("mathnet", "math500", "olympiadbench", *["math"] * 7, "minerva_math")
    found: dict[str, list[str]] = {}
    for name, texts in zip(names, golds(folder), strict=False):
        found.setdefault(name, []).extend(acceptable(text)[0] for text in texts if text)
    found["college"] = sorted({row["gold"] for row in lines(ROOT / "tests" / "cases" / "college.jsonl")})
    return found


@app.command()
def main(
    data: Annotated[Path | None, typer.Option(help="Folder of the data sets.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Only every N-th gold, for a quick look.")] = 1,
) -> None:
    """Print self-agreement and accepted mutants for each data set."""
    chance = random.Random(SEED)
    with Grader() as grader:
        for name, texts in sources(data_folder(data)).items():
            chosen = texts[::every]
            changed = [m for g in chosen if not _DECISION.match(g) for m in mutants(g, chance)]
            alone = grader.equal([(gold, f" {gold} .") for gold in chosen])
            found = grader.equal([(m.text, m.gold) for m in changed])
            taken = [(m, v) for m, v in zip(changed, found, strict=True) if v.correct]
            itself = sum(v.correct is True for v in alone)
            for gold, verdict in zip(chosen, alone, strict=True):
                if not verdict.correct:
                    typer.echo(f"  not itself [{verdict.rule}] {gold[:150]!r}")
            kinds = Counter(m.kind for m, _ in taken)
            typer.echo(
                f"{name}: {itself} of {len(chosen)} golds equal themselves; "
                f"{len(taken)} of {len(changed)} mutants accepted ({dict(kinds)})"
            )
            for m, verdict in taken:
                typer.echo(f"  {m.kind} [{verdict.rule}] {m.text[:150]!r} for {m.gold[:150]!r}")


if __name__ == "__main__":
    app()
