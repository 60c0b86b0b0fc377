"""Short runs of the real trainers on ten samples: can the recipe's set-up learn at all?"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from lm_eval_ext.harness.sources import read_rows

from ..data.rows import Row
from ..merge.engines import log_probabilities
from ..models import model_arguments

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
        rewards: of GRPO; they record the completions.
    """

    kind: str
    training: Any
    model: Any
    rows: list[Row]
    tokenizer: Any
    rewards: list[Any]

    def __post_init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="preflight-")
        self._rollouts = Path(self._folder.name) / "rollouts.jsonl"
        for function in self.rewards[:1]:
            function.rewards.rollouts.file = self._rollouts

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
        return GRPOTrainer(**given, reward_funcs=self.rewards)

    def _settings(self) -> Any:
        loading = model_arguments(self.model, self.training)
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

    def fewest_distinct(self) -> int:
        """Distinct completions in the group with the fewest, of the groups of the first step."""
        assert self.log, "the trial has no step"
        groups = defaultdict(set)
        for row in read_rows(self._rollouts):
            if row["step"] == 0:
                groups[row["prompt_sha256"]].add(row["completion"])
        return min(map(len, groups.values()))

    def close(self) -> None:
        """Deletes what the run wrote."""
        self._folder.cleanup()


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
    sampling.update(max_new_tokens=tokens, return_dict_in_generate=True, output_scores=True)
    for prompt in prompts:
        ids = tokenizer(prompt)["input_ids"]
        given = torch.tensor([ids], device=model.device)  # (1, P)
        out = model.generate(given, attention_mask=torch.ones_like(given), generation_config=sampling)
        sampled = out.sequences[0, len(ids) :].cpu()  # (T,)
        engine = torch.cat(out.scores).float().log_softmax(-1).cpu()  # (T, V)
        ours = log_probabilities(model, ids, sampled.tolist(), trainer.temperature)
        gaps.append((engine - ours).gather(1, sampled[:, None])[:, 0])
    gap = torch.cat(gaps)
    return Agreement(float((torch.exp(-gap) - 1 + gap).mean()), float(gap.abs().max()), gap.numel())
