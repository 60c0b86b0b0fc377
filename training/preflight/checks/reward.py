"""The reward compared with the evaluation's grader: equal verdicts, and nothing that can hang."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from lm_eval_ext.grading.golds import acceptable, is_gold
from lm_eval_ext.harness.filters import FILTER, VERIFY

from ...data.documents import Doc
from ...data.rows import worked
from ..check import Outcome, check, does_not_apply, failed, passed, passed_if
from ..context import PreflightContext

COMPARED = 16
PROBED = 3
PROBES = (
    r"So \boxed{GOLD}. Hence the final answer is OTHER.",
    r"So \boxed{OTHER}. Hence the final answer is GOLD.",
    "The answer is GOLD. That took OTHER steps.",
    "The answer is OTHER. No: GOLD, since we count from GOLD.",
    "GOLD",
)
"""Responses in which different ways of extraction find different answers; OTHER is no gold."""
OTHER = "7919"
LEAST_RIGHT = 0.9
"""Share of worked solutions that must be right by the evaluation's grader."""


def _no_grader(context: PreflightContext) -> Outcome:
    if context.grading:
        return does_not_apply(f"the verifier {context.grading.name} is not the grader of math; see row 31")
    names = ", ".join(getattr(r, "__name__", type(r).__name__) for r in context.rewards)
    return failed(f"the rewards are {names}, none of them AccuracyReward or a subclass", "use AccuracyReward")


@check(6, "reward is not the evaluation's grader", "error", only="grpo")
def same_verdicts(context: PreflightContext) -> Outcome:
    """Grades solutions, also those of other problems, and PROBES by the reward and by the task's filter."""
    if context.grader is None and context.grading is None:
        return _no_grader(context)
    docs = context.sampled[:COMPARED]
    responses, asked = _probes(context, docs)
    right = _evaluated(context, responses, asked)
    if right is None:
        return failed(f"{context.recipe.task} has no verdicts", "name a task of this package")
    given = _rewarded(context, responses, asked)
    undecided = context.grader.undecided if context.grader else None
    worth = [undecided if verdict is None else float(verdict) for verdict in right]
    differ = [i for i, value in enumerate(worth) if given[i] != value]
    if differ:
        i = differ[0]
        return failed(
            f"{len(differ)} of {len(given)} verdicts differ: document {asked[i]['id']} gets {given[i]} "
            f"from the reward, {right[i]} from the evaluation, for {responses[i][-60:]!r}",
            f"grade by {context.prompts.verifier}, with the task's settings {context.prompts.grading} and "
            f"stops {context.prompts.stops}",
        )
    good = sum(verdict is True for verdict in right[: len(docs)])
    seen = f"{len(given)} verdicts are equal; {good} of {len(docs)} worked solutions are right"
    return passed_if(good >= LEAST_RIGHT * len(docs), seen, "fix the gold answers or solutions of the source")


def _probes(context: PreflightContext, docs: Sequence[Doc]) -> tuple[list[str], list[Doc]]:
    """(responses, their documents): the solutions, each also to another problem, then PROBES."""
    solutions = [solution(context, doc) for doc in docs]
    probed = [doc for doc in docs[:PROBED] for _ in PROBES]
    probes = [p.replace("GOLD", _gold(doc)).replace("OTHER", OTHER) for doc in docs[:PROBED] for p in PROBES]
    return [*solutions, *solutions[1:], solutions[0], *probes], [*docs, *docs, *probed]


def _rewarded(
    context: PreflightContext, responses: Sequence[str], docs: Sequence[Doc]
) -> Sequence[float | None]:
    """The rewards of responses by the rows' verifier, without partial credit."""
    if reward := context.grader:
        return reward(responses, [d["gold"] for d in docs], problem=[d.get("problem") for d in docs])
    assert context.grading, "the rewards are of another make"
    correct = [score.correct for score in context.grading.scores(responses, docs)]
    return [None if verdict is None else float(verdict) for verdict in correct]


def solution(context: PreflightContext, doc: Doc) -> str:
    """The right response to a document, as the task's exemplars show it."""
    if context.prompts.verifier != "math":
        return worked(doc)
    if str(doc.get("solution") or "").strip():
        return context.prompts.target(doc)
    return f"Final answer: {_gold(doc)}"


def _gold(doc: Doc) -> str:
    """The gold as a model would write it; "" where there is none."""
    return acceptable(doc["gold"])[0] if is_gold(doc.get("gold"), blank=False) else ""


def _evaluated(
    context: PreflightContext, responses: Sequence[str], docs: Sequence[Doc]
) -> list[bool | None] | None:
    """The verdicts of the task's filter on responses that end where lm-eval ends them."""
    from lm_eval.api.instance import Instance

    task, name = context.task, context.recipe.task
    pipeline = next((f for f in task.task._filters if f.name in (FILTER, VERIFY)), None)
    if pipeline is None:
        return None
    instances = [
        Instance("generate_until", dict(doc), ("", {}), i, (name, i, 1), [task.ended(response)])
        for i, (response, doc) in enumerate(zip(responses, docs, strict=True))
    ]
    pipeline.apply(instances)
    return [instance.filtered_resps[pipeline.name][0].correct for instance in instances]


@check(7, "a hanging comparison takes others with it", "error", only="grpo")
def hanging(context: PreflightContext) -> Outcome:
    """What cannot be decided in time must stay unscored, and what comes after it must be graded."""
    if context.grader is None:
        return _no_grader(context)
    hung, easy = context.main_thread_rewards
    if hung is not None:
        fix = "leave AccuracyReward's undecided at None"
        return failed(f"a comparison that hangs is scored {hung:g}", fix)
    deadline = context.hasty_grader.config.timeout_s
    seen = f"what hangs is unscored after {deadline:g} s, the next answer gets {easy}"
    fix = "what follows a hang must be graded: use AccuracyReward's own __call__"
    return passed_if(easy == 1.0, seen, fix)


@check(8, "grading in a thread", "error", only="grpo")
def threaded(context: PreflightContext) -> Outcome:
    """TRL may call rewards off the main thread, where signals raise: the verdicts must be the same."""
    if context.grader is None:
        return _no_grader(context)
    try:
        with ThreadPoolExecutor(1) as threads:
            found = threads.submit(context.hanging_and_easy).result()
    except Exception as error:  # whatever a signal raises there is the finding
        seen = f"the reward raises in a thread ({type(error).__name__}: {error})"
        return failed(seen, "grade in AccuracyReward's worker processes, without signals")
    here = context.main_thread_rewards
    if found != here:
        seen = f"rewards are {list(found)} in a thread, {list(here)} outside"
        return failed(seen, "use AccuracyReward's workers")
    return passed("the verdicts in a thread are those of the main thread, deadline and all")
