"""An audit of the grader: a blind, shuffled sample of its verdicts to label, and what the labels say.

Accepted answers and misses are drawn apart, the same number of each; `quality` weights them back.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis import stats
from lm_eval_ext.analysis.quality import Quality, Stratum
from lm_eval_ext.analysis.report.disagreements import problem_of
from lm_eval_ext.analysis.report.entries import ERROR, RIGHT, Entry, entries_of
from lm_eval_ext.analysis.report.tables import Table, as_markdown, table
from lm_eval_ext.analysis.runs import Run
from lm_eval_ext.analysis.spreadsheet import csv_text
from lm_eval_ext.atomic import write_text
from lm_eval_ext.harness.errors import DataError
from lm_eval_ext.harness.sources import read_rows

YES, NO, UNSURE = LABELS = ("yes", "no", "unsure")
ACCEPTED, MISSED = "accepted", "missed"
COLUMNS = ("audit_id", "problem", "gold", "answer", "end_of_response", "label")
END_CHARS = 1200
SHEET, SHEET_JSON, KEY, REPORT, CASES = "sheet.csv", "sheet.jsonl", "key.json", "audit.md", "cases.jsonl"


def export(runs: Sequence[Run], n: int, out: Path, *, seed: int = 0) -> list[str]:
    """Writes a sheet to label (`sheet.csv`, the same as `sheet.jsonl`) and, apart, its `key.json`.

    Args:
        n: misses, and accepted answers, drawn at random from all runs; fewer where there are fewer.
        seed: of the draw and of the order.

    Returns what to tell the user.
    Raises DataError: samples that another grader wrote; a sheet is already there.
    """
    for name in (SHEET, SHEET_JSON, KEY):
        if (out / name).exists():
            raise DataError(f"{out / name} is already there and may have labels in it; name another --out")
    strata = _strata(runs)
    draw = random.Random(seed)
    drawn = [
        (which, *one) for which, every in strata.items() for one in draw.sample(every, min(n, len(every)))
    ]
    draw.shuffle(drawn)
    ids = [f"{i:04d}" for i in range(1, len(drawn) + 1)]
    rows = [_row(name, entry) for name, (_, _, entry) in zip(ids, drawn, strict=True)]
    keys = {name: _secret(which, run, entry) for name, (which, run, entry) in zip(ids, drawn, strict=True)}
    sizes = {which: len(every) for which, every in strata.items()}
    write_text(out / SHEET, _csv(rows))
    write_text(out / SHEET_JSON, _lines(rows))
    write_text(out / KEY, json.dumps({"seed": seed, "sizes": sizes, "answers": keys}, indent=1) + "\n")
    told = ", ".join(f"{min(n, size)} of {size} {which}" for which, size in sizes.items())
    return [
        f"{out / SHEET}: {len(rows)} answers to label yes, no or unsure ({told})",
        f"{out / KEY}: the verdicts; keep it from whoever labels",
        f"then: lm-eval-ext report --audit-labels {out / SHEET} --audit-key {out / KEY} --out {out}",
    ]


def judge_grader(labels: Path, key: Path, out: Path) -> list[str]:
    """Reads the labels of a sheet; writes `audit.md` and the errors as `cases.jsonl`. Returns what to tell.

    Raises DataError: naming every row whose label or id is none, and a key that does not fit.
    """
    sizes, answers = _read_key(key)
    given = _read_labels(labels, answers)
    found = quality(given, sizes, answers)
    errors = [name for name, label in given.items() if _is_error(label, answers[name]["stratum"])]
    document = _document(found, errors, given, answers)
    write_text(out / REPORT, document)
    write_text(out / CASES, _lines([_case(name, answers[name]) for name in errors]))
    return [document, f"{out / REPORT}, {out / CASES}: {len(errors)} errors as cases"]


def quality(
    labels: Mapping[str, str], sizes: Mapping[str, int], answers: Mapping[str, Mapping[str, Any]]
) -> Quality:
    """The grader's precision and recall from labels by audit id."""

    def stratum(which: str) -> Stratum:
        said = [label for name, label in labels.items() if answers[name]["stratum"] == which]
        return Stratum(sizes[which], *(said.count(label) for label in LABELS))

    return Quality(stratum(ACCEPTED), stratum(MISSED))


def _strata(runs: Sequence[Run]) -> dict[str, list[tuple[str, Entry]]]:
    found: dict[str, list[tuple[str, Entry]]] = {ACCEPTED: [], MISSED: []}
    for run in runs:
        for task in run.tasks.values():
            for entry in entries_of(task, None, None):
                if entry.outcome == ERROR:
                    continue
                if entry.verdict is None:
                    raise DataError(
                        f"{task.name} in {task.results_file} was not graded by this package: no "
                        "verdict to audit; grade it again first"
                    )
                found[ACCEPTED if entry.outcome == RIGHT else MISSED].append((run.name, entry))
    return found


def _row(name: str, entry: Entry) -> dict[str, str]:
    values = (
        name,
        problem_of(entry.sample),
        entry.sample.gold,
        entry.answer or "",
        entry.text[-END_CHARS:],
        "",
    )
    return dict(zip(COLUMNS, values, strict=True))


def _secret(which: str, run: str, entry: Entry) -> dict[str, Any]:
    assert entry.verdict is not None
    return {
        "stratum": which, "run": run, "task": entry.sample.task, "doc_hash": entry.sample.doc_hash,
        "repeat": entry.repeat, "layer": entry.verdict.layer, "outcome": entry.outcome,
        "reason": entry.verdict.reason, "gold": entry.sample.gold, "answer": entry.answer,
        "response": entry.text[-END_CHARS:],
    }  # fmt: skip


def _csv(rows: Sequence[Mapping[str, str]]) -> str:
    text = csv_text([COLUMNS, *([row[name] for name in COLUMNS] for row in rows)])
    return f"\ufeff{text}"  # without the mark a spreadsheet reads UTF-8 as something else


def _lines(rows: Sequence[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


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


def _read_labels(sheet: Path, answers: Mapping[str, Any]) -> dict[str, str]:
    """Label by audit id. A row without a label is not labelled yet, and said so if there is no other."""
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
    delimiter = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    if missing := {"audit_id", "label"} - set(reader.fieldnames or ()):
        raise DataError(f"{sheet} has no column {' and no '.join(sorted(missing))}; keep the sheet's header")
    return list(enumerate(reader, 2))


def _is_error(label: str, stratum: str) -> bool:
    return label == (NO if stratum == ACCEPTED else YES)


def _case(name: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """A row as in tests/cases/answers.jsonl; without an answer to compare, as in extract.jsonl."""
    right = answer["stratum"] == MISSED
    why = f"audit {name}: {'not accepted' if right else 'accepted'} ({answer['layer']}: {answer['reason']})"
    if answer["answer"] is None:
        return {"response": answer["response"], "answer": answer["gold"], "why": why}
    return {"gold": answer["gold"], "answer": answer["answer"], "equal": right, "why": why}


def _document(
    found: Quality, errors: Sequence[str], labels: Mapping[str, str], answers: Mapping[str, Mapping[str, Any]]
) -> str:
    figures = table(
        "audit", "The grader by these labels", ("figure", "estimate", "95% low", "95% high"),
        [
            ["precision", *_ends(found.precision, found.precision_interval)],
            ["recall", *_ends(found.recall, found.recall_interval)],
        ],
        "Precision: labelled yes of the accepted. Recall: accepted of those that are right, each stratum "
        "weighted by its size in the runs. Wilson's interval, and MOVER's from Wilson's. Unsure is left out.",
    )  # fmt: skip
    both = ((ACCEPTED, found.accepted), (MISSED, found.missed))
    strata = table(
        "strata", "Labels", ("stratum", "in the runs:count", "yes:count", "no:count", "unsure:count"),
        [[name, s.size, s.yes, s.no, s.unsure] for name, s in both],
    )  # fmt: skip
    parts = ["# Audit of the grader\n", as_markdown(figures), as_markdown(strata)]
    return "\n".join([*parts, as_markdown(_errors(errors, labels, answers))] if errors else parts)


def _errors(
    errors: Sequence[str], labels: Mapping[str, str], answers: Mapping[str, Mapping[str, Any]]
) -> Table:
    rows = [
        [
            name,
            a["outcome"],
            labels[name],
            a["layer"],
            a["gold"],
            a["answer"],
            a["reason"],
            a["run"],
            a["task"],
        ]
        for name, a in ((name, answers[name]) for name in errors)
    ]
    columns = ("audit id", "grader", "label", "layer", "gold", "answer", "reason", "run", "task")
    return table("errors", "Where grader and labels differ", columns, rows)


def _ends(value: float | None, interval: stats.Interval) -> list[str]:
    if value is None:
        return ["not known"] * 3
    return [f"{share:.1%}" for share in (value, interval.low, interval.high)]
