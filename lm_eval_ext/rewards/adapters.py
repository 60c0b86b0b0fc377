"""The verifiers as rewards of verl, OpenRLHF, verifiers (prime-rl) and NeMo-RL, as docs/rewards.md shows.

These trainers need a number for every response: `undecided` is the reward of a response that could not be
decided, and every adapter that can says beside it which ones these are.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from lm_eval_ext.errors import UserError
from lm_eval_ext.rewards.completions import text_of, up_to_stop
from lm_eval_ext.rewards.types import Score, Verifier
from lm_eval_ext.rewards.types import verifier as verifier_of

WORKERS = 2
"""Grading processes of each process that a trainer starts for rewards: there are several on a host."""
_END_TOKENS = re.compile(r"(?:\s*(?:<[|｜][^<>|｜]{1,40}[|｜]>|</s>|<eos>|<end_of_turn>|<pad>))+\s*$")


def score(
    responses: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    *,
    verifier: str = "math",
    stops: Sequence[str] = (),
    **settings: Any,
) -> list[Score]:
    """One score per response, by the process's verifier with these settings.

    Args:
        rows: what the verifier reads; `math` reads `gold`, and `problem` if there is one.
        verifier: a name from `lm_eval_ext.rewards.types.VERIFIERS`, or `module:attribute`.
        stops: text after the first of these strings is ignored.
        settings: of the verifier, as JSON holds them; of `math`: those of `AccuracyReward`.

    Raises ValueError for an unknown verifier, for settings that it refuses, for rows that lack what it reads.
    """
    verifies = _shared(verifier, json.dumps(settings, sort_keys=True, default=list))
    return verifies([up_to_stop(response, stops) for response in responses], rows)


@lru_cache(maxsize=256)
def _shared(name: str, settings: str) -> Verifier:
    given = ({"workers": WORKERS} if name == "math" else {}) | json.loads(settings)
    try:
        return verifier_of(name, **given)
    except TypeError as error:
        raise ValueError(f"the verifier {name} refuses the settings {given}: {error}") from error
    except UserError as error:  # a SystemExit, which would end an event loop
        raise ValueError(str(error)) from error


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: Any,
    extra_info: Mapping[str, Any] | None = None,
    *,
    undecided: float = 0.0,
    reward_router_address: Any = None,
    reward_model_tokenizer: Any = None,
    **settings: Any,
) -> dict[str, Any]:
    """The reward of one response for verl, as its `custom_reward_function`.

    `settings` are those of `score`, from the configuration's `reward_kwargs`. The verifier reads `gold`,
    which is `ground_truth`, and the fields of `extra_info`. verl records what stands beside "score".

    >>> compute_score("openai/gsm8k", "3 + 4 = 7. Final answer: 7", "7")
    {'score': 1.0, 'acc': 1.0, 'undecided': 0.0, 'pred': '7'}
    """
    known = dict(extra_info or {})
    row = {"problem": known.get("question"), **known, "gold": ground_truth}
    (found,) = score([solution_str], [row], **settings)
    return {
        "score": _reward(found, undecided),
        "acc": float(found.correct is True),
        "undecided": float(found.correct is None),
        "pred": found.answer or "",
    }


def reward_func(
    queries: Sequence[str],
    prompts: Sequence[str],
    labels: Sequence[Any],
    *,
    undecided: float = 0.0,
    **settings: Any,
) -> dict[str, Any]:
    """The rewards of a batch for OpenRLHF, as its custom reward function and the server's `/get_reward`.

    `queries` are prompts with their responses, special tokens included; `labels` are the golds.

    Raises ValueError if the lengths differ or a query does not begin with its prompt.
    """
    if not len(queries) == len(prompts) == len(labels):
        raise ValueError(f"{len(queries)} queries, {len(prompts)} prompts, {len(labels)} labels")
    responses = [response_of(query, prompt) for query, prompt in zip(queries, prompts, strict=True)]
    scores = score(responses, [{"gold": label} for label in labels], **settings)
    rewards = [_reward(each, undecided) for each in scores]
    logs = {
        "undecided": [float(each.correct is None) for each in scores],
        "answered": [float(each.answer is not None) for each in scores],
    }
    return {"rewards": rewards, "scores": rewards, "extra_logs": logs}


def response_of(query: str, prompt: str) -> str:
    """What follows the prompt, without the special tokens at its end.

    Detokenizing may change the prompt's white space. Raises ValueError if the query does not begin with it.
    """
    rest = query.removeprefix(prompt)
    if prompt and rest is query:
        visible = "".join(prompt.split())
        places = [match.end() for match in re.finditer(r"\S", query)]
        if "".join(query.split())[: len(visible)] != visible:
            raise ValueError(f"a query does not begin with its prompt: {query[:80]!r}, {prompt[:80]!r}")
        rest = query[places[len(visible) - 1] :] if visible else query
    return _END_TOKENS.sub("", rest)


def rubric_function(*, undecided: float = 0.0, **settings: Any) -> Callable[..., Awaitable[float]]:
    """A reward function for a `Rubric` of verifiers before 0.4: `Rubric(funcs=[rubric_function()])`.

    The verifier reads `gold`, which is `answer`, and the fields of `info`.
    """

    async def lm_eval_ext(completion: Any, answer: Any = "", info: Mapping[str, Any] | None = None) -> float:
        row = {**(info or {}), "gold": answer}
        (found,) = await asyncio.to_thread(score, [text_of(completion)], [row], **settings)
        return _reward(found, undecided)

    return lm_eval_ext


async def trace_reward(task: Any, trace: Any, *, undecided: float = 0.0, **settings: Any) -> float:
    """The reward of a finished rollout for verifiers from 0.4 on: a `reward` of a task, or plugged by name.

    The verifier reads the fields of the task's data; `gold` is its field `gold`, or else `answer`.
    """
    row = dict(task)
    row.setdefault("gold", row.get("answer"))
    (found,) = await asyncio.to_thread(score, [trace.last_reply], [row], **settings)
    return _reward(found, undecided)


class NemoEnvironment:
    """A single-turn environment for NeMo-RL, to be wrapped by `ray.remote`; see docs/rewards.md.

    Args:
        settings: of `score`, and `undecided`.
    """

    def __init__(self, settings: Mapping[str, Any] | None = None) -> None:
        self.settings = dict(settings or {})
        self.undecided = self.settings.pop("undecided", 0.0)

    def step(
        self, message_log_batch: Sequence[Sequence[dict[str, Any]]], metadata: Sequence[Mapping[str, Any]]
    ) -> Any:
        """An `EnvironmentReturn`: every episode ends with its first response.

        `metadata` are the rows that the verifier reads; `gold` is their `ground_truth` unless they have it.
        """
        import torch
        from nemo_rl.environments.interfaces import EnvironmentReturn

        rows = [{"gold": row.get("ground_truth"), **row} for row in metadata]
        scores = score([text_of(log) for log in message_log_batch], rows, **self.settings)
        told = [{"role": "environment", "content": each.reason or ""} for each in scores]
        return EnvironmentReturn(
            observations=told,
            metadata=list(metadata),
            next_stop_strings=[None] * len(scores),
            rewards=torch.tensor([_reward(each, self.undecided) for each in scores]),
            terminateds=torch.ones(len(scores)),
            answers=[each.answer for each in scores],
        )

    def global_post_process_and_metrics(self, batch: Any) -> tuple[Any, dict[str, float]]:
        """The batch as it is, and its mean reward."""
        return batch, {"accuracy": float(batch["rewards"].mean())}

    def shutdown(self) -> None:
        """Nothing to end: the grading processes end with the actor."""


def _reward(score: Score, undecided: float) -> float:
    return undecided if score.value is None else score.value
