"""GRPO whose rollouts do not wait for training: `lm-eval-ext train async_grpo --config RECIPE --vllm_gpus 1`.

TRL's experimental AsyncGRPOTrainer with the prompts, checks and rewards of a GRPO recipe. A vLLM server
samples while the policy is trained; rollouts of a policy older by more than `max_staleness` steps are
discarded. GPUs only: its attention is FlashAttention 3, and weights reach the server by NCCL.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from typing import Any

from lm_eval_ext.harness.errors import UserError

from . import setup
from .grpo import prepared
from .launch import started
from .models import ids_of

SERVER = {"use_vllm", "vllm_mode", "vllm_group_port", "vllm_max_model_length", "reward_weights"}
"""GRPO's settings that have no meaning here, or are the server's."""


def trainer(arguments: Sequence[str] | None = None, **stand_ins: Any) -> Any:
    """The AsyncGRPOTrainer of a recipe, ready to train.

    Args:
        arguments: as for the other trainers.
        stand_ins: `rollout_worker` and `weight_transfer` in place of those of a vLLM server.

    Raises UserError for a setting that it does not have, and without a GPU.
    """
    import torch

    if not stand_ins and not torch.cuda.is_available():
        raise UserError("async_grpo needs a CUDA GPU, and another for its vLLM server (vllm_gpus: 1)")
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    from trl.experimental.async_grpo import AsyncGRPOTrainer

    recipe, settings, weights = prepared("async_grpo", arguments)
    if weights != [1.0]:
        raise UserError(
            f"recipe: async_grpo sums its rewards without weights, got {weights}; give one reward"
        )
    if recipe.adaptive_sampling < 1:
        raise UserError("recipe: adaptive_sampling is for grpo: async_grpo takes the prompts in their order")
    settings["args"] = asynchronous(settings["args"], recipe.max_staleness)
    tokenizer, rows = settings["processing_class"], settings["train_dataset"]
    settings["processing_class"] = verbatim(tokenizer, rows[0]["prompt"])
    settings["train_dataset"] = rows.map(lambda row: {"prompt": [{"role": "user", "content": row["prompt"]}]})
    made = AsyncGRPOTrainer(**settings, **stand_ins)
    made.processing_class = tokenizer  # which is saved with the model
    return made


def verbatim(tokenizer: Any, prompt: str) -> Any:
    """A copy whose chat template shows a message as it is: TRL's rollout worker takes nothing but chats, and
    prompts are rendered.

    Raises UserError if this prompt would not have the tokens of the evaluation.
    """
    found, ids = copy.deepcopy(tokenizer), ids_of(tokenizer, prompt)
    bos = bool(ids) and ids[0] == tokenizer.bos_token_id and not prompt.startswith(tokenizer.bos_token)
    found.chat_template = "{{ bos_token }}" * bos + "{{ messages[0]['content'] }}"
    chat = [{"role": "user", "content": prompt}]
    if (seen := found.apply_chat_template(chat, return_dict=False, add_generation_prompt=True)) != ids:
        raise UserError(
            f"async_grpo: a prompt has other tokens than in the evaluation: {seen[:8]}, not {ids[:8]}"
        )
    return found


def asynchronous(training: Any, max_staleness: int) -> Any:
    """The AsyncGRPOConfig with these settings of GRPO. Raises UserError for one that it does not have."""
    from trl.experimental.async_grpo import AsyncGRPOConfig

    training.model_init_kwargs.pop("attn_implementation")  # it brings its own
    without = SERVER | {"generation_batch_size", "steps_per_generation"}
    return setup.converted(training, AsyncGRPOConfig, without, "async_grpo", max_staleness=max_staleness)


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, and saves the model (or its adapter) in `output_dir`."""
    if not started("async_grpo", arguments):
        setup.train(trainer(arguments))


if __name__ == "__main__":
    main()
