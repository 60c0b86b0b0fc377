"""What the server takes and gives."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from lm_eval_ext.errors import shown
from lm_eval_ext.grading import EXTRACTORS
from lm_eval_ext.grading.golds import KINDS, is_gold
from lm_eval_ext.rewards.types import VERIFIERS, Score

TASK = r"^\w[\w-]*$"
"""A task's name, which is no path."""


class Row(BaseModel):
    """A response and what its verifier reads: `math` gold and problem, others further fields."""

    model_config = ConfigDict(extra="allow")
    response: Annotated[str, Field(description="All that the model wrote.")]
    gold: Annotated[Any, Field(description=f"The reference answer: {KINDS}.")] = None
    problem: Annotated[str | None, Field(description="The problem, for the options of a choice.")] = None

    @field_validator("gold")
    @classmethod
    def _is_gold(cls, value: Any) -> Any:
        if value is not None and not is_gold(value):
            raise ValueError(f"expected {KINDS}, got {shown(value)}")
        return value


class ScoreRequest(BaseModel):
    """Responses to score as a task does or by a verifier; without either, as the server was told."""

    model_config = ConfigDict(extra="forbid")
    rows: Annotated[list[Row], Field(min_length=1)]
    task: Annotated[str | None, Field(pattern=TASK, description="A task of the package.")] = None
    verifier: Annotated[str | None, Field(description=f"One of {', '.join(VERIFIERS)}.")] = None
    extract: Annotated[str | None, Field(description=f"Of math: {', '.join(sorted(EXTRACTORS))}.")] = None
    stops: Annotated[list[str] | None, Field(description="Strings that end a response.")] = None

    @field_validator("verifier", "extract")
    @classmethod
    def _is_known(cls, value: str | None, info: Any) -> str | None:
        known = VERIFIERS if info.field_name == "verifier" else EXTRACTORS
        if value is not None and value not in known:
            raise ValueError(f"expected one of {', '.join(sorted(known))}, got {shown(value)}")
        return value


class ScoreReply(BaseModel):
    """One score per row, in order; `value` and `correct` are null if undecided, and `reason` says why."""

    scores: list[Score]


class RewardRequest(BaseModel):
    """OpenRLHF's request: `query` is the prompt with the response, `labels` are the reference answers."""

    query: Annotated[list[str], Field(min_length=1)]
    prompts: list[str]
    labels: list[Any]


class RewardReply(BaseModel):
    """OpenRLHF's reply; an undecided response has the server's reward for those, and a 1 in `undecided`."""

    rewards: list[float]
    scores: list[float]
    extra_logs: dict[str, list[float]]


class Fault(BaseModel):
    """What is wrong with a request."""

    detail: str
