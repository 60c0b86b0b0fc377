"""Plans: read, refused, and expanded into cells."""

from __future__ import annotations

import json

import pytest

from lm_eval_ext.batch.cells import cells_of, selected
from lm_eval_ext.batch.models import models_of
from lm_eval_ext.errors import UserError
from tests.batch.conftest import LAUNCHER

pytestmark = pytest.mark.unit

PLAN = """
models:
  - org/base
  - {name: sft, path: org/tuned, model_args: {seed: 3}, labels: {trained_with: sft}}
tasks:
  - math500
  - {name: chat, tasks: "mathnet,gsm8k_ext", apply_chat_template: true, repeats: 4,
     gen_kwargs: {temperature: 0.8, until: ["</answer>", "a, b"]},
     chat_template_args: {enable_thinking: false, style: x}, labels: {format: chat}}
defaults: {model_args: {dtype: bfloat16}, gen_kwargs: {do_sample: true}, limit: 5}
"""


def option(words, name):
    return words[words.index(name) + 1]


def test_every_model_meets_every_evaluation(plan, tmp_path):
    cells = cells_of(plan(PLAN), tmp_path, LAUNCHER)
    assert [(c.record.model, c.record.evaluation) for c in cells] == [
        ("base", "math500"), ("base", "chat"), ("sft", "math500"), ("sft", "chat"),
    ]  # fmt: skip
    last = cells[-1]
    assert last.record.labels == {"trained_with": "sft", "format": "chat"}
    assert last.record.folder == "sft/chat" and last.record.step is None


def test_settings_reach_the_launcher_as_lm_eval_reads_them(plan, tmp_path):
    from lm_eval._cli.harness import HarnessCLI

    job = cells_of(plan(PLAN), tmp_path, LAUNCHER)[-1].job
    words = job.options(job.named)
    read = HarnessCLI()._parser.parse_args(["run", *words])
    assert read.model_args == {
        "pretrained": "org/tuned", "dtype": "bfloat16", "seed": 3,
        "enable_thinking": False, "chat_template_args": {"style": "x"},
    }  # fmt: skip
    assert read.gen_kwargs == {"do_sample": True, "temperature": 0.8, "until": ["</answer>", "a, b"]}
    assert read.tasks == ["mathnet", "gsm8k_ext"] and read.apply_chat_template is True and read.limit == 5
    assert json.loads(option(words, "--metadata")) == {"repeats": 4}


def test_vllm_gets_a_seed_unless_the_plan_has_one(plan, tmp_path):
    cells = cells_of(plan(PLAN), tmp_path, LAUNCHER)
    assert [cell.job.model_args["seed"] for cell in cells] == [42, 42, 3, 3]


def test_another_model_class_gets_the_name_of_its_model(plan, tmp_path):
    text = "models: [{path: served, model: local-completions}]\ntasks: [a]"
    (cell,) = cells_of(plan(text), tmp_path, LAUNCHER)
    assert json.loads(option(cell.job.options(cell.job.named), "--model_args")) == {"model": "served"}
    refused = f"{text[:-3]}[{{tasks: a, chat_template_args: {{x: 1}}}}]"
    with pytest.raises(UserError, match="local-completions takes no chat_template_args"):
        cells_of(plan(refused), tmp_path, LAUNCHER)


@pytest.mark.parametrize(
    "text, why",
    [
        ("models: [a]\ntask: [b]", "unknown key task; known here: models, tasks, defaults"),
        (
            "models: [{path: a, adaptor: x}]\ntasks: [b]",
            r"unknown key models.0.adaptor; known here: .*adapter",
        ),
        ("tasks: [{tasks: a, limits: 3}]", r"unknown key tasks.0.limits; known here: .*limit"),
        ("defaults: {path: a}\ntasks: [b]", "unknown key defaults.path"),
        ("models: [{path: a, adapter: none}]\ntasks: [b]", "models.0.adapter: .*received 'none'"),
        ("tasks: []", "tasks: "),
        ("models: 3\ntasks: [a]", "models: .*received '3'"),
        ("tasks: [a]", "has no models: add some, or --watch"),
        ("- a", "holds a list; a plan has models, tasks"),
        ("a: [", "is not YAML"),
        ("models: [{path: a, model_args: {api_key: sk-123456}}]\ntasks: [b]", "has a secret"),
        ("models: [m]\ntasks: [a, b, a]", "two evaluations are called a"),
        ("models: [m]\ntasks: [a]\nselect: {task: b}", "no evaluation or task b; it has a"),
    ],
)
def test_a_plan_that_cannot_be_used_is_one_line(text, why, plan):
    with pytest.raises(UserError, match=why) as refused:
        plan(text)
    assert "\n" not in str(refused.value) and "sk-123456" not in str(refused.value)


@pytest.fixture
def checkpoints(tmp_path):
    for run in ("a", "b"):
        for step in (5, 10, 100):
            (tmp_path / "runs" / run / f"checkpoint-{step}").mkdir(parents=True)
    return tmp_path / "runs"


@pytest.mark.parametrize(
    "pattern, name, first, last",
    [
        ("a/checkpoint-*", "", ("a-checkpoint-5", "a", 5), ("a-checkpoint-100", "a", 100)),
        ("*/checkpoint-*", "", ("a-checkpoint-5", "a", 5), ("b-checkpoint-100", "b", 100)),
        ("a/checkpoint-*", "sft", ("sft-checkpoint-5", "sft", 5), ("sft-checkpoint-100", "sft", 100)),
        ("*/checkpoint-*", "x", ("x-a-checkpoint-5", "x-a", 5), ("x-b-checkpoint-100", "x-b", 100)),
        ("b/checkpoint-10", "", ("b-checkpoint-10", "b", 10), ("b-checkpoint-10", "b", 10)),
        ("b/checkpoint-10", "mine", ("mine", "mine", None), ("mine", "mine", None)),
    ],
)
def test_checkpoints_are_named_and_ordered_by_step(pattern, name, first, last, plan, checkpoints):
    entry = json.dumps({"path": f"{checkpoints}/{pattern}", **({"name": name} if name else {})})
    models = models_of(plan(f"models: [{entry}]\ntasks: [t]").models)
    named = [(model.name, model.series, model.step) for model in models]
    assert (named[0], named[-1]) == (first, last)


def test_models_that_cannot_be_told_apart_or_are_not_there(plan, tmp_path):
    for text, why in (
        ("[a/m, b/m]", "two models are called m: a/m, b/m"),
        ("[a/m, a/m]", "names a model twice"),
        (f"['{tmp_path}/x/checkpoint-*']", "nothing matches .*checkpoint-"),
        (f"['{tmp_path}/absent']", "absent is not there"),
    ):
        with pytest.raises(UserError, match=why):
            cells_of(plan(f"models: {text}\ntasks: [t]"), tmp_path, LAUNCHER)


def test_only_what_is_named(plan, tmp_path):
    cells = cells_of(plan(PLAN), tmp_path, LAUNCHER)

    def names(*only):
        return [cell.record.folder for cell in selected(cells, only)]

    assert names("sft") == ["sft/math500", "sft/chat"]
    assert names("chat") == ["base/chat", "sft/chat"]
    assert names("chat", "base") == ["base/chat"]
    assert len(names()) == 4
    with pytest.raises(UserError, match="--only chatt: no such model or evaluation; close to it: chat"):
        names("chatt")
