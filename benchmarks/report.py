"""Figures as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.figures import Figures

BASE = "math-verify"
"""Speeds are given as multiples of this peer's first: the ratio travels to other machines better."""
_LONGEST_CELL = 160

NOTES = """\
A response is accepted or not; what stays undecided is not accepted. Accuracy has Wilson's 95 % interval.
Every grader gets the same rows, one grader after another, each in processes of its own; this grader gets
the problems, too. Start is the time from an idle interpreter to the first verdict; the speed is that after
it, over all rows. This grader grades all rows in one call, and equal pairs of answer and gold once; the
start of its workers is part of its speed; with one worker it still is two processes. Its latencies are
those of calls with one item, on a sample; peers grade one after another in one process, which gives their
latencies. Timeouts are each one's own: 5 s for math-verify, minerva and this grader. Memory is the peak of
the resident memory of all processes of a grader, pages that they share counted for each. "on our answers":
the peer compares the answer that this grader extracts; its own extraction may look for an announcement
that the responses were not asked for. The labels of mathnet were given by reading each answer beside its
gold; the flags of math_cot_100 and gsm8k came with their responses and were not checked; the labels of the
others are their authors', put right where reading found them wrong."""


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(content: object) -> str:
    text = " ".join(str(content).split()).replace("|", "\\|")
    return text if len(text) <= _LONGEST_CELL else text[:_LONGEST_CELL] + "…"


def report(about: dict[str, str], sets: dict[str, Figures]) -> str:
    """The whole page of figures."""
    parts = ["# Graders side by side", table(["measured", ""], about.items()), NOTES]
    parts += ["## Summary", table(_SUMMARY, [_summary(name, found) for name, found in sets.items()])]
    for name, found in sets.items():
        counts = (
            f"{found['n']} responses, {found['right']} of them right; "
            f"{found['distinct'] or 'unknown'} distinct pairs of extracted answer and gold."
        )
        wrong = [row["key"] for row in found["disagreements"] if row["verdict"]]
        parts += [f"## {name}", counts, f"Wrongly accepted: {', '.join(wrong) or 'none'}.", *_tables(found)]
    return "\n\n".join([*parts, "![the figures](grading.png)", ""])


def _tables(found: Figures) -> list[str]:
    graders = found["graders"]
    ran = {name: figures for name, figures in graders.items() if "failed" not in figures}
    failed = [(name, figures["failed"]) for name, figures in graders.items() if "failed" in figures]
    base = ran.get(BASE, {}).get("items_per_s")
    tables = [
        table(_QUALITY, [_quality(name, figures) for name, figures in ran.items()]),
        table(_COST, [_cost(name, figures, base) for name, figures in ran.items()]),
    ]
    layers = next((figures["layers"] for figures in ran.values() if "layers" in figures), None)
    if layers:
        tables.append(table(_LAYERS, [_layer(name, shares) for name, shares in layers.items()]))
    return tables + ([table(["grader", "no figures, because"], failed)] if failed else [])


_SUMMARY = (
    "source", "n", "recall", "precision", "wrongly accepted", f"{BASE}: recall", "precision",
    "speed ratio", "ratio with start", "one item, p50 ms", "p99 ms",
)  # fmt: skip


def _summary(name: str, found: Figures) -> list[object]:
    """This grader beside math-verify on one source, with all workers."""
    ours, base = next(iter(found["graders"].values())), found["graders"].get(BASE, {})
    if "failed" in ours:
        return [name, found["n"], ours["failed"]]
    speeds = [_ratio(ours[key], base.get(key)) for key in ("items_per_s", "items_per_s_with_start")]
    shares = [_share(ours["recall"]), _share(ours["precision"]), ours["wrongly_accepted"]]
    theirs = [_share(base.get(key)) for key in ("recall", "precision")]
    return [name, found["n"], *shares, *theirs, *speeds, number(ours["p50_ms"]), number(ours["p99_ms"])]


def _ratio(ours: float, base: float | None) -> str:
    return number(ours / base) if base else "—"


_QUALITY = (
    "grader",
    "n",
    "recall",
    "precision",
    "accuracy (95 %)",
    "wrongly accepted",
    "undecided",
    "errors",
)
_COST = (
    "grader",
    f"speed / {BASE}",
    "items/s",
    "start s",
    "items/s with start",
    "p50 ms",
    "p99 ms",
    "max ms",
    "latency n",
    "peak MiB",
)
_LAYERS = ("layer of this grader", "equal", "different", "undecided")


def _quality(name: str, figures: Figures) -> list[str]:
    low, high = figures["accuracy_interval"]
    return [
        name,
        figures["n"],
        _share(figures["recall"]),
        _share(figures["precision"]),
        f"{figures['accuracy']:.3f} ({low:.3f} to {high:.3f})",
        figures["wrongly_accepted"],
        _share(figures["undecided"]),
        figures.get("errors", 0),
    ]


def _cost(name: str, figures: Figures, base: float | None) -> list[str]:
    return [
        name,
        number(figures["items_per_s"] / base) if base else "—",
        number(figures["items_per_s"]),
        f"{figures['start_s']:.2f}",
        number(figures["items_per_s_with_start"]),
        *(number(figures[key]) for key in ("p50_ms", "p99_ms", "max_ms")),
        figures["latency_n"],
        f"{figures['peak_mb']:.0f}",
    ]


def _layer(name: str, shares: dict[str, float]) -> list[str]:
    return [name, *(_share(shares.get(outcome, 0.0)) for outcome in _LAYERS[1:])]


def number(value: float) -> str:
    """Three significant digits, without an exponent: "80,900"."""
    return f"{float(f'{value:.3g}'):,.12g}"


def _share(share: float | None) -> str:
    return "—" if share is None else f"{share:.3f}"


def disagreements(name: str, about: dict[str, str], found: Figures) -> str:
    """Every row on which this grader and the data's flags differ."""
    rows: list[dict[str, Any]] = found["disagreements"]
    head = ["response", "gold", "answer", "data say", "verdict", "layer", "reason"]
    words = {True: "right", False: "wrong", None: "undecided"}
    lines = [
        [
            row["key"],
            f"`{row['gold']}`",
            "none" if row["answer"] is None else f"`{row['answer']}`",
            words[row["right"]],
            words[row["verdict"]],
            row["layer"],
            row["reason"],
        ]
        for row in rows
    ]
    count = f"{len(rows)} of {found['n']} responses, at commit {about['commit']}, {about['date']}."
    return "\n\n".join([f"# Where this grader and the flags of {name} differ", count, table(head, lines), ""])
