"""The judge of lm-eval's tasks: from YAML or `--metadata`, one per run, tried before generation."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from lm_eval_ext.grading.judge import JudgeConfig, JudgeError, LlmJudge
from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.redaction import redacted_url

JudgeSettings = str | Mapping[str, Any]
"""A model's name, or the fields of `JudgeConfig`."""

log = logging.getLogger(f"lm_eval.{__name__}")

_judges: dict[JudgeConfig, LlmJudge] = {}
_tried: set[JudgeConfig] = set()


def shared_judge(settings: JudgeSettings) -> LlmJudge:
    """The process's only judge with these settings: tasks and filters share its budget and usage.

    A judge that refuses requests leaves answers undecided unless the settings say otherwise: by then the
    responses are generated, and an error would lose them. `try_judge` comes first.

    Raises UserError for invalid settings.
    """
    given = {"model": settings} if isinstance(settings, str) else settings
    try:
        config = JudgeConfig.from_settings({"on_refusal": "undecided", **given})
        if config not in _judges:
            _judges[config] = LlmJudge(config, progress="judging")
    except JudgeError as error:
        raise UserError(str(error)) from None
    return _judges[config]


def try_judge(judge: LlmJudge) -> None:
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
            "the judge %s does not reply now: %s; it is tried again when the responses are generated",
            *(judge.config.model, redacted_url(why)),
        )


def settings_from(metadata: Mapping[str, Any]) -> JudgeSettings | None:
    """The judge in `--metadata '{"judge": "MODEL", "judge_base_url": "..."}'`, None if there is none.

    Raises UserError for settings without a judge.
    """
    rest = {name.removeprefix("judge_"): v for name, v in metadata.items() if name.startswith("judge_")}
    judge = metadata.get("judge")
    if judge is None and rest:
        raise UserError(f'--metadata has judge_{next(iter(rest))} but no judge; add "judge": "MODEL"')
    if judge is None:
        return None
    return {**({"model": judge} if isinstance(judge, str) else judge), **rest}


def with_judge(filter_list: list[dict[str, Any]], settings: JudgeSettings | None) -> list[dict[str, Any]]:
    """A task's filters, with the judge as an argument of every `grade_math` that names none itself."""
    if settings is None:
        return filter_list

    def judged(step: dict[str, Any]) -> dict[str, Any]:
        return {"judge": settings, **step} if step.get("function") == "grade_math" else step

    return [{**entry, "filter": [judged(step) for step in entry["filter"]]} for entry in filter_list]


def judges_of(filter_list: list[dict[str, Any]]) -> list[LlmJudge]:
    """The judges that a task's filters ask, each once."""
    steps = [step for entry in filter_list for step in entry["filter"]]
    named = [shared_judge(step["judge"]) for step in steps if step.get("judge") is not None]
    return list(dict.fromkeys(named))
