"""Made-up answers by the million, with a truth that holds by construction.

Half of the pairs are distinct; each other one repeats one of the latest distinct ones, as samples of one
problem do. Of the distinct pairs a fifth needs algebra (half of them true), a fifth is a wrong number, a
fifth is right in another notation, two fifths are right and the same string. Whatever the number of pairs,
only the current one is in memory.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tqdm import tqdm

from benchmarks.data import SEED
from benchmarks.figures import Figures
from benchmarks.memory import memory
from benchmarks.report import number, table
from lm_eval_ext.grading import Grader, Item, Verdict

REPEATS_WITHIN = 1_000
"""A repeat is of one of so many latest distinct pairs."""
_KINDS = 5
_PARTS = 10


@dataclass(frozen=True)
class Pair:
    """An answer with its gold; `right` is whether the two are the same mathematical object."""

    answer: str
    gold: str
    right: bool


Maker = Callable[[int, int, bool], tuple[str, str]]
"""From a number that no other pair has (at least 2), a digit from 2 to 9, and the truth: (answer, gold)."""


def _fraction(number: int, digit: int, right: bool) -> tuple[str, str]:
    other = digit * number + (not right)
    return rf"\frac{{{other}}}{{{digit * (number + 1)}}}", rf"\frac{{{number}}}{{{number + 1}}}"


def _polynomial(number: int, digit: int, right: bool) -> tuple[str, str]:
    constant = digit * number + (not right)
    return f"x^2 + {number + digit}x + {constant}", f"(x + {number})(x + {digit})"


def _root(number: int, digit: int, right: bool) -> tuple[str, str]:
    return rf"{number + (not right)}\sqrt{{{digit}}}", rf"\sqrt{{{number * number * digit}}}"


def _rationalised(number: int, digit: int, right: bool) -> tuple[str, str]:
    return rf"\frac{{\sqrt{{{number}}}}}{{{number + (not right)}}}", rf"\frac{{1}}{{\sqrt{{{number}}}}}"


def _tuple(number: int, digit: int, right: bool) -> tuple[str, str]:
    second = digit if right else digit + 1
    return (
        rf"\left({number}, {second}.5\right)",
        rf"(\frac{{{2 * number}}}{{2}}, \frac{{{2 * digit + 1}}}{{2}})",
    )


def _sum(number: int, digit: int, right: bool) -> tuple[str, str]:
    return f"{digit}y + {number + (not right)}x", f"{number}x + {digit}y"


ALGEBRA: tuple[Maker, ...] = (_fraction, _polynomial, _root, _rationalised, _tuple, _sum)


def distinct_pair(index: int) -> Pair:
    """The distinct pair of this index: always the same one."""
    kind, number = index % _KINDS, index + 2
    digit = random.Random(SEED + index).randint(2, 9)
    if kind == 0:
        turn = index // _KINDS
        make, right = ALGEBRA[turn // 2 % len(ALGEBRA)], turn % 2 == 0
        return Pair(*make(number, digit, right), right)
    if kind == 1:
        return Pair(str(number + digit), str(number), False)
    if kind == 2:
        return Pair(rf"$\dfrac{{{number}}}{{{number + 1}}}$", rf"\frac{{{number}}}{{{number + 1}}}", True)
    return Pair(str(number), str(number), True)


def pairs(count: int) -> Iterator[Pair]:
    """`count` pairs, made as they are asked for."""
    draw = random.Random(SEED)
    for i in range(count):
        newest = i // 2
        yield distinct_pair(newest - (i % 2) * draw.randint(0, min(newest, REPEATS_WITHIN - 1)))


def run(grader: Grader, count: int) -> Figures:
    """Grades `count` pairs; looks at time and memory at every tenth."""
    grader.grade([Item(r"Final answer: $\frac{6}{8}$", "0.75")])  # the start of the workers is no part of it
    part = max(1, count // _PARTS)
    items = (Item(f"Final answer: {pair.answer}", pair.gold) for pair in pairs(count))
    verdicts = grader.stream(items)
    tenths: list[Figures] = []
    outcomes = {"agreeing": 0, "wrong": 0, "undecided": 0}
    started = time.perf_counter()
    judged = zip(pairs(count), tqdm(verdicts, total=count, desc="synthetic", unit="answer"), strict=True)
    for done, (pair, verdict) in enumerate(judged, start=1):
        outcomes[_outcome(pair, verdict)] += 1
        if done % part == 0:
            tenths.append(_look(done, time.perf_counter() - started, tenths))
    return {"n": count, "outcomes": outcomes, "tenths": tenths}


def _outcome(pair: Pair, verdict: Verdict) -> str:
    if verdict.correct is None:
        return "undecided"
    return "agreeing" if verdict.correct == pair.right else "wrong"


def _look(done: int, elapsed_s: float, before: Sequence[Figures]) -> Figures:
    last_done, last_s = (before[-1]["done"], before[-1]["elapsed_s"]) if before else (0, 0.0)
    now = memory()
    return {
        "done": done,
        "elapsed_s": elapsed_s,
        "items_per_s": (done - last_done) / (elapsed_s - last_s),
        "own_mb": now.own,
        "children_mb": now.children,
    }


def report(about: dict[str, str], found: Figures) -> str:
    """The page of figures."""
    tenths, outcomes, n = found["tenths"], found["outcomes"], found["n"]
    speeds = [tenth["items_per_s"] for tenth in tenths]
    growth = [_growth([tenth[key] for tenth in tenths]) for key in ("own_mb", "children_mb")]
    summary = [
        ("time of the last tenth / time of the first", f"{speeds[0] / speeds[-1]:.2f}"),
        ("memory after the last tenth / after the first, parent", f"{growth[0]}"),
        ("memory after the last tenth / after the first, workers", f"{growth[1]}"),
        ("verdicts that agree with the truth", f"{outcomes['agreeing'] / n:.4f} ({outcomes['agreeing']})"),
        ("verdicts against the truth", f"{outcomes['wrong'] / n:.4f} ({outcomes['wrong']})"),
        ("undecided", f"{outcomes['undecided'] / n:.4f} ({outcomes['undecided']})"),
        ("answers/s", number(n / tenths[-1]["elapsed_s"])),
    ]
    lines = [
        [t["done"], *(number(t[k]) for k in ("elapsed_s", "items_per_s")), *_memories(t)] for t in tenths
    ]
    head = ["answers", "seconds", "answers/s in this tenth", "parent MiB", "workers MiB"]
    parts = [f"# {n:,} made-up answers", _CONTENT, table(["", ""], summary), table(head, lines)]
    return "\n\n".join([*parts, table(["measured", ""], about.items()), "![the figures](synthetic.png)", ""])


def _growth(memories: list[float]) -> str:
    """From the first tenth with any such process to the last."""
    first = next(filter(None, memories), 0)
    return f"{memories[-1] / first:.2f}" if first else "none started"


def _memories(tenth: Figures) -> list[str]:
    return [f"{tenth[key]:.0f}" for key in ("own_mb", "children_mb")]


_CONTENT = " ".join((__doc__ or "").partition("\n\n")[2].split())
