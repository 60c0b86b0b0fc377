"""Short runs of the real trainers on ten samples: can the recipe's set-up learn at all?"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from .. import setup
from ..data.rows import Row

SAMPLES = 10
GROUPS = 2
"""Prompts a step under GRPO."""
STEPS = {"sft": 30, "grpo": 16}
RATES = {("sft", True): 1e-3, ("sft", False): 1e-4, ("grpo", True): 2e-4, ("grpo", False): 1e-5}
"""Learning rates that overfit ten samples in so few steps, by trainer and whether it is LoRA."""
FIXED: dict[str, Any] = {
    "lr_scheduler_type": "constant",
    "warmup_steps": 0,
    "gradient_accumulation_steps": 1,
    "logging_steps": 1,
    "save_strategy": "no",
    "eval_strategy": "no",
    "report_to": "none",
    "disable_tqdm": True,
}


@dataclass
class Trial:
    """A short run of a recipe's trainer, with its model, adapter, quantization and rollouts.

    Attributes:
        kind: "sft" or "grpo".
        training, model: settings of the recipe, as TRL has them.
        rows: of training; the first ten are used.
        rewards: of GRPO; the first one keeps the completions of the first step.
    """

    kind: str
    training: Any
    model: Any
    rows: list[Row]
    tokenizer: Any
    rewards: list[Any]

    def __post_init__(self) -> None:
        self.first_step = FirstStep(self.rewards[0]) if self.rewards else None
        self._folder = TemporaryDirectory(prefix="preflight-")

    @cached_property
    def trainer(self) -> Any:
        """TRL's trainer, not yet run."""
        from datasets import Dataset
        from trl import GRPOTrainer, SFTTrainer, get_peft_config

        given: dict[str, Any] = {
            "model": self.model.model_name_or_path,
            "args": self._settings(),
            "train_dataset": Dataset.from_list(self.rows[:SAMPLES]),
            "processing_class": self.tokenizer,
            "peft_config": get_peft_config(self.model),
        }
        if self.kind == "sft":
            return SFTTrainer(**given)
        rewards: list[Any] = [self.first_step, *self.rewards[1:]]
        return GRPOTrainer(**given, reward_funcs=rewards)

    def _settings(self) -> Any:
        loading = setup.model_arguments(self.model, self.training)
        settings = {
            **FIXED,
            "output_dir": self._folder.name,
            "max_steps": STEPS[self.kind],
            "learning_rate": RATES[self.kind, bool(self.model.use_peft)],
            "model_init_kwargs": {**loading, "revision": self.model.model_revision},
        }
        if self.kind == "sft":
            batch = min(SAMPLES, self.training.per_device_train_batch_size)
        else:
            batch = GROUPS * self.training.num_generations
            settings |= {"generation_batch_size": None, "steps_per_generation": None}
        return replace(self.training, **settings, per_device_train_batch_size=batch)

    @cached_property
    def log(self) -> list[dict[str, float]]:
        """What the trainer logged, one entry a step."""
        self.trainer.train()
        name = "loss" if self.kind == "sft" else "reward"
        return [entry for entry in self.trainer.state.log_history if name in entry]

    def series(self, name: str) -> list[float]:
        """The logged values of one name."""
        return [float(entry[name]) for entry in self.log if name in entry]

    def close(self) -> None:
        """Deletes what the run wrote."""
        self._folder.cleanup()


class FirstStep:
    """A reward that keeps the completions of the first step, by prompt."""

    def __init__(self, reward: Any) -> None:
        self.reward = reward
        self.__name__ = getattr(reward, "__name__", type(reward).__name__)
        self.groups: dict[str, list[str]] = {}

    def __call__(self, prompts: Sequence[Any], completions: Sequence[Any], **columns: Any) -> Any:
        """The rewards, unchanged."""
        if not self.groups:
            groups = defaultdict(list)
            for prompt, completion in zip(prompts, completions, strict=True):
                groups[str(prompt)].append(str(completion))
            self.groups = dict(groups)
        return self.reward(prompts=prompts, completions=completions, **columns)

    def fewest(self) -> int:
        """Distinct completions in the group with the fewest."""
        return min(len(set(group)) for group in self.groups.values())


class Agreement(NamedTuple):
    """How far the log-probabilities of sampled tokens by rollout engine and trainer are apart.

    Attributes:
        kl: the k3 estimate of the divergence a token, in nats (Schulman, "Approximating KL divergence").
        largest: difference of one token.
        tokens: compared.
    """

    kl: float
    largest: float
    tokens: int


def agreement(trainer: Any, tokenizer: Any, prompts: Sequence[str], tokens: int = 48) -> Agreement:
    """Compares `generate` on the tokens it samples with a forward pass at the training temperature.

    Args:
        trainer: a GRPOTrainer that rolls out with transformers.
        tokenizer: of its model.
        prompts: each alone (no padding).
        tokens: to sample for each.
    """
    import torch

    model, gaps = trainer.model.eval(), []
    sampling = copy.deepcopy(trainer.generation_config)
    sampling.max_new_tokens = tokens
    for prompt in prompts:
        ids = torch.tensor([tokenizer(prompt)["input_ids"]], device=model.device)  # (1, P)
        out = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            generation_config=sampling,
            return_dict_in_generate=True,
            output_scores=True,
        )
        sampled = out.sequences[:, ids.shape[1] :]  # (1, T)
        scores = torch.stack(out.scores, dim=1).float()  # (1, T, V)
        with torch.no_grad():
            logits = model(out.sequences).logits[:, ids.shape[1] - 1 : -1].float() / trainer.temperature
        engine, ours = (
            values.log_softmax(-1).gather(-1, sampled.unsqueeze(-1)) for values in (scores, logits)
        )
        gaps.append((engine - ours).flatten())
    gap = torch.cat(gaps)
    return Agreement(float((torch.exp(-gap) - 1 + gap).mean()), float(gap.abs().max()), gap.numel())
