"""The reward beside the evaluation's grader: equal verdicts, and nothing that can hang."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from lm_eval_ext.grading.golds import acceptable, is_gold
from lm_eval_ext.rewards import AccuracyReward

from ...data.documents import Doc
from ..registry import Outcome, broken, inapplicable, judged, passed, row
from ..subject import Subject

COMPARED = 16
PROBED = 3
PROBES = (
    r"So \boxed{GOLD}. Hence the final answer is OTHER.",
    r"So \boxed{OTHER}. Hence the final answer is GOLD.",
    "The answer is GOLD. That took OTHER steps.",
    "The answer is OTHER. No: GOLD, since we count from GOLD.",
    "GOLD",
)
"""Responses that the ways to find an answer read differently; OTHER is no gold."""
OTHER = "7919"
LEAST_RIGHT = 0.9
"""Share of worked solutions that must be right by the evaluation's grader."""
CANARY = ("Final answer: 1", r"\sum_{k=1}^{99999} \frac{k!}{(k+1)!}")
"""A response and a gold that sympy does not finish with."""
EASY = ("Final answer: 2/4", "0.5")
DEADLINE_S = 1.0
NO_REWARD = inapplicable("SFT has no reward")


def grader(subject: Subject) -> AccuracyReward | None:
    """The reward that grades, None if there is none of this package."""
    return next((r for r in subject.rewards if isinstance(r, AccuracyReward)), None)


def foreign(subject: Subject) -> Outcome:
    """What is to be said where no reward is the evaluation's grader."""
    names = ", ".join(getattr(r, "__name__", type(r).__name__) for r in subject.rewards)
    return broken(f"the rewards are {names}, none of them AccuracyReward or a subclass; use AccuracyReward")


@row(6, "reward is not the evaluation's grader", "error")
def same_verdicts(subject: Subject) -> Outcome:
    """Worked solutions, those of other problems and PROBES, through the reward and the task's filter."""
    if subject.kind == "sft":
        return NO_REWARD
    reward = grader(subject)
    if reward is None:
        return foreign(subject)
    docs = subject.sampled[:COMPARED]
    solutions = [_solution(subject, doc) for doc in docs]
    probed = [doc for doc in docs[:PROBED] for _ in PROBES]
    probes = [_probe(probe, doc) for doc in docs[:PROBED] for probe in PROBES]
    responses = [*solutions, *solutions[1:], solutions[0], *probes]
    asked = [*docs, *docs, *probed]
    given = reward(responses, [d["gold"] for d in asked], problem=[d.get("problem") for d in asked])
    right = _evaluated(subject, responses, asked)
    if right is None:
        return broken(f"{subject.recipe.task} is not graded by grade_math; name a task of this package")
    differ = [i for i, (a, b) in enumerate(zip(given, right, strict=True)) if a != _worth(b, reward)]
    if differ:
        i = differ[0]
        return broken(
            f"{len(differ)} of {len(given)} verdicts differ: document {asked[i]['id']} gets {given[i]} "
            f"from the reward, {right[i]} from the evaluation, for {responses[i][-60:]!r}; give "
            f"AccuracyReward the task's settings {subject.prompts.grading}, stops {subject.prompts.stops}"
        )
    good = sum(verdict is True for verdict in right[: len(docs)])
    seen = f"{len(given)} verdicts are equal; {good} of {len(docs)} worked solutions are right"
    return judged(good >= LEAST_RIGHT * len(docs), seen, "mend the gold answers or solutions of the source")


def _solution(subject: Subject, doc: Doc) -> str:
    if str(doc.get("solution") or "").strip():
        return subject.prompts.target(doc)
    return f"Final answer: {_said(doc)}"


def _said(doc: Doc) -> str:
    """The gold as a model would write it; "" where there is none."""
    return acceptable(doc["gold"])[0] if is_gold(doc["gold"], blank=False) else ""


def _probe(probe: str, doc: Doc) -> str:
    return probe.replace("GOLD", _said(doc)).replace("OTHER", OTHER)


def _worth(verdict: bool | None, reward: AccuracyReward) -> float | None:
    return reward.undecided if verdict is None else float(verdict)


def _evaluated(subject: Subject, responses: Sequence[str], docs: Sequence[Doc]) -> list[bool | None] | None:
    """The verdicts of the task's filter `grade_math` on responses that end where lm-eval ends them."""
    from lm_eval.api.instance import Instance

    task = subject.task.task
    pipeline = next((f for f in task._filters if f.name == "grade_math"), None)
    if pipeline is None:
        return None
    instances = [
        Instance(
            "generate_until", dict(doc), ("", {}), i, (subject.recipe.task, i, 1), [_ended(subject, response)]
        )
        for i, (response, doc) in enumerate(zip(responses, docs, strict=True))
    ]
    pipeline.apply(instances)
    return [instance.filtered_resps["grade_math"][0].correct for instance in instances]


def _ended(subject: Subject, response: str) -> str:
    until = subject.task.generation.get("until") or []
    for stop in [until] if isinstance(until, str) else until:
        response = response.split(stop)[0]
    return response


@row(7, "a hanging comparison takes others with it", "error")
def canary(subject: Subject) -> Outcome:
    """What cannot be decided in time is unscored, and what comes after it is graded."""
    if subject.kind == "sft":
        return NO_REWARD
    reward = grader(subject)
    if reward is None:
        return foreign(subject)
    hung, easy = _here(subject, reward)
    if hung is not None:
        return broken(f"a comparison that hangs is scored {hung:g}; leave AccuracyReward's undecided at None")
    seen = f"what hangs is unscored after {DEADLINE_S:g} s, the next answer gets {easy}"
    return judged(easy == 1.0, seen, "what follows a hang must be graded: use AccuracyReward's own __call__")


@row(8, "grading in a thread", "error")
def threaded(subject: Subject) -> Outcome:
    """TRL may call rewards off the main thread, where signals raise: the verdicts must be the same."""
    if subject.kind == "sft":
        return NO_REWARD
    reward = grader(subject)
    if reward is None:
        return foreign(subject)
    found: list[Any] = []

    def call() -> None:
        try:
            found.append(_two(subject.hurried(reward, DEADLINE_S)))
        except Exception as error:  # whatever a signal raises there is the finding
            found.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    if isinstance(found[0], Exception):
        return broken(
            f"the reward raises in a thread ({type(found[0]).__name__}: {found[0]}); grade in "
            "AccuracyReward's worker processes, without signals"
        )
    here = _here(subject, reward)
    if found[0] != here:
        return broken(
            f"rewards are {list(found[0])} in a thread, {list(here)} outside; use AccuracyReward's workers"
        )
    return passed("the verdicts in a thread are those of the main thread, deadline and all")


def _here(subject: Subject, reward: AccuracyReward) -> tuple[float | None, float | None]:
    """`_two` on this thread, once for both rows that ask."""
    if subject.canary is None:
        subject.canary = _two(subject.hurried(reward, DEADLINE_S))
    return subject.canary


def _two(reward: AccuracyReward) -> tuple[float | None, float | None]:
    """Rewards of the canary and of what comes behind it."""
    responses, golds = zip(CANARY, EASY, strict=True)
    first, second = reward(list(responses), list(golds))
    return first, second
