"""The judge of a task: from metadata or YAML to the filter, one for all, recorded."""

import pytest

from lm_eval_ext.harness import judging
from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.harness.filters import GradeMath
from tests.grading.judge.test_judge import dead_url
from tests.scripted_server import Said, scripted

pytestmark = pytest.mark.unit

FILTERS = [
    {"name": "a", "filter": [{"function": "grade_math", "extract": "strict"}]},
    {"name": "b", "filter": [{"function": "grade_math", "judge": "own"}, {"function": "take_first"}]},
]


@pytest.fixture
def settings(tmp_path):
    return lambda url, **more: {"model": "m", "base_url": url, "cache": str(tmp_path), "retries": 0, **more}


def test_metadata_names_a_judge():
    assert judging.settings_from({"pretrained": "x", "repeats": 4}) is None
    assert judging.settings_from({"judge": "m"}) == {"model": "m"}
    given = {"judge": "m", "judge_base_url": "u", "judge_budget_usd": 2, "seed": 42}
    assert judging.settings_from(given) == {"model": "m", "base_url": "u", "budget_usd": 2}
    assert judging.settings_from({"judge": {"model": "m", "audit": 0.1}}) == {"model": "m", "audit": 0.1}
    with pytest.raises(UserError, match="judge_base_url but no judge"):
        judging.settings_from({"judge_base_url": "u"})


def test_every_grader_of_a_task_gets_it_unless_it_has_its_own():
    found = judging.with_judge(FILTERS, {"model": "m"})
    assert found[0]["filter"][0] == {"function": "grade_math", "extract": "strict", "judge": {"model": "m"}}
    assert found[1]["filter"] == FILTERS[1]["filter"] and "judge" not in FILTERS[0]["filter"][0]
    assert judging.with_judge(FILTERS, None) is FILTERS


def test_tasks_and_filters_share_one_judge(settings):
    with scripted(lambda request: "YES") as server:
        given = settings(server.url)
        judge = judging.shared_judge(given)
        assert judging.judges_of(judging.with_judge(FILTERS[:1] * 2, given)) == [judge]
        graded = GradeMath(workers=1, judge=given)
        docs = [{"gold": "an animal that is no dog", "problem": "p"}, {"gold": "1"}]
        told = graded.apply([["Final answer: the grey cat", "no idea"], ["Final answer: 1"]], docs)
    assert [[v.layer for v in row] for row in told] == [["judge", "none"], ["exact"]]
    assert judge.usage.asked == len(server.requests) == 1 and told[0][0].correct is True


def test_unknown_settings_are_refused():
    with pytest.raises(UserError, match="unknown setting 'url'"):
        GradeMath(judge={"model": "m", "url": "x"})


def test_a_refusal_shows_before_generation_and_leaves_undecided_after_it(settings):
    with scripted(lambda request: Said("wrong key", 401)) as server:
        judge = judging.shared_judge(settings(server.url))
        with pytest.raises(UserError, match="wrong key"):
            judging.try_judge(judge)
        told = GradeMath(workers=1, judge=settings(server.url)).apply(
            [["Final answer: the grey cat"]], [{"gold": "some animal that is no dog"}]
        )
    assert told[0][0].correct is None and len(server.requests) == 1


def test_a_judge_that_is_not_there_yet_is_a_warning(settings, caplog):
    judge = judging.shared_judge(settings(dead_url()))
    judging.try_judge(judge)
    judging.try_judge(judge)
    assert len(caplog.records) == 1 and "does not reply now" in caplog.text
