"""Arithmetic word problems from a seeded generator, easy enough for a 135M-parameter model.

A row of the test split::

    {"id": "test-0003", "problem": "A train has 3 cars with 8 seats in each car. 9 seats are ...",
     "gold": "15", "solution": "3 * 8 = 24. 24 - 9 = 15. The answer is 15.", "level": 4,
     "template": "test-4-2", "split": "test"}

Four levels: a small addition or multiplication; an addition; a subtraction; two operations. The splits share
neither templates (the templates file names each one's split) nor the numbers of a problem (a checksum of the
numbers assigns them to a split), so that `train` teaches arithmetic, not recall.
"""

from __future__ import annotations

import json
import operator
import random
import zlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from datasets import Dataset, DatasetDict

LEVELS = (1, 2, 3, 4)
SIZES = {"train": 4000, "validation": 200, "test": 600}
EXEMPLARS = ("train-1-1", "train-3-1", "train-1-2", "train-2-2")
"""Templates of the few-shot examples; each contributes its first problem of the train split."""

_OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul}
_RANGES = {1: (2, 9), 2: (5, 30), 3: (2, 30), 4: (2, 12)}
_FACTORS = (2, 9)
_SHARES = {"train": range(0, 7), "validation": range(7, 8), "test": range(8, 10)}
_NAMES = ("Anna", "Ben", "Clara", "David", "Emma", "Felix", "Grace", "Hugo", "Ida", "Jack", "Kate", "Leo")
_THINGS = ("apples", "balls", "books", "buttons", "cards", "coins", "marbles", "pencils", "shells", "toys")


@dataclass(frozen=True)
class Template:
    """A problem text with placeholders for numbers, and the steps that solve it (`r1`: the first result)."""

    id: str
    split: str
    level: int
    text: str
    steps: list[str]

    def variables(self) -> list[str]:
        """Names of the numbers, in order: `["a", "b", "c"]`."""
        return [v for v in "abcd" if f"{{{v}}}" in self.text]

    def draw(self, rng: random.Random) -> dict[str, int]:
        """Random numbers in the level's range; factors have one digit."""
        factors = {word for step in self.steps if "*" in step for word in step.split()}
        ranges = {v: _FACTORS if v in factors else _RANGES[self.level] for v in self.variables()}
        return {v: rng.randint(*bounds) for v, bounds in ranges.items()}

    def solve(self, numbers: dict[str, int]) -> list[tuple[str, int]]:
        """`[("14 + 19", 33), ("33 - 11", 22)]`: each step written out, with its result."""
        values, written = dict(numbers), []
        for i, step in enumerate(self.steps, start=1):
            left, sign, right = step.split()
            values[f"r{i}"] = _OPERATORS[sign](values[left], values[right])
            written.append((f"{values[left]} {sign} {values[right]}", values[f"r{i}"]))
        return written


@cache
def templates() -> tuple[Template, ...]:
    """All templates of the packaged file."""
    text = (files("lm_eval_ext") / "data" / "arith_words_templates.jsonl").read_text("utf-8")
    return tuple(Template(**json.loads(line)) for line in text.splitlines())


def split_of(numbers: dict[str, int]) -> str:
    """The split that owns these numbers, by checksum: the same on every machine and Python."""
    digit = zlib.crc32(",".join(map(str, numbers.values())).encode()) % 10
    return next(split for split, share in _SHARES.items() if digit in share)


def dataset(**_: Any) -> DatasetDict:
    """`train`, `validation`, `test` and the exemplars as `fewshot`; needs no data source."""
    return DatasetDict(_splits())


@cache
def _splits() -> dict[str, Dataset]:
    """With the few-shot examples: one operation each, so that a small model learns the format."""
    rows = {split: generate(split) for split in SIZES}
    shown = [next(row for row in rows["train"] if row["template"] == template) for template in EXEMPLARS]
    return {split: Dataset.from_list(listed) for split, listed in {**rows, "fewshot": shown}.items()}


def generate(split: str, n: int | None = None, seed: int = 0) -> list[dict[str, Any]]:
    """`n` different problems of a split, with alternating levels (1, 2, 3, 4, 1, ...).

    Raises ValueError for an unknown split.
    """
    if split not in SIZES:
        raise ValueError(f"split is {split!r}; it must be one of {', '.join(SIZES)}")
    rng = random.Random(f"{split}-{seed}")
    of_level = {k: [t for t in templates() if (t.split, t.level) == (split, k)] for k in LEVELS}
    rows: dict[str, dict[str, Any]] = {}
    while len(rows) < (SIZES[split] if n is None else n):
        template = rng.choice(of_level[LEVELS[len(rows) % len(LEVELS)]])
        numbers = template.draw(rng)
        natural = all(result > 0 for _, result in template.solve(numbers))  # no negative apples
        if split_of(numbers) == split and natural:
            row = _problem(template, numbers, rng, f"{split}-{len(rows):04d}")
            rows.setdefault(row["problem"], row)
    return list(rows.values())


def _problem(template: Template, numbers: dict[str, int], rng: random.Random, row_id: str) -> dict[str, Any]:
    name, other = rng.sample(_NAMES, 2)
    steps = template.solve(numbers)
    answer = str(steps[-1][1])
    work = " ".join(f"{left} = {result}." for left, result in steps)
    return {
        "id": row_id,
        "problem": template.text.format(name=name, other=other, things=rng.choice(_THINGS), **numbers),
        "solution": f"{work} The answer is {answer}.",
        "gold": answer,
        "level": template.level,
        "template": template.id,
        "split": template.split,
    }
