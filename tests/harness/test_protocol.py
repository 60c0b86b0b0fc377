import pytest

from lm_eval_ext.harness import protocol
from lm_eval_ext.harness.errors import ModelError, ProtocolError
from lm_eval_ext.harness.launch import with_include_path
from lm_eval_ext.harness.shipped import tasks_path
from lm_eval_ext.harness.validation import selected_tasks

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "model_args, vllm, why",
    [
        ({"tensor_parallel_size": 2, "seed": 1}, True, "one process per GPU"),
        ({"tensor_parallel_size": "8"}, False, "tensor_parallel_size=8"),
        ({"pretrained": "m"}, True, "seed=42"),
    ],
)
def test_model_arguments_outside_the_protocol(model_args, vllm, why):
    with pytest.raises(ProtocolError, match=why):
        protocol.check_model_args(model_args, vllm)


@pytest.mark.parametrize(
    "model_args, vllm",
    [({"pretrained": "m", "seed": 0}, True), ({"pretrained": "m"}, False), ({}, True)],
    ids=["a seed of zero", "no vLLM, no seed", "a model built in Python"],
)
def test_model_arguments_within_it(model_args, vllm):
    protocol.check_model_args(model_args, vllm)


@pytest.mark.parametrize(
    "generation, repeats, why",
    [
        ({"temperature": 0.0}, 1, "no max_gen_toks"),
        ({"max_gen_toks": 8, "temperature": 0.5}, 1, "measures luck"),
        ({"max_gen_toks": 8, "temperature": 0.0}, 4, "the same response"),
        ({"max_gen_toks": 8, "temperature": 0.5, "do_sample": False}, 4, "the same response"),
    ],
)
def test_generation_settings_outside_the_protocol(generation, repeats, why):
    with pytest.raises(ProtocolError, match=why):
        protocol.check_generation("task", generation, repeats)


@pytest.mark.parametrize(
    "until, plain, chat",
    [
        (["Question:", "\n\n\n"], ["Question:", "\n\n\n"], []),
        ("Problem:", ["Problem:"], []),
        (["</answer>", "Q:", "<|im_end|>"], ["</answer>", "Q:", "<|im_end|>"], ["</answer>", "<|im_end|>"]),
        (None, [], []),
    ],
)
def test_the_stops_of_plain_prompts_are_not_those_of_a_chat(until, plain, chat):
    assert protocol.stops_of({"until": until}, chat=False) == plain
    assert protocol.stops_of({"until": until}, chat=True) == chat


def test_the_token_budget_goes_by_any_of_its_names():
    for name in protocol.TOKEN_BUDGET_NAMES:
        assert protocol.check_generation("task", {name: 77}, 1) == 77
    assert protocol.check_generation("task", {"max_gen_toks": 9, "temperature": 0.7}, 4) == 9


def test_prompt_and_budget_must_fit_the_window_together(tiny_model):
    arguments = {"pretrained": tiny_model, "max_model_len": 100}
    protocol.check_window("task", ["a" * 60], 40, arguments)
    with pytest.raises(ProtocolError, match=r"longest prompt has 61 tokens.*max_gen_toks=39"):
        protocol.check_window("task", ["b", "a" * 61], 40, arguments)
    with pytest.raises(ProtocolError, match="a shorter prompt"):
        protocol.check_window("task", ["a" * 200], 40, arguments)


def test_the_window_is_given_or_the_models_or_unknown(tiny_model):
    assert protocol.context_window({"pretrained": tiny_model}) == 8192
    assert protocol.context_window({"pretrained": tiny_model, "max_length": "512"}) == 512
    assert protocol.context_window({"model": "behind-an-api"}) is None


def test_a_model_that_is_not_there_is_named_in_one_line(tiny_model, tmp_path):
    for name in ("/no/such/folder", "nobody/has-this"):
        with pytest.raises(ModelError, match=rf"model {name}: .*Name a folder") as refusal:
            protocol.check_model_exists({"pretrained": name, "max_model_len": 512})
        assert "\n" not in str(refusal.value)
    protocol.check_model_exists({"pretrained": tiny_model})
    (tmp_path / "m.gguf").touch()
    for left_to_the_engine in (str(tmp_path / "m.gguf"), "nobody/has-this:Q4_K_M", "s3://bucket/m"):
        protocol.check_model_exists({"pretrained": left_to_the_engine})
    protocol.check_model_exists({"pretrained": "nobody/has-this", "gguf_file": "m.gguf"})
    with pytest.raises(ModelError, match="add pretrained=MODEL"):
        protocol.check_model_exists({})
    with pytest.raises(ModelError, match=f"model {tmp_path}: Unrecognized model"):
        protocol.context_window({"pretrained": str(tmp_path)})
    with pytest.raises(ModelError, match=f"model {tmp_path}: "):
        protocol.load_tokenizer({"pretrained": str(tmp_path)})


def test_a_refusal_is_one_line_for_a_command_and_a_value_error_in_python():
    error = ProtocolError("why, and what to do")
    assert isinstance(error, ValueError) and isinstance(error, SystemExit)
    assert error.code == str(error) == "why, and what to do"


def test_names_of_tasks_groups_and_tags_are_resolved():
    found = dict(selected_tasks("math_qwen,arith_words", str(tasks_path())))
    assert set(found) > {"math_qwen_algebra", "arith_words"} and len(found) == 8
    assert found["math_qwen_algebra"]["generation_kwargs"]["until"] == ["Question:"]
    assert {"mathnet", "mathnet_boxed"} == set(dict(selected_tasks(["olympiad"], str(tasks_path()))))


def test_another_include_path_is_respected():
    assert with_include_path(["--include_path", "x"]) == ["--include_path", "x"]
    assert with_include_path(["--include_path=x"]) == ["--include_path=x"]
    assert with_include_path([])[0] == "--include_path"
