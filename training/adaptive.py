"""Adaptive sampling: a prompt whose last groups all got the same rewards, and so no gradient, is drawn less.

The draws follow from the seed and the recorded rollouts alone, so a resumed run repeats them. Each draw is
recorded in `output_dir/draws.jsonl` with the probability of each of its prompts.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Sampler

from lm_eval_ext.atomic import write_bytes

DRAWS = "draws.jsonl"
LONGEST = 3
"""Groups that count: a weight is at least `factor ** LONGEST`."""


def sample_adaptively(trainer: Any, factor: float) -> None:
    """Lets a GRPOTrainer draw its prompts by an `AdaptiveSampler` with this factor.

    Its data set has a column `id`, and its rollouts are recorded in its `output_dir`.
    """
    plain = trainer._get_train_sampler

    def sampler(dataset: Any = None) -> AdaptiveSampler:
        rows = trainer.train_dataset if dataset is None else dataset
        folder, accumulated = Path(trainer.args.output_dir), trainer.args.gradient_accumulation_steps
        record = folder / DRAWS if trainer.is_world_process_zero() else None
        return AdaptiveSampler(plain(dataset), rows["id"], Groups(folder), factor, accumulated, record)

    trainer._get_train_sampler = sampler


class Groups:
    """The groups in the `rollouts*.jsonl` of a folder, of all ranks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[Path, int] = {}
        self._rewards: dict[str, dict[int, list[Any]]] = defaultdict(lambda: defaultdict(list))

    def update(self) -> None:
        """Reads the lines that were added since the last time."""
        for file in sorted(self.folder.glob("rollouts*.jsonl")):
            with file.open("rb") as lines:
                lines.seek(self._read.get(file, 0))
                *whole, _half = lines.read().split(b"\n")
            self._read[file] = self._read.get(file, 0) + sum(len(line) + 1 for line in whole)
            for row in map(json.loads, whole):
                self._rewards[row["id"]][row["step"]].append(row["rewards"])

    def flat(self, before: int) -> dict[str, int]:
        """Prompt -> its last groups in a row without variance, of steps before this one; at most LONGEST.

        A group with an undecided rollout counts as one with variance.
        """
        return {
            name: _streak([steps[s] for s in sorted(steps) if s < before])
            for name, steps in self._rewards.items()
        }


def _streak(groups: Sequence[list[dict[str, Any]]]) -> int:
    for length, rewards in enumerate(reversed(groups[-LONGEST:])):
        if any(values != rewards[0] or None in values.values() for values in rewards):
            return length
    return min(len(groups), LONGEST)


class AdaptiveSampler(Sampler[int]):
    """Draws distinct prompts with known probabilities, all above 0.

    A prompt's weight is `factor ** n` after n groups in a row without variance (see `Groups.flat`). Its
    probability to be in a draw is proportional to that, at most 1 (systematic sampling in random order, Madow
    1949). A draw for step s is made from the groups of steps before s - 1: data loaders fetch one step ahead.

    Args:
        plain: TRL's sampler, whose sizes and repetitions are kept.
        ids: of the prompts.
        groups: what is known of them.
        factor: over 0 and at most 1.
        accumulated: micro-batches per step.
        record: file for the draws; None: they are not recorded.
    """

    def __init__(
        self,
        plain: Any,
        ids: Sequence[str],
        groups: Groups,
        factor: float,
        accumulated: int,
        record: Path | None,
    ) -> None:
        self.plain, self.ids, self.groups, self.factor = plain, list(ids), groups, factor
        self.accumulated, self.record = accumulated, record
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.plain)

    def set_epoch(self, epoch: int) -> None:
        """Called before each epoch, also by a run that resumes in a later one."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        self.groups = Groups(self.groups.folder)  # its files may have been cut when the run resumed
        self._forget()
        draws = len(self.ids) // self.plain.batch_size
        steps = -(-draws * self.plain.repeat_count // self.accumulated)
        for draw in range(draws):
            step = self.epoch * steps + draw * self.plain.repeat_count // self.accumulated
            places = self._draw(self.epoch * draws + draw, step)
            for _ in range(self.plain.repeat_count):
                for place in places:
                    yield from [place] * self.plain.mini_repeat_count

    def _draw(self, number: int, step: int) -> list[int]:
        self.groups.update()
        flat = self.groups.flat(step - 1)
        weights = [self.factor ** flat.get(name, 0) for name in self.ids]
        probabilities = inclusion(torch.tensor(weights, dtype=torch.float64), self.plain.batch_size)
        generator = torch.Generator().manual_seed(hash((self.plain.seed, number)))
        places = systematic(probabilities, generator)
        if self.record is not None:
            drawn = {"ids": [self.ids[i] for i in places], "probabilities": probabilities[places].tolist()}
            with self.record.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"epoch": self.epoch, "draw": number, "step": step, **drawn}) + "\n")
        return places

    def _forget(self) -> None:
        """Removes the records of this epoch and later ones: they are made again."""
        if self.record is not None and self.record.is_file():
            *whole, _half = self.record.read_bytes().split(b"\n")
            kept = [line + b"\n" for line in whole if json.loads(line)["epoch"] < self.epoch]
            write_bytes(self.record, b"".join(kept))


def inclusion(weights: torch.Tensor, size: int) -> torch.Tensor:
    """Probabilities proportional to these weights that sum to `size`; those that would exceed 1 are 1."""
    certain = torch.zeros_like(weights, dtype=torch.bool)
    while True:
        rest = weights.where(~certain, 0.0)
        found = (rest * (size - certain.sum()) / rest.sum().clamp_min(1e-300)).where(~certain, 1.0)
        if not (found > 1).any():
            return found
        certain |= found > 1


def systematic(probabilities: torch.Tensor, generator: torch.Generator) -> list[int]:
    """Distinct places, each with its probability; their number is the sum of the probabilities."""
    size = round(float(probabilities.sum()))
    order = torch.randperm(len(probabilities), generator=generator)
    ends = probabilities[order].cumsum(0)
    marks = torch.arange(size) + torch.rand((), generator=generator, dtype=torch.float64)
    found = torch.searchsorted(ends, marks, right=True).clamp_max(len(order) - 1)
    places: list[int] = order[found].tolist()
    return places
