"""Small runs of the real trainers on ten samples: whether the recipe's machinery can learn at all."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from .. import setup

if TYPE_CHECKING:
    from .subject import Subject

SAMPLES = 10
SFT_STEPS, GRPO_STEPS = 30, 16
GROUPS = 2
"""Prompts a step under GRPO."""
RATES = {("sft", True): 1e-3, ("sft", False): 1e-4, ("grpo", True): 2e-4, ("grpo", False): 1e-5}
"""Learning rates that overfit ten samples in so few steps, by trainer and whether it is LoRA."""


class Trial:
    """One small run of the recipe's trainer, made when first asked for.

    Args:
        subject: what is looked at.
        steps: of training; None: as many as usually show it.
    """

    def __init__(self, subject: Subject, steps: int | None = None) -> None:
        self.subject = subject
        self.steps = steps or (SFT_STEPS if subject.kind == "sft" else GRPO_STEPS)
        self.first = FirstStep(subject.rewards[0]) if subject.kind == "grpo" else None
        self._folder = TemporaryDirectory(prefix="preflight-")

    @cached_property
    def trainer(self) -> Any:
        """The trainer on the samples, with the recipe's model, adapter, quantization and rollouts."""
        from datasets import Dataset
        from trl import GRPOTrainer, SFTTrainer, get_peft_config

        subject = self.subject
        given = {
            "model": subject.folder,
            "args": self._settings(),
            "train_dataset": Dataset.from_list(subject.rows[:SAMPLES]),
            "processing_class": subject.tokenizer,
            "peft_config": get_peft_config(subject.model),
        }
        if subject.kind == "sft":
            return SFTTrainer(**given)
        rewards: list[Any] = [self.first, *subject.rewards[1:]]
        return GRPOTrainer(**given, reward_funcs=rewards)

    def _settings(self) -> Any:
        training, kind = self.subject.training, self.subject.kind
        shared: dict[str, Any] = {
            "output_dir": self._folder.name,
            "max_steps": self.steps,
            "learning_rate": RATES[kind, bool(self.subject.model.use_peft)],
            "lr_scheduler_type": "constant",
            "warmup_steps": 0,
            "gradient_accumulation_steps": 1,
            "logging_steps": 1,
            "save_strategy": "no",
            "eval_strategy": "no",
            "report_to": "none",
            "disable_tqdm": True,
            "model_init_kwargs": setup.model_arguments(self.subject.model, training),
        }
        shared["model_init_kwargs"]["revision"] = self.subject.revision or "main"
        if kind == "sft":
            batch = min(SAMPLES, training.per_device_train_batch_size)
            return replace(training, **shared, per_device_train_batch_size=batch)
        group = training.num_generations
        return replace(
            training,
            **shared,
            per_device_train_batch_size=GROUPS * group,
            generation_batch_size=None,
            steps_per_generation=None,
        )

    @cached_property
    def log(self) -> list[dict[str, float]]:
        """What the trainer logged, one entry a step."""
        self.trainer.train()
        name = "loss" if self.subject.kind == "sft" else "reward"
        return [entry for entry in self.trainer.state.log_history if name in entry]

    def series(self, name: str) -> list[float]:
        """The values of one logged name."""
        return [float(entry[name]) for entry in self.log if name in entry]

    def close(self) -> None:
        """Removes what the run wrote."""
        self._folder.cleanup()


class FirstStep:
    """The reward, which keeps the completions of the first step by prompt."""

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


@dataclass(frozen=True)
class Agreement:
    """Of the log-probabilities of sampled tokens by the rollout engine and by the trainer.

    Attributes:
        kl: the k3 estimate of the divergence a token, in nats (Schulman, "Approximating KL divergence").
        largest: difference of one token.
        tokens: compared.
    """

    kl: float
    largest: float
    tokens: int


def agreement(trainer: Any, tokenizer: Any, prompts: Sequence[str], tokens: int = 48) -> Agreement:
    """What `generate` says of the tokens it samples, beside a forward pass at the training temperature.

    Args:
        trainer: a GRPOTrainer that rolls out with transformers.
        tokenizer: its.
        prompts: to go on from, each alone (no padding).
        tokens: sampled for each.
    """
    import torch

    model, gaps = trainer.model.eval(), []
    for prompt in prompts:
        ids = torch.tensor([tokenizer(prompt)["input_ids"]], device=model.device)  # (1, P)
        out = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            generation_config=replaced(trainer.generation_config, tokens),
            return_dict_in_generate=True,
            output_scores=True,
        )
        said = out.sequences[:, ids.shape[1] :]  # (1, T)
        scores = torch.stack(out.scores, dim=1).float()  # (1, T, V)
        with torch.no_grad():
            logits = model(out.sequences).logits[:, ids.shape[1] - 1 : -1].float() / trainer.temperature
        gaps.append(chosen(scores, said) - chosen(logits, said))
    gap = torch.cat([g.flatten() for g in gaps])
    return Agreement(float((torch.exp(-gap) - 1 + gap).mean()), float(gap.abs().max()), gap.numel())


def replaced(config: Any, tokens: int) -> Any:
    """The generation settings with another number of new tokens."""
    made = copy.deepcopy(config)
    made.max_new_tokens = tokens
    return made


def chosen(logits: Any, said: Any) -> Any:
    """Log-probabilities of the said tokens: (1, T, V) and (1, T) give (1, T)."""
    return logits.log_softmax(-1).gather(-1, said.unsqueeze(-1)).squeeze(-1)
