"""The store: what is reused, what is not, and what a damaged or a shared folder does."""

import io
import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from lm_eval.api.instance import Instance
from lm_eval.api.model import LM
from tqdm import tqdm

from lm_eval_ext.harness.errors import ProtocolError
from lm_eval_ext.harness.launch import run as launch
from lm_eval_ext.harness.store.chunks import cut
from lm_eval_ext.harness.store.engines import RecordsLengths, advance, lengths_of, seed_of
from lm_eval_ext.harness.store.folder import EngineAnswers, Store, StoredResponse, read
from lm_eval_ext.harness.store.model import StoredModel
from lm_eval_ext.harness.store.settings import settings_of
from lm_eval_ext.harness.weights import hash_files
from lm_eval_ext.resume import ResumeError, differences

pytestmark = pytest.mark.unit

GREEDY = {"until": ["\n"], "max_gen_toks": 8, "temperature": 0.0}


def requests(count, task="sums", repeats=1, prompt="What is {} + 1?", generation=GREEDY):
    """As lm-eval passes them: a request that is repeated stands several times in a row."""
    made = [
        Instance("generate_until", {"n": n}, (prompt.format(n), dict(generation)), 0, (task, n, repeats))
        for n in range(count)
    ]
    return [instance for instance in made for _ in range(repeats)]


def settings(**changes):
    given = {"backend": "echo", "chunk_size": 4, "seed": 1, "batch_size": 8, **changes}
    return settings_of(given.pop("backend"), given.pop("model_args", {}), **given)


class Echo(LM):
    """Answers each prompt with the prompt, and counts how often it is asked."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def generate_until(self, requests, disable_tqdm=False):
        self.calls.append(len(requests))
        return [echo(request) for request in requests]

    def loglikelihood(self, requests):
        return [(-1.0, False) for _ in requests]

    loglikelihood_rolling = loglikelihood


def echo(request):
    prompt, generation = request.args
    return f"{prompt} with seed {generation['seed']}" if "seed" in generation else f"lol, {prompt}"


class Run:
    """Evaluations by `Echo`, with a store."""

    def __init__(self, folder):
        self.folder = folder
        self.said = []

    def __call__(self, asked, **changes):
        """(reused, generated) of a run over these requests."""
        with Store(self.folder, settings(**changes), self.said.append) as store:
            model = StoredModel("echo", Echo, store, dict)
            assert model.generate_until(asked, disable_tqdm=True) == [echo(request) for request in asked]
            self.counts = model.counts
        return tuple(sum(getattr(t, n) for t in self.counts.values()) for n in ("reused", "generated"))

    def files(self):
        return sorted(self.folder.glob("store/*/*.chunk*.jsonl"))


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def test_chunks_are_cut_per_task_and_repeat():
    chunks = cut(requests(5, repeats=2) + requests(3, task="other/task"), 4)
    assert [(c.task, c.repeat, c.index, c.positions) for c in chunks] == [
        ("sums", 0, 0, [0, 2, 4, 6]),
        ("sums", 0, 1, [8]),
        ("sums", 1, 0, [1, 3, 5, 7]),
        ("sums", 1, 1, [9]),
        ("other/task", 0, 0, [10, 11, 12]),
    ]
    assert chunks[-1].name.startswith("other_task.repeat0.chunk00000.")
    assert len({chunk.name for chunk in chunks}) == 5


def test_the_other_tasks_and_a_larger_limit_leave_chunks_as_they_are():
    alone = [chunk.name for chunk in cut(requests(8), 4)]
    beside = [chunk.name for chunk in cut(requests(3, task="first") + requests(11), 4)]
    assert beside[1:3] == alone and len(beside) == 4


def test_how_far_a_run_is_is_said_at_its_start_and_after_each_chunk(run, tmp_path):
    run(requests(4))
    said = []

    def progressed(model):
        counts = model.counts["sums"]
        said.append((counts.requests, counts.reused, counts.generated))

    with Store(tmp_path, settings(), run.said.append) as store:
        StoredModel("echo", Echo, store, dict, progressed).generate_until(requests(10), disable_tqdm=True)
    assert said == [(10, 4, 0), (10, 4, 4), (10, 4, 6)]


class Llm:
    """vLLM's, as far as its bars go."""

    def generate(self, prompts, use_tqdm=False):
        bar = use_tqdm(total=len(prompts), desc="Processed prompts", postfix="est. speed")
        for _ in use_tqdm(prompts, desc="Rendering prompts"):
            assert bar.format_dict["elapsed"] >= 0
        for _ in prompts:
            bar.update(1)
        bar.close()


def test_a_bar_advances_by_each_response_within_a_chunk(capsys):
    vllm, other = type("VLLM", (RecordsLengths, Echo), {})(), Echo()
    vllm.model = Llm()
    with tqdm(total=8, file=io.StringIO()) as bar:
        for _ in range(2):  # calls of generate_until
            advance(vllm, bar)
        vllm.model.generate(["a", "b", "c"], use_tqdm=True)
        assert bar.n == 3
        advance(other, bar)
        other.cache_hook.add_partial("generate_until", ("a", {}), "response")
        assert bar.n == 4
    assert capsys.readouterr() == ("", "")


def test_everything_is_reused_and_the_backend_not_even_made(run, tmp_path):
    assert run(requests(10)) == (0, 10)
    assert run(requests(10)) == (10, 0)

    def unwanted():
        raise AssertionError("the backend was started")

    with Store(tmp_path, settings(), run.said.append) as store:
        model = StoredModel("echo", unwanted, store, dict)
        assert model.generate_until(requests(10), disable_tqdm=True)[9] == echo(requests(10)[9])
        assert model.max_length is None and model.get_model_info() == {} and model.tokenizer is None
    assert run.said == []


def test_a_longer_run_goes_on_where_the_shorter_one_ended(run):
    assert run(requests(8)) == (0, 8)
    assert run(requests(10)) == (8, 2)
    assert run(requests(10, repeats=3)) == (10, 20)
    assert run(requests(12)) == (8, 4), "the last chunk of two is part of one of four now"


@pytest.mark.parametrize(
    "changes, why",
    [
        ({"seed": 2}, "seed is 2 and was 1"),
        ({"chunk_size": 5}, "chunk_size is 5 and was 4"),
        ({"batch_size": "auto"}, "batch_size is auto and was 8"),
        ({"model_args": {"dtype": "float16"}}, "model_args.dtype is float16 and was not given"),
        ({"model_args": {"pretrained": "a-name", "revision": "b"}}, "model_args.pretrained is a-name@b"),
    ],
)
def test_another_setting_reuses_nothing_and_says_which(run, changes, why):
    run(requests(10))
    assert run(requests(10), **changes) == (0, 10)
    assert len(run.said) == 1 and why in run.said[0]
    assert run(requests(10)) == (10, 0), "what was there is still there"


@pytest.mark.parametrize(
    "changes, why",
    [
        ({"prompt": "What is {}+1?"}, "other prompts"),
        ({"generation": {**GREEDY, "max_gen_toks": 9}}, "max_gen_toks is 9 and was 8"),
        ({"generation": {**GREEDY, "until": ["."]}}, "until is ['.'] and was ['\\n']"),
    ],
)
def test_another_prompt_or_generation_setting_reuses_nothing_and_says_which(run, changes, why):
    run(requests(10))
    assert run(requests(10, **changes)) == (0, 10)
    assert len(run.said) == 1 and why in run.said[0]


def test_a_changed_weights_file_reuses_nothing(run, tmp_path, monkeypatch):
    monkeypatch.setenv("LM_EVAL_EXT_CACHE", str(tmp_path / "cache"))
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"weights")
    arguments = {"model_args": {"pretrained": str(model)}}
    assert [run(requests(4), **arguments) for _ in range(2)] == [(0, 4), (4, 0)]
    before = hash_files(model)
    (model / "README.md").write_text("not the model")
    (model / "optimizer.pt").write_bytes(b"nor this")
    assert hash_files(model) == before
    (model / "model.safetensors").write_bytes(b"stronger")
    assert hash_files(model) != before
    assert run(requests(4), **arguments) == (0, 4)
    assert "model_args.pretrained is sha256:" in run.said[0]
    model.rename(tmp_path / "moved")
    moved = {"model_args": {"pretrained": str(tmp_path / "moved")}}
    assert run(requests(4), **moved) == (4, 0), "the same weights in another place"


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("lol", "42"),
        lambda text: "",
        lambda text: "\n".join(text.splitlines()[:-2]),
        lambda text: text.replace("lol", "ä"),
    ],
    ids=["half-written", "changed", "empty", "rows missing", "not ASCII"],
)
def test_a_damaged_chunk_is_named_and_generated_again(run, damage):
    run(requests(10))
    path = run.files()[1]
    path.write_text(damage(path.read_text()))
    assert run(requests(10)) == (6, 4)
    assert len(run.said) == 1 and str(path) in run.said[0]
    assert run(requests(10)) == (10, 0)


def test_what_a_killed_writer_left_is_cleared_away(run):
    run(requests(4))
    unfinished = run.files()[0].with_name(".sums.repeat0.chunk00001.jsonl.77")
    unfinished.write_text("{")
    assert run(requests(8)) == (4, 4) and not unfinished.exists()


def test_a_row_keeps_any_text(tmp_path):
    texts = ["a\u2028b\x0bc\r\nd", "\ud83d", "é\\boxed{7}", ""]
    rows = [StoredResponse(n, "", text, n, "stop") for n, text in enumerate(texts)]
    with Store(tmp_path, settings(), print) as store:
        (chunk,) = cut(requests(4), 4)
        store.put(chunk, rows, {"seconds": 0.5})
        assert store.get(chunk) == rows
        header, _ = read(store.folder / f"{chunk.name}.jsonl")
    assert header["seconds"] == 0.5 and header["responses"] == 4 and header["generation"] == [GREEDY]


def test_two_processes_cannot_write_one_store(tmp_path):
    code = (
        "import sys; from pathlib import Path; from lm_eval_ext.harness.store.folder import Store\n"
        "from lm_eval_ext.harness.store.settings import Settings\n"
        f"with Store(Path({str(tmp_path)!r}), Settings({{'chunk_size': 4}}), print): print('mine')"
    )
    with Store(tmp_path, settings(), print):
        refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert refused.returncode == 1 and "Traceback" not in refused.stderr
    assert "is in use by process" in refused.stderr and "name another output" in refused.stderr
    freed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert freed.stdout.strip().endswith("mine"), freed.stderr


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "store").touch()
    with pytest.raises(ResumeError, match="cannot be written"), Store(tmp_path, settings(), print):
        pass


def test_what_only_the_engine_knows_is_asked_once(tmp_path):
    answers = iter(["rendered", ("a", "b")])
    with EngineAnswers(tmp_path / "asked.jsonl") as asked:
        first = asked(["chat", 1], lambda: next(answers))
        assert first == asked(["chat", 1], lambda: next(answers)) == "rendered"
        assert asked(["tuple"], lambda: next(answers)) == ("a", "b")
    with (tmp_path / "asked.jsonl").open("a") as file:
        file.write('{"key": "half')
    with EngineAnswers(tmp_path / "asked.jsonl") as again:
        assert again(["chat", 1], lambda: "other") == "rendered"
        assert again(["tuple"], lambda: "JSON has no tuples") == "JSON has no tuples"
    with EngineAnswers(tmp_path / "asked.jsonl") as asked:
        assert asked(["chat", 1], lambda: "other") == "rendered"
        assert asked(["tuple"], lambda: "") == "JSON has no tuples"


def test_seeds_depend_on_all_parts():
    found = {seed_of(*parts) for parts in [(1, "a", 0), (2, "a", 0), (1, "b", 0), (1, "a", 1), (1, "a", 0)]}
    assert len(found) == 4 and all(0 <= seed < 2**31 for seed in found)


def test_the_tally_says_what_a_task_was_made_of(run):
    run(requests(4, repeats=2) + requests(3, task="other", prompt="{}?"))
    made_of = {task: tally.made_of for task, tally in run.counts.items()}
    assert made_of["sums"]["documents"] == 4 and made_of["other"]["documents"] == 3
    assert made_of["sums"]["prompts_sha256"] != made_of["other"]["prompts_sha256"]
    run(requests(4, repeats=2, prompt="now {}"))
    now = run.counts["sums"].made_of
    assert now["documents_sha256"] == made_of["sums"]["documents_sha256"]
    assert now["prompts_sha256"] != made_of["sums"]["prompts_sha256"]


@pytest.mark.parametrize(
    "arguments, resume, chunk_size, why",
    [
        ([], False, 8, "--chunk-size 8 without --resume"),
        (["--use_cache", "x"], True, None, "leave --use_cache out"),
        (["--model", "hf", "--batch_size", "auto"], True, None, "--batch_size 16"),
    ],
)
def test_options_that_do_not_go_together(arguments, resume, chunk_size, why, tmp_path, monkeypatch):
    pytest.importorskip("transformers")
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.setenv("LM_EVAL_EXT_DATA", "sample")
    asked = [*arguments, "--tasks", "arith_words", "--model_args", "pretrained=.,max_length=4096"]
    with pytest.raises(ProtocolError, match=why):
        launch(asked, tmp_path if resume else None, chunk_size)
    assert not list(tmp_path.iterdir())


def test_settings_survive_their_file(run, tmp_path):
    run(requests(1), model_args={"a": (1, {"b": None}), "c": 0.5, "d": True})
    (file,) = tmp_path.glob("store/*/settings.json")
    same = settings(model_args={"a": [1, {"b": None}], "c": 0.5, "d": True})
    assert differences(same.values, json.loads(file.read_text())) == []
    with pytest.raises(ValueError, match="got 0"):
        settings(chunk_size=0)


def test_chats_are_rendered_once(tmp_path):
    class Chatty(Echo):
        tokenizer_name = "names"

        def apply_chat_template(self, chat_history, add_generation_prompt=True):
            return f"<{chat_history[-1]['content']}>{add_generation_prompt}"

        def chat_template(self, chat_template=False):
            return "<...>"

    def asked_of(build):
        with Store(tmp_path, settings(), print) as store:
            model = StoredModel("chatty", build, store, dict)
            rendered = [model.apply_chat_template([{"role": "user", "content": c}], False) for c in "ab"]
            return rendered, model.chat_template(True), model.tokenizer_name, str(model)

    def unwanted():
        raise AssertionError("the backend was started")

    first = asked_of(Chatty)
    assert first == (["<a>False", "<b>False"], "<...>", "names", "chatty") == asked_of(unwanted)


def test_a_chunk_without_all_its_responses_is_not_kept(run, tmp_path):
    class Failing(Echo):
        def generate_until(self, requests, disable_tqdm=False):
            return [None if request.args[0].startswith("What is 6") else "x" for request in requests]

    with Store(tmp_path, settings(), print) as store, pytest.raises(RuntimeError, match="no response to 1"):
        StoredModel("api", Failing, store, dict).generate_until(requests(8), disable_tqdm=True)
    assert len(run.files()) == 1


def test_how_a_model_is_reached_does_not_matter(run):
    first = {"base_url": "http://localhost:8000/v1/completions", "num_concurrent": 1, "api_key": "sk-1"}
    other = {"base_url": "http://u:pw@host:9/v1/completions", "num_concurrent": 8, "header": {"a": "sk-2"}}
    run(requests(4), model_args=first)
    assert run(requests(4), model_args=other) == (4, 0)


SAMPLED = {**GREEDY, "temperature": 0.8, "do_sample": True}


@pytest.mark.parametrize("backend, distinct", [("vllm", 12), ("local-completions", 3)])
def test_sampling_seeds_do_not_depend_on_where_a_run_goes_on(backend, distinct, tmp_path):
    asked = requests(4, repeats=3, generation=SAMPLED)

    def responses(folder, *parts, **changes):
        for part in parts:
            with Store(folder, settings(backend=backend, **changes), print) as store:
                found = StoredModel(backend, Echo, store, dict).generate_until(part, disable_tqdm=True)
        return found

    whole = responses(tmp_path / "whole", asked)
    assert responses(tmp_path / "parts", requests(4, repeats=1, generation=SAMPLED), asked) == whole
    assert responses(tmp_path / "other seed", asked, seed=2) != whole
    assert responses(tmp_path / "other engine seed", asked, model_args={"seed": 7}) != whole
    assert len({response.rpartition(" ")[2] for response in whole}) == distinct
    assert all("seed" not in request.args[1] for request in asked), "requests keep their own settings"


def test_torch_is_seeded_per_chunk_for_other_backends(tmp_path):
    import torch

    class Drawing(Echo):
        def generate_until(self, requests, disable_tqdm=False):
            return [str(torch.rand(1).item()) for _ in requests]

    def responses(folder, *counts):
        for count in counts:
            asked = requests(count, generation=SAMPLED)
            with Store(folder, settings(), print) as store:
                found = StoredModel("hf", Drawing, store, dict).generate_until(asked, disable_tqdm=True)
        return found

    assert responses(tmp_path / "parts", 4, 8) == responses(tmp_path / "whole", 8)
    assert len(set(responses(tmp_path / "whole", 8))) == 8


class Engine:
    """Generates as vLLM does: one token per letter, at most three."""

    def tokenizer(self, text, add_special_tokens):
        return {"input_ids": list(text)}

    def tok_encode(self, prompts):
        return [list(prompt) for prompt in prompts]

    def _model_generate(self, requests, generate=False, sampling_params=None):
        said = [(ids, SimpleNamespace(token_ids=ids[:3], finish_reason="length")) for ids in requests]
        return [SimpleNamespace(prompt_token_ids=ids, outputs=[response]) for ids, response in said]


def test_lengths_are_the_engines_else_the_tokenizers():
    engine = type("Noting", (RecordsLengths, Engine), {})()
    engine._model_generate(requests=engine.tok_encode(["likelihood"]), generate=False)
    engine._model_generate(requests=engine.tok_encode(["ab", "abcdef"]), generate=True)
    found = lengths_of(engine, ["abcdef", "truncated", "ab"], ["x", "four", "y"])
    assert found == [(3, "length"), (4, None), (2, "length")]
    assert lengths_of(engine, ["ab"], ["abc"]) == [(3, None)], "of one chunk, not of all"
    assert lengths_of(Echo(), ["ab"], ["abc"]) == [(None, None)]
