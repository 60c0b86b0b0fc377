"""What is looked at: a recipe with its settings, and data and tokenizer as the trainer sees them.

Everything costly is made when a check first asks, once; what is not at hand raises `NotAtHand`.
"""

from __future__ import annotations

import copy
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lm_eval_ext.harness import protocol
from lm_eval_ext.harness.errors import DataError, ModelError, UserError

from ..data import build, rows
from ..eos import eos_tokens, model_eos_tokens
from ..evaluation import Evaluation
from ..models import loaded_tokenizer
from .contexts import EvaluationTask
from .registry import NotAtHand, once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lm_eval_ext.rewards import AccuracyReward

    from ..data.documents import Doc
    from ..prompts import TaskPrompts
    from ..recipe import Recipe
    from .trial import Trial

Kind = Literal["sft", "grpo"]
SAMPLED = 512
"""Rows that are tokenized, evenly spread over the training set: a share of 1% of them is five rows."""


@dataclass(frozen=True)
class Prepared:
    """A row as TRL's SFTTrainer has it: its number, tokens and labels (-100: no loss), before any cut."""

    number: int
    ids: list[int]
    labels: list[int]


class Subject:
    """What the checks look at.

    Args:
        recipe, training, model: as `training.recipe.read` gives them.
        kind: "sft" or "grpo".
        tokenizer: of the run; None: it is loaded.
        folder: model folder that stands in for one that is not at hand (tokenizer and configurations).
        rewards: reward functions; None: those of the recipe.
        collator: of SFT batches; None: TRL's.
    """

    def __init__(
        self,
        recipe: Recipe,
        training: Any,
        model: Any,
        kind: Kind,
        *,
        tokenizer: Any = None,
        folder: str | None = None,
        rewards: list[Any] | None = None,
        collator: Any = None,
    ) -> None:
        self.recipe, self.training, self.model, self.kind = recipe, training, model, kind
        self.folder = folder or model.model_name_or_path
        self.revision = None if folder else model.model_revision
        self.stands_in = self.folder != model.model_name_or_path
        self.evaluation = Evaluation.of(recipe)
        self._tokenizer, self._rewards, self._collator = tokenizer, rewards, collator
        self.canary: tuple[float | None, float | None] | None = None
        self._hurried: dict[int, AccuracyReward] = {}

    def __enter__(self) -> Subject:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the workers that grading started."""
        for reward in [*self.__dict__.get("rewards", []), *self._hurried.values()]:
            if hasattr(reward, "close"):
                reward.close()
        if "trial" in self.__dict__:
            self.trial.close()

    @once
    def trial(self) -> Trial:
        """A small run of the recipe's trainer."""
        from .trial import Trial

        return Trial(self)

    @once
    def source(self) -> str:
        """The model's folder or name, where its files can be had."""
        try:
            protocol.check_model_exists({"pretrained": self.folder, "revision": self.revision})
        except ModelError as error:
            raise NotAtHand(f"{error}; or give --tokenizer") from error
        return str(self.folder)

    @once
    def tokenizer(self) -> Any:
        """The tokenizer as it is, with a padding token or without."""
        if self._tokenizer is not None:
            return self._tokenizer
        try:
            return loaded_tokenizer(self.source, self.revision)
        except ModelError as error:
            raise NotAtHand(f"{error}; or give --tokenizer") from error

    @once
    def configured_ends(self) -> list[int]:
        """What the model itself ends at."""
        try:
            return model_eos_tokens(self.source, self.revision)
        except ModelError as error:
            raise NotAtHand(f"no generation_config of {self.folder} at hand; give --tokenizer") from error

    @once
    def ends(self) -> list[int]:
        """What responses end at, see `training.eos`; without the model's files the tokenizer's alone."""
        try:
            return eos_tokens(self.tokenizer, self.configured_ends)
        except NotAtHand:
            return eos_tokens(self.tokenizer, ())

    @once
    def task(self) -> EvaluationTask:
        """The recipe's task as lm-eval sets it up; of its own, apart from `prompts`."""
        return EvaluationTask(self)

    @once
    def prompts(self) -> TaskPrompts:
        """The task's prompts under the recipe's settings."""
        if self.recipe.chat and not self.tokenizer.chat_template:
            raise NotAtHand("the prompts: the tokenizer has no chat template (row 4)")
        try:
            return build.prompts_of(self.recipe, self.tokenizer if self.recipe.chat else None)
        except DataError as error:
            raise NotAtHand(f"the task's data: {_line(error)}") from error

    @once
    def uncurated(self) -> list[Doc]:
        """The training documents before a curriculum chooses among them."""
        try:
            uncurated = replace(self.recipe, curriculum=None)
            return build.selected(uncurated, self.prompts, self.count, self.kind).docs
        except (DataError, OSError) as error:
            raise NotAtHand(f"the training data: {_line(error)}; give --data") from error

    @once
    def documents(self) -> list[Doc]:
        """All training documents; of a curriculum that does not join, those that it was to choose from."""
        if not self.recipe.curriculum:
            return self.uncurated
        try:
            return self.curriculum or self.uncurated
        except (DataError, NotAtHand):
            return self.uncurated

    @once
    def curriculum(self) -> list[Doc]:
        """The documents that the curriculum names, in its order. Raises DataError where ids do not match."""
        assert self.recipe.curriculum, "the recipe has no curriculum"
        if not Path(self.recipe.curriculum).is_file():
            raise NotAtHand(f"there is no curriculum {self.recipe.curriculum}")
        ids = build.curriculum_of(self.recipe.curriculum)
        return rows.joined(ids, self.uncurated, allow_missing=self.recipe.allow_missing_ids)

    def count(self, text: str) -> int:
        """Tokens of a text."""
        return len(self.tokenizer(text)["input_ids"])

    @once
    def sampled(self) -> list[Doc]:
        """Up to SAMPLED of the documents, evenly spread."""
        found = self.documents
        return [found[i * len(found) // SAMPLED] for i in range(SAMPLED)] if len(found) > SAMPLED else found

    @once
    def rows(self) -> list[rows.Row]:
        """The training rows of the sampled documents, as the recipe's builder makes them."""
        return build.rows_of(self.recipe, self.kind, self.sampled, self.prompts)

    @once
    def asked(self) -> list[str]:
        """The prompt of each training row."""
        return [self.prompts.prompt(doc) for doc in self.sampled]

    @once
    def prompt_ids(self) -> list[list[int] | None]:
        """The tokens that TRL makes of each row, under GRPO of its prompt alone; None of a row it drops."""
        if self.kind == "grpo":
            return [list(ids) for ids in self.tokenizer(text=self.asked)["input_ids"]]
        kept = {row.number: row.ids for row in self.prepared}
        return [kept.get(number) for number in range(len(self.rows))]

    @once
    def targets(self) -> list[str]:
        """What each row has behind its prompt; under GRPO nothing."""
        if self.kind == "grpo":
            return [""] * len(self.rows)
        masked = replace(self.recipe, shape="masked")
        return [str(row["completion"]) for row in build.rows_of(masked, "sft", self.sampled, self.prompts)]

    @once
    def prepared(self) -> list[Prepared]:
        """The training rows after SFTTrainer's own preparation, nothing cut."""
        from datasets import Dataset

        numbered = [{**row, "number": i} for i, row in enumerate(self.rows)]
        made = self._prepare(Dataset.from_list(numbered), max_length=None)
        return [Prepared(r["number"], r["input_ids"], r["labels"]) for r in made]

    @once
    def cut(self) -> dict[int, Prepared]:
        """The same rows cut at the recipe's max_length, by number; TRL drops those without any label left."""
        from datasets import Dataset

        whole = [{"number": p.number, "input_ids": p.ids, "labels": p.labels} for p in self.prepared]
        made = self._prepare(Dataset.from_list(whole), max_length=self.training.max_length)
        return {r["number"]: Prepared(r["number"], r["input_ids"], r["labels"]) for r in made}

    def _prepare(self, dataset: Any, max_length: int | None) -> Any:
        """`SFTTrainer._prepare_dataset`, which needs a tokenizer and no model."""
        from trl import SFTTrainer

        settings = copy.copy(self.training)
        settings.max_length, settings.shuffle_dataset = max_length, False
        trainer = object.__new__(SFTTrainer)
        trainer._tokenizer, trainer.chat_template = self.tokenizer, None
        wanted = settings.completion_only_loss
        both = {"prompt", "completion"} <= set(dataset.column_names)  # TRL's rule where nothing is said
        trainer.completion_only_loss = both if wanted is None else wanted
        with quiet():
            return trainer._prepare_dataset(dataset, self.tokenizer, settings, False, None, "train")

    def collated(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """A batch of `input_ids` and `labels`, as the trainer gets it."""
        from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

        collator = self._collator or DataCollatorForLanguageModeling(pad_token_id=self.tokenizer.pad_token_id)
        return dict(collator(examples))

    @once
    def rewards(self) -> list[Any]:
        """The reward functions of the run; none of them writes to its files."""
        from ..rewards import rewards

        found = self._rewards
        if found is None:
            found = rewards(self.recipe, self.training, self.tokenizer, self.ends)[0]
        return [_silent(reward) for reward in found]

    def hurried(self, reward: AccuracyReward, timeout_s: float) -> AccuracyReward:
        """The same reward with a short deadline and one worker of its own."""
        if id(reward) not in self._hurried:
            made = copy.copy(reward)  # without the workers of the other
            made.config = replace(reward.config, timeout_s=timeout_s, workers=1)
            self._hurried[id(reward)] = made
        return self._hurried[id(reward)]


def _silent(reward: Any) -> Any:
    if getattr(reward, "file", None) is None:
        return reward
    silent = copy.copy(reward)  # without the workers of the other
    silent.file = None
    return silent


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars of `datasets` while rows are prepared."""
    import datasets

    shown = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            datasets.enable_progress_bars()


def _line(error: BaseException) -> str:
    text = error.code if isinstance(error, UserError) else str(error)
    return " ".join(str(text).split())[:200]
