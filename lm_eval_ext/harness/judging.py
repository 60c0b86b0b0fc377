"""The judge and the safeguard of lm-eval's tasks: from YAML or `--metadata`, one per run, tried before
generation."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from lm_eval_ext import safety
from lm_eval_ext.grading.judge import JudgeConfig, JudgeError, LlmJudge
from lm_eval_ext.grading.judge.config import ClientConfig
from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.redaction import redacted_url
from lm_eval_ext.safety import Safeguard, SafeguardConfig

JudgeSettings = str | Mapping[str, Any]
"""A model's name, or the fields of `JudgeConfig` or `SafeguardConfig`."""
Asked = LlmJudge | Safeguard
AnyConfig = TypeVar("AnyConfig", bound=ClientConfig)
AnyAsked = TypeVar("AnyAsked", LlmJudge, Safeguard)

log = logging.getLogger(f"lm_eval.{__name__}")

_made: dict[ClientConfig, Any] = {}
_tried: set[ClientConfig] = set()


def shared_judge(settings: JudgeSettings) -> LlmJudge:
    """The process's only judge with these settings: tasks and filters share its budget and usage.

    A judge that refuses requests leaves answers undecided unless the settings say otherwise: by then the
    responses are generated, and an error would lose them. `try_judge` comes first.

    Raises UserError for invalid settings.
    """
    return _shared(JudgeConfig, settings, lambda config: LlmJudge(config, progress="judging"))


def shared_safeguard(settings: JudgeSettings) -> Safeguard:
    """The process's only safeguard with these settings; otherwise like `shared_judge`."""
    return _shared(SafeguardConfig, settings, lambda config: safety.load(config, progress="safeguard"))


def _shared(
    kind: type[AnyConfig], settings: JudgeSettings, make: Callable[[AnyConfig], AnyAsked]
) -> AnyAsked:
    given = {"model": settings} if isinstance(settings, str) else settings
    try:
        config = kind.from_settings({"on_refusal": "undecided", **given})
        if config not in _made:
            _made[config] = make(config)
    except JudgeError as error:
        raise UserError(str(error)) from None
    made: AnyAsked = _made[config]
    return made


class Role(NamedTuple):
    """What a model is asked for.

    Attributes:
        name: of its settings in `--metadata`, and of the filter's argument.
        filter: the filter that asks it.
        again: how to ask again about responses that it left undecided.
        shared: the model from its settings.
    """

    name: str
    filter: str
    again: str
    shared: Callable[[JudgeSettings], Asked]


JUDGE = Role("judge", "grade_math", "lm-eval-ext regrade --judge asks again", shared_judge)
SAFEGUARD = Role("safeguard", "safeguard", "with --resume DIR the same command asks again", shared_safeguard)
PREFIXES = ("judge_", "safeguard_")


def try_judge(judge: Asked) -> None:
    """Sends a trivial request once per process, so that a wrong key shows before hours of generation.

    An unreachable judge is only a warning: its server may start later, when the GPU is free.

    Raises UserError if it refuses the request.
    """
    if judge.config in _tried:
        return
    _tried.add(judge.config)
    try:
        why = judge.probe()
    except JudgeError as error:
        raise UserError(str(error)) from None
    if why is not None:
        log.warning(
            "the %s %s does not reply now: %s; it is tried again when the responses are generated",
            *(judge.config.role, judge.config.model, redacted_url(why)),
        )


def settings_from(metadata: Mapping[str, Any], role: str = "judge") -> JudgeSettings | None:
    """The judge in `--metadata '{"judge": "MODEL", "judge_base_url": "..."}'`, None if there is none.

    Raises UserError for settings without a judge.
    """
    prefix = f"{role}_"
    rest = {name.removeprefix(prefix): v for name, v in metadata.items() if name.startswith(prefix)}
    judge = metadata.get(role)
    if judge is None and rest:
        raise UserError(f'--metadata has {prefix}{next(iter(rest))} but no {role}; add "{role}": "MODEL"')
    if judge is None:
        return None
    return {**({"model": judge} if isinstance(judge, str) else judge), **rest}


def with_judge(
    filter_list: list[dict[str, Any]], settings: JudgeSettings | None, role: Role = JUDGE
) -> list[dict[str, Any]]:
    """A task's filters, with the judge as an argument of every `grade_math` that names none itself."""
    if settings is None:
        return filter_list

    def judged(step: dict[str, Any]) -> dict[str, Any]:
        return {role.name: settings, **step} if step.get("function") == role.filter else step

    return [{**entry, "filter": [judged(step) for step in entry["filter"]]} for entry in filter_list]


def judges_of(filter_list: list[dict[str, Any]], role: Role = JUDGE) -> list[Asked]:
    """The judges that a task's filters ask, each once."""
    steps = [step for entry in filter_list for step in entry["filter"]]
    named = [role.shared(step[role.name]) for step in steps if step.get(role.name) is not None]
    return list(dict.fromkeys(named))
