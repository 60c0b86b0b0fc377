"""lm-eval's own tasks under the launcher: budgets, advice, and what a task needs before a model is loaded."""

import json
import logging

import pytest
from lm_eval.tasks import TaskManager

from lm_eval_ext.harness import lm_eval_tasks, loading, sources, validation
from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.harness.protocol import check_generation
from lm_eval_ext.harness.shipped import tasks_path

pytestmark = pytest.mark.unit

FOREIGN = """
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {file}}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{problem}}}}"
doc_to_target: answer
generation_kwargs: {{until: ["Q:"], do_sample: false{generation}}}
"""
GRADED = (
    "filter_list: [{name: grade_math, filter: [{function: grade_math}]}]\nmetric_list: [{metric: accuracy}]\n"
)


def loaded(tmp_path, name, generation="", rest="", gen_kwargs=None):
    (tmp_path / "rows.jsonl").write_text(json.dumps({"problem": "7 + 5?", "answer": "12"}) + "\n")
    yaml = FOREIGN.format(name=name, file=tmp_path / "rows.jsonl", generation=generation) + rest
    (tmp_path / "task.yaml").write_text(yaml)
    with loading.prepared(gen_kwargs):
        return TaskManager(include_path=str(tmp_path), include_defaults=False).load([name])["tasks"][name]


@pytest.mark.parametrize(
    "name, generation, gen_kwargs, budget",
    [
        ("gsm8k_cot_zeroshot", "", None, 1024),
        ("minerva_math_algebra", "", {"temperature": 0}, 2048),
        ("hendrycks_math_geometry", "", None, 2048),
        ("ifeval_x", "", None, 4096),
        ("aime24_x", "", None, 16384),
        ("aime24_x", ", max_gen_toks: 32768", None, 32768),
        ("gsm8k_cot", "", {"max_new_tokens": 7}, None),
        ("unknown", "", None, None),
    ],
)
def test_a_budget_by_default_where_neither_task_nor_command_sets_one(
    tmp_path, caplog, name, generation, gen_kwargs, budget
):
    logging.getLogger("lm_eval").propagate = True
    with caplog.at_level(logging.INFO):
        task = loaded(tmp_path, name, generation, gen_kwargs=gen_kwargs)
    assert task.config.generation_kwargs.get("max_gen_toks") == budget
    assert task.config.generation_kwargs["until"] == ["Q:"]
    assert (f"{name}: max_gen_toks={budget} by default" in caplog.text) == (bool(budget) and not generation)
    if budget:
        assert check_generation(name, task.config.generation_kwargs, repeats=1) == budget


def test_a_foreign_task_without_the_field_gold_is_refused_before_generation(tmp_path):
    with pytest.raises(
        UserError, match=r"own: a document has no field gold, only problem, answer: .*process_docs"
    ):
        loaded(tmp_path, "own", rest=GRADED)
    assert loaded(tmp_path, "own").task_name == "own"  # without our filter it is none of our business


def test_loading_is_as_before_outside_the_launcher():
    before = TaskManager.load, TaskManager.__init__
    with loading.prepared(None):
        assert TaskManager.load is not before[0]
    assert (TaskManager.load, TaskManager.__init__) == before


def test_the_index_of_lm_eval_is_read_only_where_it_is_needed():
    path = str(tasks_path())
    assert not validation.needs_defaults(["mathnet,math_qwen", "arith_words"], path)
    assert validation.needs_defaults("mathnet,gsm8k_cot", path) and validation.needs_defaults("math*", path)
    with loading.prepared(None, include_defaults=False):
        found = TaskManager(include_path=path).all_tasks
    assert "mathnet" in found and "gsm8k_cot" not in found


def test_an_unreachable_hub_is_said_at_once(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    sources.no_hub.cache_clear()
    with pytest.raises(UserError, match="gsm8k_cot reads openai/gsm8k from the Hub: HF_HUB_OFFLINE is set"):
        lm_eval_tasks.check({"gsm8k_cot": {"dataset_path": "openai/gsm8k"}})
    lm_eval_tasks.check({"own": {"dataset_path": "json"}, "local": {"dataset_path": str(tmp_path)}})
    sources.no_hub.cache_clear()


def test_packages_that_a_task_imports_are_named_with_their_extra(monkeypatch):
    monkeypatch.setitem(lm_eval_tasks.doctor.EXTRAS, "ifeval", (("no_such_package",), "a task"))
    with pytest.raises(UserError, match=r"ifeval needs no_such_package: pip install 'lm-eval-ext\[ifeval\]'"):
        lm_eval_tasks.check({"ifeval": {}})


def test_hendrycks_math_is_warned_about_once(caplog):
    logging.getLogger("lm_eval").propagate = True
    lm_eval_tasks.check({"hendrycks_math_algebra": {}, "hendrycks_math_geometry": {}})
    assert caplog.text.count("understates base models") == 1
