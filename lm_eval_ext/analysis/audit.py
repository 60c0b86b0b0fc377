"""An audit of the grader: a blind, shuffled sample of its verdicts to label, and what the labels say.

The same number of accepted answers and of misses is drawn, so every figure weights a drawn answer by how many
it represents:

    precision = p_accepted                                     share of the accepted that are labelled yes
    recall    = A p_accepted / (A p_accepted + M p_missed)     A accepted and M missed in the runs

where p_missed is the share of misses labelled yes. Precision is one share: Wilson's interval. Recall is
1 / (1 + r) with r = M p_missed / (A p_accepted), a ratio of two independent shares; its interval is MOVER's
(Donner and Zou 2012, Stat. Methods Med. Res. 21:347). Like the delta method it adds up variances, but it
recovers them from the two Wilson intervals, so that it holds where no miss is labelled yes. There is no
correction for drawing a large part of a stratum: intervals are then wider than need be. "unsure" is in no
share. With 100 labels a stratum it covers 95% to 97% of the time, 92% where one miss in 100 is right: as
Wilson's own does there.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis import lm_eval_files, stats
from lm_eval_ext.analysis.entries import ERROR, RIGHT, Entry, entries_of
from lm_eval_ext.analysis.runs import Run
from lm_eval_ext.analysis.tables import as_markdown, csv_text, table
from lm_eval_ext.atomic import write_text
from lm_eval_ext.harness.errors import DataError
from lm_eval_ext.harness.sources import read_rows

YES, NO, UNSURE = LABELS = ("yes", "no", "unsure")
ACCEPTED, MISSED = "accepted", "missed"
COLUMNS = ("audit_id", "problem", "gold", "answer", "end_of_response", "label")
END_CHARS = 1200
SHEET, SHEET_JSON, KEY, REPORT, CASES = "sheet.csv", "sheet.jsonl", "key.json", "audit.md", "cases.jsonl"
KeyEntries = Mapping[str, Mapping[str, Any]]
"""What the key says of each answer, by audit id."""


@dataclass(frozen=True)
class Stratum:
    """Accepted answers, or misses: their number in the runs, and the labels on those drawn."""

    size: int
    yes: int
    no: int
    unsure: int

    @property
    def n(self) -> int:
        """Labels that decide."""
        return self.yes + self.no

    @property
    def interval(self) -> stats.Interval:
        return stats.wilson(self.yes, self.n)


@dataclass(frozen=True)
class GraderQuality:
    """Precision and recall of the grader by the labels, each None if they say nothing of it."""

    accepted: Stratum
    missed: Stratum

    @property
    def precision(self) -> float | None:
        return self.accepted.yes / self.accepted.n if self.accepted.n else None

    @property
    def recall(self) -> float | None:
        if not self.accepted.n or (self.missed.size and not self.missed.n):
            return None
        found = self.accepted.size * self.accepted.yes / self.accepted.n
        lost = self.missed.size * self.missed.yes / self.missed.n if self.missed.n else 0.0
        return found / (found + lost) if found + lost else None

    @property
    def recall_interval(self) -> stats.Interval:
        """See the module."""
        if not self.missed.size:
            return stats.Interval(1.0, 1.0)
        low, high = _ratio_interval(self.missed, self.accepted)
        scale = self.missed.size / self.accepted.size if self.accepted.size else inf
        return stats.Interval(1 / (1 + scale * high), 1 / (1 + scale * low))


def _ratio_interval(a: Stratum, b: Stratum) -> tuple[float, float]:
    """MOVER's interval of (share of yes in a) / (share of yes in b), from their Wilson intervals."""
    if not a.n or not b.n or not b.yes:
        return 0.0, inf
    p, q = a.yes / a.n, b.yes / b.n
    (l1, u1), (l2, u2) = (a.interval.low, a.interval.high), (b.interval.low, b.interval.high)
    below = (p * q) ** 2 - l1 * u2 * (2 * p - l1) * (2 * q - u2)
    above = (p * q) ** 2 - u1 * l2 * (2 * p - u1) * (2 * q - l2)
    low = (p * q - sqrt(max(below, 0.0))) / (u2 * (2 * q - u2))
    high = (p * q + sqrt(max(above, 0.0))) / (l2 * (2 * q - l2))
    return max(low, 0.0), high


def export(runs: Sequence[Run], n: int, out: Path, *, seed: int = 0) -> list[str]:
    """Writes a sheet to label (`sheet.csv`, the same as `sheet.jsonl`) and, apart, its `key.json`.

    Args:
        n: misses, and accepted answers, drawn at random from all runs; fewer if there are fewer.
        seed: of the draw and of the order.

    Returns what to tell the user.
    Raises DataError: samples that another grader wrote; a sheet already exists.
    """
    for name in (SHEET, SHEET_JSON, KEY):
        if (out / name).exists():
            raise DataError(f"{out / name} already exists and may have labels in it; name another --out")
    strata = _strata(runs)
    draw = random.Random(seed)
    drawn = [
        (which, *one) for which, every in strata.items() for one in draw.sample(every, min(n, len(every)))
    ]
    draw.shuffle(drawn)
    by_id = {f"{i:04d}": one for i, one in enumerate(drawn, 1)}
    keys = {name: _key_entry(*one) for name, one in by_id.items()}
    rows = [
        dict(zip(COLUMNS, (name, entry.sample.problem, *_blind(keys[name]), ""), strict=True))
        for name, (_, _, entry) in by_id.items()
    ]
    sizes = {which: len(every) for which, every in strata.items()}
    cells = csv_text([COLUMNS, *(list(row.values()) for row in rows)])
    write_text(out / SHEET, f"\ufeff{cells}")  # without the mark a spreadsheet does not read UTF-8
    lm_eval_files.write_rows(out / SHEET_JSON, rows)
    write_text(out / KEY, json.dumps({"seed": seed, "sizes": sizes, "answers": keys}, indent=1) + "\n")
    told = ", ".join(f"{min(n, size)} of {size} {which}" for which, size in sizes.items())
    return [
        f"{out / SHEET}: {len(rows)} answers to label yes, no or unsure ({told})",
        f"{out / KEY}: the verdicts; keep it from whoever labels",
    ]


def judge_grader(labels: Path, key: Path, out: Path) -> list[str]:
    """Reads a labelled sheet; writes `audit.md` and the errors as `cases.jsonl`. Returns what to tell.

    Raises DataError: naming every row with an unknown label or id, and a key that does not fit.
    """
    sizes, answers = _read_key(key)
    given = _read_labels(labels, answers)
    wrong = {ACCEPTED: NO, MISSED: YES}
    errors = [name for name, label in given.items() if label == wrong[answers[name]["stratum"]]]
    document = _document(quality(given, sizes, answers), errors, given, answers)
    write_text(out / REPORT, document)
    lm_eval_files.write_rows(out / CASES, [_case(name, answers[name]) for name in errors])
    return [document, f"{out / REPORT}, {out / CASES}: {len(errors)} errors as cases"]


def quality(labels: Mapping[str, str], sizes: Mapping[str, int], answers: KeyEntries) -> GraderQuality:
    """The grader's precision and recall from labels by audit id."""

    def stratum(which: str) -> Stratum:
        said = [label for name, label in labels.items() if answers[name]["stratum"] == which]
        return Stratum(sizes[which], *(said.count(label) for label in LABELS))

    return GraderQuality(stratum(ACCEPTED), stratum(MISSED))


def _strata(runs: Sequence[Run]) -> dict[str, list[tuple[str, Entry]]]:
    found: dict[str, list[tuple[str, Entry]]] = {ACCEPTED: [], MISSED: []}
    for name, task in ((run.name, task) for run in runs for task in run.tasks.values()):
        for entry in entries_of(task, None, None):
            if entry.outcome == ERROR:
                continue
            if entry.verdict is None:
                raise DataError(
                    f"{task.name} in {task.results_file} was not graded by this package: no "
                    "verdict to audit; grade it again first"
                )
            found[ACCEPTED if entry.outcome == RIGHT else MISSED].append((name, entry))
    return found


def _blind(key: Mapping[str, Any]) -> tuple[str, str, str]:
    """What the sheet shows of a key's entry."""
    return key["gold"], key["answer"] or "", key["response"]


def _key_entry(which: str, run: str, entry: Entry) -> dict[str, Any]:
    assert entry.verdict is not None
    return {
        "stratum": which, "run": run, "task": entry.sample.task, "doc_hash": entry.sample.doc_hash,
        "repeat": entry.repeat, "layer": entry.verdict.layer, "outcome": entry.outcome,
        "reason": entry.verdict.reason, "gold": entry.sample.gold, "answer": entry.answer,
        "response": entry.text[-END_CHARS:],
    }  # fmt: skip


def _read_key(key: Path) -> tuple[dict[str, int], dict[str, dict[str, Any]]]:
    try:
        read = json.loads(key.read_text("utf-8"))
        sizes, answers = read["sizes"], read["answers"]
        if {ACCEPTED, MISSED} != set(sizes) or not all("stratum" in a for a in answers.values()):
            raise ValueError("its answers have no strata")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = str(error) or type(error).__name__
        raise DataError(
            f"{key} is no key of an audit ({why}): name the key.json that --audit wrote"
        ) from error
    return sizes, answers


def _read_labels(sheet: Path, answers: KeyEntries) -> dict[str, str]:
    """Label by audit id; an empty label is skipped. Raises DataError if all are empty."""
    found: dict[str, str] = {}
    wrong = []
    for number, row in _rows(sheet):
        name, label = str(row.get("audit_id") or "").strip(), str(row.get("label") or "").strip().lower()
        known = name if name in answers else name.zfill(4)  # a spreadsheet makes 1 of 0001
        if known not in answers:
            wrong.append(f"row {number}: audit_id {name!r} is not in the key")
        elif known in found:
            wrong.append(f"row {number}: audit_id {name!r} is there twice")
        elif label and label not in LABELS:
            wrong.append(f"row {number} ({known}): label {label!r}")
        elif label:
            found[known] = label
    if wrong:
        raise DataError(f"{sheet}: {'; '.join(wrong[:20])}; a label is one of {', '.join(LABELS)}, or empty")
    if not found:
        raise DataError(f"{sheet} has no label yet: fill in the column label with {', '.join(LABELS)}")
    return found


def _rows(sheet: Path) -> list[tuple[int, Mapping[str, Any]]]:
    """Rows with their numbers as a spreadsheet (or the lines of JSON) counts them."""
    if sheet.suffix in (".jsonl", ".json"):
        return list(enumerate(read_rows(sheet), 1))
    try:
        text = sheet.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{sheet} cannot be read: {error}; save the sheet as CSV in UTF-8") from error
    head = text.partition("\n")[0]
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter=";" if head.count(";") > head.count(",") else ","
    )
    if missing := {"audit_id", "label"} - set(reader.fieldnames or ()):
        raise DataError(f"{sheet} has no column {' and no '.join(sorted(missing))}; keep the sheet's header")
    return list(enumerate(reader, 2))


def _case(name: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """A row as in tests/cases/answers.jsonl; without an answer to compare, as in extract.jsonl."""
    right = answer["stratum"] == MISSED
    why = f"audit {name}: {'not accepted' if right else 'accepted'} ({answer['layer']}: {answer['reason']})"
    if answer["answer"] is None:
        return {"response": answer["response"], "answer": answer["gold"], "why": why}
    return {"gold": answer["gold"], "answer": answer["answer"], "equal": right, "why": why}


def _document(
    found: GraderQuality, errors: Sequence[str], labels: Mapping[str, str], answers: KeyEntries
) -> str:
    figures = (
        ("precision", found.precision, found.accepted.interval),
        ("recall", found.recall, found.recall_interval),
    )
    strata = ((ACCEPTED, found.accepted), (MISSED, found.missed))
    fields = ("layer", "gold", "answer", "reason", "run", "task")
    tables = [
        table(
            "audit", "The grader by these labels", ("figure", "estimate", "95% low", "95% high"),
            [[name, *_estimate(value, interval)] for name, value, interval in figures],
            "Precision: labelled yes of the accepted. Recall: accepted of those that are right, each "
            "stratum weighted by its size in the runs. Wilson's interval, and MOVER's from Wilson's. "
            "Unsure is left out.",
        ),
        table(
            "strata", "Labels", ("stratum", "in the runs:count", "yes:count", "no:count", "unsure:count"),
            [[name, *vars(stratum).values()] for name, stratum in strata],
        ),
        table(
            "errors", "Where grader and labels differ", ("audit id", "grader", "label", *fields),
            [[n, answers[n]["outcome"], labels[n], *(answers[n][field] for field in fields)] for n in errors],
        ),
    ]  # fmt: skip
    return "\n".join(["# Audit of the grader\n", *(as_markdown(made) for made in tables if made.rows)])


def _estimate(value: float | None, interval: stats.Interval) -> list[str]:
    if value is None:
        return ["not known"] * 3
    return [f"{share:.1%}" for share in (value, interval.low, interval.high)]
