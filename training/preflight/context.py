"""What the checks look at: a recipe, and its model, data and rewards as the trainer will have them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from pathlib import Path
from typing import Any, Literal, TypeVar

import datasets

from lm_eval_ext.harness import protocol
from lm_eval_ext.harness.errors import DataError, ModelError, UserError
from lm_eval_ext.rewards import AccuracyReward

from ..data import build
from ..data.documents import Doc
from ..data.rows import Row, joined, of_one_type
from ..evaluation import Evaluation
from ..models import eos_tokens, loaded_tokenizer, model_eos_tokens
from ..prompts import TaskPrompts
from ..recipe import Recipe
from ..rewards import Grading, RewardFunction, RewardSet, rewards
from .evaluation_task import EvaluationTask
from .trial import Trial

T = TypeVar("T")
Kind = Literal["sft", "grpo"]
Pair = tuple[float | None, float | None]
SAMPLED = 512
"""Rows that are tokenized, evenly spread over the training set: a share of 1% of them is five rows."""
HANGING_AND_EASY = (
    ["Final answer: 1", "Final answer: 2/4"],
    [r"\sum_{k=1}^{99999} \frac{k!}{(k+1)!}", "0.5"],
)
"""Responses and golds: sympy does not finish with the first."""
DEADLINE_S = 1.0


class Unavailable(Exception):
    """The tokenizer, the model's configuration or the data is not on this machine, so a check cannot run."""


def needing(error_types: Any, message: str) -> Callable[[Callable[[Any], T]], cached_property[T]]:
    """A cached property that raises Unavailable on errors of these types.

    The failure is cached, too: huggingface_hub retries for 20 s before it gives up.

    Args:
        error_types: as in `except`.
        message: of Unavailable; `{}` stands for that of the error.
    """

    def decorated(compute: Callable[[Any], T]) -> cached_property[T]:
        @wraps(compute)
        def computed_once(self: Any) -> T:
            failures: dict[str, Unavailable] = self.__dict__.setdefault("failures", {})
            if compute.__name__ not in failures:
                try:
                    return compute(self)
                except error_types as error:
                    failures[compute.__name__] = Unavailable(message.format(_one_line(error)))
            raise failures[compute.__name__]

        return cached_property(computed_once)

    return decorated


@dataclass(eq=False)
class PreflightContext:
    """A recipe under preflight, as `training.recipe.read` returns it.

    A property is computed when a check first reads it. It may be assigned before: `context.rewards = [...]`.

    Attributes:
        stand_in: model folder with tokenizer and configurations in place of a model that is not available.
        whole: the context of the recipe, where this one is of one of its `parts`.
        siblings: the contexts of all parts.
    """

    recipe: Recipe
    training: Any
    model: Any
    kind: Kind
    stand_in: str | None = None
    whole: PreflightContext | None = None
    siblings: list[PreflightContext] = field(default_factory=list)

    def __enter__(self) -> PreflightContext:
        self.progress_bars = datasets.is_progress_bar_enabled()
        datasets.disable_progress_bars()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the workers that grading started, and deletes the files of the trial."""
        if self.progress_bars:
            datasets.enable_progress_bars()
        computed = self.__dict__
        for each in [*computed.get("rewards", ()), computed.get("hasty_grader"), computed.get("trial")]:
            if hasattr(each, "close"):
                each.close()

    @property
    def folder(self) -> str:
        """Folder or name of the model whose files are read."""
        return str(self.stand_in or self.model.model_name_or_path)

    @property
    def revision(self) -> str:
        return "main" if self.stand_in else self.model.model_revision or "main"

    @cached_property
    def evaluation(self) -> Evaluation:
        return Evaluation.of(self.recipe)

    @needing(ModelError, "{}; or give --tokenizer")
    def source(self) -> str:
        """`folder`, once it is known to be available."""
        protocol.check_model_exists({"pretrained": self.folder, "revision": self.revision})
        return self.folder

    @needing(ModelError, "{}; or give --tokenizer")
    def tokenizer(self) -> Any:
        """The tokenizer as it is, with a padding token or without."""
        return loaded_tokenizer(self.source, self.revision)

    @needing(ModelError, "no generation_config: {}; give --tokenizer")
    def model_eos_tokens(self) -> list[int]:
        """The tokens at which the model's own configuration ends generation."""
        return model_eos_tokens(self.source, self.revision)

    @cached_property
    def eos_tokens(self) -> list[int]:
        """The tokens that end responses; without the model's files that of the tokenizer alone."""
        try:
            return eos_tokens(self.tokenizer, self.model_eos_tokens)
        except Unavailable:
            return eos_tokens(self.tokenizer, ())

    @needing(DataError, "the task's data: {}")
    def task(self) -> EvaluationTask:
        """The recipe's task as lm-eval sets it up for the evaluation; not that of `prompts`."""
        return EvaluationTask(self.evaluation, lambda: self.tokenizer)

    @needing(DataError, "the task's data: {}")
    def prompts(self) -> TaskPrompts:
        """The task's prompts under the recipe's settings."""
        if self.recipe.chat and not self.tokenizer.chat_template:
            raise Unavailable("the prompts: the tokenizer has no chat template (row 4)")
        return build.prompts_of(self.recipe, self.tokenizer if self.recipe.chat else None)

    @needing((DataError, OSError), "the training data: {}; give --data")
    def uncurated(self) -> list[Doc]:
        """The training documents before a curriculum selects among them."""
        recipe = replace(self.recipe, curriculum=None)
        count = lambda text: len(self.tokenizer(text)["input_ids"])  # noqa: E731
        return build.selected(recipe, self.prompts, count, self.kind).docs

    @cached_property
    def curriculum(self) -> list[Doc]:
        """The documents of the curriculum, in its order. Raises DataError where ids have no document."""
        assert self.recipe.curriculum, "the recipe has no curriculum"
        if not Path(self.recipe.curriculum).is_file():
            raise Unavailable(f"there is no curriculum {self.recipe.curriculum}")
        ids = build.curriculum_of(self.recipe.curriculum)
        return joined(ids, self.uncurated, allow_missing=self.recipe.allow_missing_ids)

    @cached_property
    def documents(self) -> list[Doc]:
        """All training documents; if the curriculum is broken, those that it would select from."""
        try:
            return (self.recipe.curriculum and self.curriculum) or self.uncurated
        except (DataError, Unavailable):
            return self.uncurated

    @cached_property
    def sampled(self) -> list[Doc]:
        """Up to SAMPLED of the documents, evenly spread."""
        docs, size = self.documents, min(SAMPLED, len(self.documents))
        return [docs[i * len(docs) // size] for i in range(size)]

    @cached_property
    def rows(self) -> list[Row]:
        return of_one_type(build.rows_of(self.recipe, self.kind, self.sampled, self.prompts))

    @cached_property
    def prompt_texts(self) -> list[str]:
        return [self.prompts.prompt(doc) for doc in self.sampled]

    @cached_property
    def prompt_ids(self) -> list[list[int] | None]:
        """The tokens of each prompt, under SFT of the whole row; None of a row that TRL drops."""
        if self.kind == "grpo":
            return [list(ids) for ids in self.tokenizer(text=self.prompt_texts)["input_ids"]]
        kept = {row["number"]: row["input_ids"] for row in self.tokenized}
        return [kept.get(number) for number in range(len(self.rows))]

    @cached_property
    def targets(self) -> list[str]:
        """The response in each row; under GRPO there is none."""
        if self.kind == "grpo":
            return [""] * len(self.rows)
        masked = replace(self.recipe, shape="masked")
        return [str(row["completion"]) for row in build.rows_of(masked, "sft", self.sampled, self.prompts)]

    @cached_property
    def tokenized(self) -> list[Row]:
        """`number`, `input_ids` and `labels` (-100: no loss) of each row, as TRL prepares it, not cut."""
        return self._prepared([{**row, "number": i} for i, row in enumerate(self.rows)], None)

    @cached_property
    def truncated(self) -> dict[int, Row]:
        """`tokenized` at the recipe's max_length, by number; TRL drops rows without any label left."""
        return {row["number"]: row for row in self._prepared(self.tokenized, self.training.max_length)}

    def _prepared(self, made: list[Row], max_length: int | None) -> list[Row]:
        """`SFTTrainer._prepare_dataset`, which needs a tokenizer and no model."""
        from trl import SFTTrainer

        dataset, settings = datasets.Dataset.from_list(made), copy.copy(self.training)
        settings.max_length, settings.shuffle_dataset = max_length, False
        trainer = object.__new__(SFTTrainer)
        trainer._tokenizer, trainer.chat_template = self.tokenizer, None
        wanted = settings.completion_only_loss
        both = {"prompt", "completion"} <= set(dataset.column_names)  # TRL's rule where the setting is None
        trainer.completion_only_loss = both if wanted is None else wanted
        found = trainer._prepare_dataset(dataset, self.tokenizer, settings, False, None, "train")
        return [{name: row[name] for name in ("number", "input_ids", "labels")} for row in found]

    def collated(self, examples: list[Row]) -> dict[str, Any]:
        """A batch of `input_ids` and `labels`, as the trainer gets it."""
        from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

        return dict(DataCollatorForLanguageModeling(pad_token_id=self.tokenizer.pad_token_id)(examples))

    @cached_property
    def rewards(self) -> list[Any]:
        """The reward functions of the run, which here record nothing."""
        recipe = (self.whole or self).recipe
        functions, weights = rewards(recipe, self.training, self.tokenizer, self.eos_tokens)
        self.training.reward_weights = weights
        found: list[Any] = list(functions)
        found[0].rewards.rollouts.file = None
        return found

    @cached_property
    def reward_set(self) -> RewardSet | None:
        """What the reward functions share; None where they are of another make."""
        return next((each.rewards for each in self.rewards if isinstance(each, RewardFunction)), None)

    @cached_property
    def grading(self) -> Grading | None:
        """How the rows are graded; None where the rewards are of another make."""
        key = self.recipe.task, build.verifier_of(self.recipe, self.prompts)
        return self.reward_set.gradings[key] if self.reward_set else None

    @cached_property
    def grader(self) -> AccuracyReward | None:
        """The evaluation's grader of math, if that is what grades."""
        given = next((reward for reward in self.rewards if isinstance(reward, AccuracyReward)), None)
        return given or (self.grading.grader if self.grading else None)

    @cached_property
    def hasty_grader(self) -> AccuracyReward:
        """A copy of `grader` with a short deadline, and one worker of its own."""
        assert self.grader is not None
        hasty = copy.copy(self.grader)  # without the workers of the original
        hasty.config = replace(hasty.config, timeout_s=DEADLINE_S, workers=1)
        return hasty

    def hanging_and_easy(self) -> Pair:
        """Rewards of a comparison that hangs, and of an easy one behind it."""
        first, second = self.hasty_grader(*HANGING_AND_EASY)
        return first, second

    @cached_property
    def main_thread_rewards(self) -> Pair:
        """`hanging_and_easy`, once for the checks that ask for it."""
        return self.hanging_and_easy()

    @cached_property
    def trial(self) -> Trial:
        model = replace(self.model, model_name_or_path=self.folder, model_revision=self.revision)
        graders = self.rewards if self.kind == "grpo" else []
        return Trial(self.kind, self.training, model, self.rows, self.tokenizer, graders)


def _one_line(error: BaseException) -> str:
    text = error.code if isinstance(error, UserError) else str(error)
    return " ".join(str(text).split())[:200]
