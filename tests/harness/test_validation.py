"""What a command line asks for is refused in one line, before anything is loaded."""

import argparse
import sys
import types

import pytest

from lm_eval_ext.harness import protocol, shipped, sources, validation
from lm_eval_ext.harness.docs import arith_words, math, mathnet
from lm_eval_ext.harness.errors import ModelError, ProtocolError, UserError, model_errors

pytestmark = pytest.mark.unit


def namespace(**given):
    plain = {"model": "dummy", "tasks": "mathnet", "include_path": str(shipped.tasks_path())}
    return argparse.Namespace(**{**plain, **given})


@pytest.mark.parametrize(
    "given, why",
    [
        ({"tasks": "mathnt"}, r"no task 'mathnt'; close to it: mathnet"),
        ({"tasks": "mathnet,gsm8k_ex"}, r"no task 'gsm8k_ex'; close to it: .*gsm8k_ext"),
        ({"tasks": None}, "no tasks"),
        ({"model": "vlm"}, "--model vlm: lm-eval has no such class; close to it: .*vllm"),
        ({"model": "transformers"}, r"no such class; usual: hf \(transformers\), vllm"),
        ({"model": "hf", "tasks": "arith_words"}, "add pretrained=MODEL"),
        ({"tasks": "arith_words", "metadata": {"data": "sampel"}}, "'sampel': no such folder: set"),
        ({"model": "local-chat-completions"}, "add --apply_chat_template"),
        ({"metadata": {"sized": 10}}, "--metadata has 'sized', which no task here reads; close to it: size"),
        ({"tasks": "arith_words", "metadata": {"size": 10}}, "'size', which no task here reads"),
        ({"tasks": "arith_words", "metadata": {"repeat": 8}}, "close to it: repeats"),
        ({"log_samples": True}, "lm-eval run: Specify --output_path"),
    ],
)
def test_a_command_line_that_cannot_work(given, why, monkeypatch):
    monkeypatch.setenv("LM_EVAL_EXT_DATA", "sample")
    with pytest.raises(UserError, match=why) as refusal:
        validation.check(namespace(**given))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "metadata",
    [{"size": 10, "repeats": 1}, {"data": "sample"}, {"level": 3}, {"chunk_size": 4}],
    ids=lambda given: next(iter(given)),
)
def test_metadata_that_a_task_reads(metadata, monkeypatch):
    monkeypatch.setenv("LM_EVAL_EXT_DATA", "sample")
    validation.check(namespace(tasks="mathnet,math_0shot", metadata=metadata))


def test_names_of_lm_evals_own_tasks_are_left_to_it():
    validation.check_tasks(["gsm8k", "minerva_math", "mmlu_stem"], [])


def test_a_class_whose_packages_are_missing(monkeypatch):
    monkeypatch.setitem(validation.doctor.EXTRAS, "vllm", (("no_such_package",), "evaluation"))
    with pytest.raises(UserError, match=r"--model vllm: missing: no_such_package; .*pip install"):
        validation.check_model("vllm", False)


@pytest.mark.parametrize(
    "given, dataset, found",
    [
        ({"sized": 1}, mathnet.dataset, {"sized": "size"}),
        ({"levels": 1}, math.full_dataset, {"levels": "level"}),
        ({"repeat": 1, "judges": 1}, arith_words.dataset, {"repeat": "repeats", "judges": "judge"}),
        (
            dict.fromkeys(["pretrained", "seed", "dtype", "device", "data_parallel_size", "revision"]),
            mathnet.dataset,
            {},
        ),
        ({"size": 1, "judge_base_url": ""}, mathnet.dataset, {}),
    ],
)
def test_names_in_metadata_that_look_like_one_that_is_read(given, dataset, found):
    assert validation.mistyped_metadata(given, dataset) == found


@pytest.mark.parametrize("url", ["http://host:8000/v1", "http://host:8000/v1/"])
def test_an_address_that_no_api_answers_at(url, monkeypatch):
    monkeypatch.setitem(sys.modules, "lm_eval.models.openai_completions", types.ModuleType("loaded"))
    with pytest.raises(ProtocolError, match="add /chat/completions"):
        protocol.check_model_args({"model": "m", "base_url": url}, False)
    protocol.check_model_args({"model": "m", "base_url": f"{url.rstrip('/')}/completions"}, False)
    protocol.check_chat({"base_url": f"{url.rstrip('/')}/completions"}, False)
    with pytest.raises(ProtocolError, match="add --apply_chat_template"):
        protocol.check_chat({"base_url": f"{url.rstrip('/')}/chat/completions"}, False)


def test_a_model_on_a_hub_that_does_not_answer_is_refused_at_once(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "no_hub", lambda: "https://hub does not answer")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("LM_EVAL_EXT_CACHE", str(tmp_path / "own"))
    here = tmp_path / "own" / "m-converted"
    here.mkdir(parents=True)
    with pytest.raises(ModelError, match=rf"model org/m: no such folder, .* does not answer. Name {here}"):
        protocol.check_model_exists({"pretrained": "org/m"})
    (tmp_path / "models--org--m").mkdir()
    with pytest.raises(ModelError, match="model org/m: "), model_errors("org/m"):
        raise OSError("what transformers says of the cache")
