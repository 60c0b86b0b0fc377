"""YAMLs of one's own: with our filter, our metrics or our class alone."""

import json
import logging

import pytest
from lm_eval.evaluator import simple_evaluate
from lm_eval.models.dummy import DummyLM
from lm_eval.tasks import TaskManager

from lm_eval_ext.harness import filters as filters  # as `lm-eval-ext run` does: registers filter and metrics
from lm_eval_ext.harness.errors import UserError

pytestmark = pytest.mark.unit

ROWS = [{"problem": "7 + 5?", "gold": "12", "n": 12}, {"problem": "2 * 3?", "gold": "6", "n": 6}]
SAID = ["The answer is 12.", "The answer is 7."]
BASE = """
task: own
dataset_path: json
dataset_kwargs: {{data_files: {{test: {file}}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{problem}}}}"
generation_kwargs: {{max_gen_toks: 20, until: ["Question:"], do_sample: false}}
"""
CLASS = "class: !function lm_eval_ext.harness.task.MathTask\n"
FILTER = "filter_list: [{name: grade_math, filter: [{function: grade_math}]}]\n"
METRIC = "metric_list: [{metric: accuracy}]\n"
OTHER_FILTER = "filter_list: [{name: x, filter: [{function: take_first}]}]\n"
UNNAMED = [{"problem": "", "n": 1}] * 2
GOLD = "doc_to_target: gold\n"


class Scripted(DummyLM):
    def generate_until(self, requests, disable_tqdm=False):
        return [SAID[request.doc_id] for request in requests]


def evaluated(tmp_path, yaml, rows=ROWS):
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "own.yaml").write_text(BASE.format(file=tmp_path / "rows.jsonl") + yaml)
    manager = TaskManager(include_path=str(tmp_path), include_defaults=False)
    found = simple_evaluate(Scripted(), tasks=["own"], task_manager=manager, bootstrap_iters=0)
    return found["results"]["own"]


@pytest.mark.parametrize(
    "yaml",
    [CLASS, CLASS + METRIC, CLASS + FILTER, FILTER + METRIC, CLASS + FILTER + METRIC],
    ids=["class", "class and metric", "class and filter", "filter and metric", "all three"],
)
def test_each_part_works_without_the_others(tmp_path, yaml):
    assert evaluated(tmp_path, yaml + GOLD)["accuracy,grade_math"] == 0.5


def test_the_class_takes_the_gold_from_doc_to_target(tmp_path):
    rows = [{"problem": row["problem"], "result": row["gold"]} for row in ROWS]
    assert evaluated(tmp_path, CLASS + "doc_to_target: result\n", rows)["accuracy,grade_math"] == 0.5


@pytest.mark.parametrize(
    "yaml, rows, why",
    [
        (FILTER + METRIC + "doc_to_target: n\n", UNNAMED, "no field gold, only problem, n"),
        (METRIC + GOLD, ROWS, "metric accuracy needs verdicts: end filter_list with grade_math"),
        (CLASS + GOLD + OTHER_FILTER, ROWS, "own: filter x ends with take_first"),
    ],
)
def test_what_is_missing_is_said_in_one_line(tmp_path, yaml, rows, why):
    with pytest.raises(UserError, match=why) as refusal:
        evaluated(tmp_path, yaml, rows)
    assert "\n" not in str(refusal.value)


def test_a_task_whose_answers_are_mostly_undecided_warns(tmp_path, caplog):
    rows = [{**row, "gold": "\\frac{1}{"} for row in ROWS]
    logging.getLogger("lm_eval").propagate = True
    with caplog.at_level(logging.WARNING):
        found = evaluated(tmp_path, CLASS + GOLD, rows)
    assert found["undecided,grade_math"] == 1.0
    assert "2 of 2 answers are undecided, most often: " in caplog.text
    assert "--metadata" not in caplog.text
