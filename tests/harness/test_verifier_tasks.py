"""The tasks that a verifier scores: prompts, data, metrics, permission, whole runs with a scripted model."""

import json
from importlib.util import find_spec
from pathlib import Path

import jinja2
import pytest
import yaml
from lm_eval.tasks import TaskManager

from lm_eval_ext.analysis import runs
from lm_eval_ext.harness import metrics, validation
from lm_eval_ext.harness.docs import humaneval, ifeval, mbpp
from lm_eval_ext.harness.errors import DataError, UserError
from lm_eval_ext.harness.shipped import tasks_path
from lm_eval_ext.harness.sources import SAMPLE
from lm_eval_ext.rewards import Score
from lm_eval_ext.rewards.instructions import InstructionScore
from tests.conftest import lm_eval, samples
from tests.harness.test_validation import namespace
from tests.rewards.instructed import FOLLOWING
from tests.scripted_server import serving

CODE = ("mbpp_ext", "humaneval_ext")
needs_ifeval = pytest.mark.skipif(
    find_spec("langdetect") is None, reason="langdetect is not installed: pip install '.[ifeval]'"
)


@pytest.fixture
def permitted(monkeypatch):
    monkeypatch.setenv("HF_ALLOW_CODE_EVAL", "1")


def loaded(name, **metadata):
    manager = TaskManager(
        include_path=str(tasks_path()), include_defaults=False, metadata={"data": SAMPLE, **metadata}
    )
    return manager.load([name])["tasks"][name]


def original(name):
    """The settings of lm-eval's own task; loading it needs a metric from the Hub."""
    import lm_eval.tasks

    class Loader(yaml.SafeLoader):
        """Reads `!function` as text."""

    Loader.add_constructor("!function", lambda loader, node: node.value)
    return yaml.load((Path(lm_eval.tasks.__file__).parent / name).read_text(), Loader)


def scored(task, responses):
    """The metrics of each document, as lm-eval computes them for these responses."""
    task.build_all_requests()
    for instance, response in zip(task.instances, responses, strict=True):
        instance.resps = [response]
    return [task.process_results(i.doc, [i.filtered_resps["verify"]]) for i in task.apply_filters()]


@pytest.mark.unit
def test_the_prompt_of_mbpp_is_that_of_lm_eval(permitted):
    theirs, task = original("mbpp/mbpp.yaml"), loaded("mbpp_ext")
    env = jinja2.Environment(keep_trailing_newline=True)
    text, target = (env.from_string(theirs[key]) for key in ("doc_to_text", "doc_to_target"))
    shots = [
        json.loads(line) for line in Path("lm_eval_ext/data/mbpp_exemplars.jsonl").read_text().splitlines()
    ]
    shown = [text.render(shot) + target.render(**shot, is_fewshot=True) for shot in shots]
    doc = task.eval_docs[0]
    asked = text.render(text=doc["problem"], test_list=doc["test_list"])
    task.set_fewshot_seed(0)
    assert task.fewshot_context(doc, 3) == "\n\n".join([*shown, asked])
    assert task.config.generation_kwargs["until"] == theirs["generation_kwargs"]["until"]
    assert (task.config.num_fewshot, task.UNSAFE_CODE) == (theirs["num_fewshot"], True)


@pytest.mark.unit
def test_the_prompt_of_humaneval_is_that_of_lm_eval(permitted):
    theirs, task = original("humaneval/humaneval.yaml"), loaded("humaneval_ext")
    task.set_fewshot_seed(0)
    doc = task.eval_docs[0]
    assert theirs["doc_to_text"] == "{{prompt}}" and task.fewshot_context(doc, 0) == doc["problem"]
    assert task.config.generation_kwargs["until"] == theirs["generation_kwargs"]["until"]
    assert task.config.generation_kwargs["max_gen_toks"] == theirs["generation_kwargs"]["max_gen_toks"]


@pytest.mark.unit
@pytest.mark.parametrize("name", CODE)
def test_the_packaged_references_pass_and_other_programs_do_not(name, permitted):
    task = loaded(name)
    right = [doc["solution"] for doc in task.eval_docs]
    assert len(right) >= 6
    for responses, expected in ((right, 1), ([*right[1:], right[0]], 0)):
        found = scored(loaded(name), responses)
        assert [each["accuracy"] for each in found] == [expected] * len(right)
        assert {each["undecided"] for each in found} == {0}


@pytest.mark.unit
@needs_ifeval
@pytest.mark.usefixtures("punkt")
def test_ifeval_has_the_metrics_of_lm_eval():
    theirs, task = original("ifeval/ifeval.yaml"), loaded("ifeval_ext")
    found = scored(task, [*FOLLOWING[:-1], "x"])
    assert {entry["metric"] for entry in theirs["metric_list"]} < {*found[0]}
    assert [each["prompt_level_strict_acc"] for each in found] == [1] * 11 + [0]
    assert found[-1]["partial"] == 0.5 and found[-1]["inst_level_strict_acc"] == [False, True]
    pooled = task.aggregation()["inst_level_loose_acc"]([each["inst_level_loose_acc"] for each in found])
    assert pooled == pytest.approx(1 - 1 / sum(len(each["inst_level_loose_acc"]) for each in found))


@pytest.mark.unit
def test_metrics():
    judged = metrics.Judged(
        [Score(1.0, True, "a"), Score(0.5, False, "b"), Score(None, None, "c"), Score(0.0, False)]
    )
    assert metrics.code_results({}, [judged]) == {
        **{"accuracy": 0.25, "accuracy_high": 0.5, "answered": 0.75, "undecided": 0.25, "partial": 0.375},
        **{"pass@1": 0.25, "pass@2": 0.5, "pass@4": 1.0},
    }
    assert {entry["metric"] for entry in metrics.code_metric_list(4)} >= {*metrics.code_results({}, [judged])}
    followed = [
        InstructionScore(0.5, False, strict=(True, False), loose=(True, True)),
        InstructionScore(None, None),
    ]
    assert metrics.instruction_results({}, [metrics.Judged(followed)]) == {
        **{"undecided": 0.5, "partial": 0.25, "prompt_level_strict_acc": 0, "prompt_level_loose_acc": 0.5},
        **{"inst_level_strict_acc": [True, False], "inst_level_loose_acc": [True, True]},
    }


@pytest.mark.unit
@pytest.mark.parametrize("name", CODE)
def test_running_code_needs_permission_before_anything_is_loaded(name, monkeypatch):
    monkeypatch.setenv("LM_EVAL_EXT_DATA", SAMPLE)
    monkeypatch.delenv("HF_ALLOW_CODE_EVAL", raising=False)
    for refuse in (
        lambda: validation.check(namespace(tasks=name)),
        lambda: loaded(name).build_all_requests(),
    ):
        with pytest.raises(UserError, match="set HF_ALLOW_CODE_EVAL=1") as refusal:
            refuse()
        assert "\n" not in str(refusal.value)


@pytest.mark.unit
def test_the_sanitized_part_in_a_data_folder(real_data):
    if not (real_data / "mbpp" / mbpp.SANITIZED).is_file():
        pytest.skip(f"{real_data} lacks mbpp/{mbpp.SANITIZED}")
    docs = list(mbpp.dataset(str(real_data))["test"])
    assert len(docs) == 257 and docs[0]["id"] == "11"  # as the Hub's part `sanitized`


@pytest.mark.unit
@pytest.mark.parametrize(
    ("to_doc", "row", "why"),
    [
        (mbpp.to_doc, {"test_list": ["assert f()"]}, "shows 3 asserts; test_list has 1"),
        (mbpp.to_doc, {"test_list": ["assert f()"] * 3, "code": ""}, "no column task_id"),
        (humaneval.to_doc, {"task_id": "0"}, "no column prompt"),
        (ifeval.to_doc, {"instruction_id_list": ["a"], "kwargs": []}, "1 instructions, but 0 kwargs"),
    ],
)
def test_rows_that_cannot_be_read(to_doc, row, why):
    with pytest.raises(DataError, match=why):
        to_doc(row)


@pytest.mark.full
@pytest.mark.model
@needs_ifeval
def test_a_run_of_all_three_tasks(tmp_path, punkt, monkeypatch):
    """Half of the problems of a task get their reference."""
    monkeypatch.delenv("HF_ALLOW_CODE_EVAL", raising=False)
    answers = dict(zip((doc["problem"] for doc in ifeval.dataset(SAMPLE)["test"]), FOLLOWING, strict=True))
    for module in (mbpp, humaneval):
        docs = list(module.dataset(SAMPLE)["test"])
        answers |= {doc["problem"]: f"```python\n{doc['solution']}\n```" for doc in docs[::2]}

    def respond(prompt):
        return next((answer for problem, answer in answers.items() if problem in prompt), "I cannot.")

    with serving(respond) as model:
        done = lm_eval(
            *(
                "run",
                "--model",
                "local-chat-completions",
                "--apply_chat_template",
                "--confirm_run_unsafe_code",
            ),
            *("--model_args", f"model=scripted,base_url={model},num_concurrent=4,tokenized_requests=False"),
            *("--tasks", "mbpp_ext,humaneval_ext,ifeval_ext", "--output_path", tmp_path, "--log_samples"),
            program="lm-eval-ext",
        )
    scores = done.results(tmp_path)["results"]
    assert scores["mbpp_ext"]["accuracy,verify"] == scores["mbpp_ext"]["partial,verify"] == 0.5
    assert scores["humaneval_ext"]["accuracy,verify"] == pytest.approx(4 / 7)
    assert scores["ifeval_ext"]["prompt_level_strict_acc,verify"] == 1
    logged = json.loads(samples(tmp_path, "mbpp_ext")[0]["filtered_resps"][0][0])
    assert logged["correct"] is True and logged["reason"] == "3 of 3 asserts hold"
    tasks = runs.load(tmp_path).tasks
    assert (
        tasks["mbpp_ext"].metric() == "accuracy" and tasks["ifeval_ext"].metric() == "prompt_level_strict_acc"
    )
