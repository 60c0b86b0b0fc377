"""The task `ailuminate`: its prompts, what it refuses, its metrics, runs with a scripted safeguard."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from lm_eval.tasks import TaskManager

from lm_eval_ext.analysis import runs
from lm_eval_ext.harness import metrics, validation
from lm_eval_ext.harness.docs import ailuminate
from lm_eval_ext.harness.errors import DataError, ProtocolError, UserError
from lm_eval_ext.harness.filters import AskSafeguard
from lm_eval_ext.harness.shipped import tasks_path
from lm_eval_ext.harness.sources import SAMPLE
from lm_eval_ext.safety import SafetyVerdict
from tests.conftest import lm_eval, samples
from tests.harness.test_validation import namespace
from tests.scripted_server import Said, scripted, serving

SAFE, UNSAFE = SafetyVerdict(True), SafetyVerdict(False, ("S1",), "unsafe\nS1")
UNDECIDED = SafetyVerdict(None, reason="safeguard unreachable: ...")


def task(**metadata):
    manager = TaskManager(
        include_path=str(tasks_path()), include_defaults=False, metadata={"data": SAMPLE, **metadata}
    )
    return manager.load(["ailuminate"])["tasks"]["ailuminate"]


def build(task, chat=True):
    task.build_all_requests(
        limit=2, apply_chat_template=chat, chat_template=lambda turns, **_: turns[-1]["content"]
    )


@pytest.fixture
def named(tmp_path):
    """Metadata of a safeguard at an address."""
    settings = {"safeguard": "Llama-Guard-3-8B", "safeguard_cache": str(tmp_path / "cache")}
    return lambda url, **more: {**settings, "safeguard_base_url": url, "safeguard_retries": 0, **more}


@pytest.mark.unit
def test_the_packaged_prompts_cover_every_hazard():
    docs = list(ailuminate.dataset(data=SAMPLE)["test"])
    assert len({doc["problem"] for doc in docs}) == len({doc["id"] for doc in docs}) == len(docs) >= 15
    hazards = "cse dfm hte ipv iwp ncr prv src ssh sxc_prn vcr spc_fin spc_hlt spc_ele spc_lgl".split()
    assert {doc["hazard"] for doc in docs} == {*hazards}
    assert {doc["persona"] for doc in docs} == {"skilled", "unskilled"}


@pytest.mark.unit
def test_the_real_prompts(real_data):
    if not (real_data / "ailuminate").is_dir():
        pytest.skip(f"{real_data} lacks ailuminate")
    docs = ailuminate.dataset(data=str(real_data))["test"]
    assert len(docs) == len(set(docs["problem"])) == 1200 and len(set(docs["hazard"])) == 15


@pytest.mark.unit
@pytest.mark.parametrize("column", ["prompt_text", "prompt", "input"])
def test_prompts_of_a_file(column, tmp_path):
    (tmp_path / "p.csv").write_text(f"{column},hazard\nHello?,vcr\n")
    (doc,) = ailuminate.dataset(prompts=str(tmp_path / "p.csv"))["test"]
    assert (doc["problem"], doc["hazard"], doc["persona"]) == ("Hello?", "vcr", None) and len(doc["id"]) == 12


@pytest.mark.unit
@pytest.mark.parametrize(
    "text, why",
    [
        (
            '{"text": "a"}',
            r"p.jsonl, line 1: no column prompt_text or prompt or input; .*has \['text'\]",
        ),
        ('{"prompt": " "}', "line 1: the prompt must be text, got ' '"),
        ("", "p.jsonl has no rows"),
    ],
)
def test_prompts_that_cannot_be_read(text, why, tmp_path):
    (tmp_path / "p.jsonl").write_text(text + "\n" if text else "")
    with pytest.raises(DataError, match=why):
        ailuminate.dataset(prompts=str(tmp_path / "p.jsonl"))


@pytest.mark.unit
def test_without_a_source_the_prompts_are_named(monkeypatch):
    monkeypatch.delenv("LM_EVAL_EXT_DATA", raising=False)
    with pytest.raises(DataError, match=r"not on the Hub: download its file .*\"FILE.csv\""):
        ailuminate.dataset()


@pytest.mark.unit
@pytest.mark.parametrize(
    "metadata, chat, why",
    [
        ({}, True, "ailuminate needs a safeguard to say what is safe: --metadata"),
        ({"safeguard": "m"}, False, "ailuminate asks a chat model, .*: add --apply_chat_template"),
        ({"safeguard_format": "plain"}, True, 'has safeguard_format but no safeguard; add "safeguard"'),
        ({"safeguard": "m", "safeguard_formt": "plain"}, True, "safeguard: unknown setting 'formt'"),
        ({"safeguard": "m", "safeguard_guidelines": "no.txt"}, True, "guidelines no.txt cannot be read"),
        ({"safeguard": "./none"}, True, "safeguard: no folder none"),
        ({"safeguard": "data/none"}, True, "litellm knows no provider for 'data/none'.*safeguard_base_url"),
        ({"safeguard": "m", "prompts": "none.csv"}, True, "none.csv: no such file"),
    ],
)
def test_what_is_refused_before_anything_is_loaded(metadata, chat, why, monkeypatch):
    monkeypatch.setenv("LM_EVAL_EXT_DATA", SAMPLE)
    with pytest.raises(UserError, match=why) as refusal:
        validation.check(namespace(tasks="ailuminate", metadata=metadata, apply_chat_template=chat))
    assert "\n" not in str(refusal.value)


@pytest.mark.unit
def test_plain_lm_eval_is_refused_before_generation(named):
    with pytest.raises(UserError, match="needs a safeguard"):
        build(task())
    with scripted(lambda request: "safe") as server:
        with pytest.raises(ProtocolError, match="apply_chat_template"):
            build(task(**named(server.url)), chat=False)
        build(ready := task(**named(server.url)))
        assert len(server.requests) == 1 and [i.args[0] for i in ready.instances] == [
            doc["problem"] for doc in list(ready.eval_docs)[:2]
        ]
    with (
        scripted(lambda request: Said("no such key", 401)) as server,
        pytest.raises(UserError, match="no such"),
    ):
        build(task(**named(server.url)))


@pytest.mark.unit
def test_metrics():
    judged = metrics.Judged([SAFE, UNSAFE, UNDECIDED, UNSAFE])
    assert metrics.safety_results({}, [judged]) == {
        "safety_rate": 0.25, "safety_rate_high": 0.5, "undecided": 0.25
    }  # fmt: skip
    judged.capped = [True, False, False, False]
    assert metrics.safety_results({}, [judged])["capped"] == 0.25


@pytest.mark.unit
def test_verdicts_and_usage_of_a_task(named, caplog):
    with scripted(lambda request: "safe" if "no" in request["messages"][1]["content"] else "?") as server:
        build(ready := task(**named(server.url)))
        for instance, response in zip(ready.instances, ["no", "yes"], strict=True):
            instance.resps = [response]
        first, second = (i.filtered_resps["safeguard"][0] for i in ready.apply_filters())
    assert (first.safe, second.safe, second.reply) == (True, None, "?")
    recorded = ready.config.metadata["protocol"]["safeguard"]
    assert recorded["format"] == "llama_guard" and recorded["usage"]["malformed"] == 1
    with pytest.raises(UserError, match="has no safeguard"):
        AskSafeguard().apply([["a"]], [{"problem": "p"}])


def run(out: Path, model: str, metadata: dict, *more: str):
    """A run with the model and the safeguard behind scripted servers."""
    return lm_eval(
        *("run", "--resume", out, "--model", "local-chat-completions", "--apply_chat_template"),
        *("--model_args", f"model=scripted,base_url={model},num_concurrent=4,tokenized_requests=False"),
        *("--tasks", "ailuminate", "--metadata", json.dumps(metadata), *more),
        program="lm-eval-ext",
    )


@pytest.mark.full
@pytest.mark.model
def test_a_run_and_another_safeguard_for_its_responses(tmp_path, named):
    """The second safeguard reads the stored responses; breakdowns are by hazard."""
    asked = []
    with serving(lambda prompt: asked.append(prompt) or f"About {len(prompt)}: no.") as model:
        with scripted(lambda request: ["safe", "unsafe\nS1"]["savings" in str(request["messages"])]) as guard:
            done = run(tmp_path / "a", model, named(guard.url))
            first = done.results(tmp_path / "a")
            assert "ailuminate: safeguard: " in done.err and " calls, " in done.err  # its usage
        with scripted(lambda request: "UNSAFE") as guard:
            other = named(guard.url, safeguard_format="plain")
            count = len(asked)
            second = run(tmp_path / "a", model, other).results(tmp_path / "a")
    scores = first["results"]["ailuminate"]
    assert scores["safety_rate,safeguard"] == pytest.approx(1 - 1 / count)
    assert scores["undecided,safeguard"] == 0 and scores["safety_rate_high,safeguard"] < 1
    assert second["results"]["ailuminate"]["safety_rate,safeguard"] == 0 and len(asked) == count
    logged = json.loads(samples(tmp_path / "a", "ailuminate")[0]["filtered_resps"][0][0])
    assert (logged["safe"], logged["reply"]) == (False, "UNSAFE")
    loaded = runs.load(tmp_path / "a").tasks["ailuminate"]
    assert loaded.metric() == "safety_rate" and loaded.protocol["safeguard"]["format"] == "plain"


@pytest.mark.full
@pytest.mark.model
def test_two_models_are_compared_by_hazard(tmp_path, named):
    rows = [{"prompt": f"Prompt {i}?", "hazard": "vcr"} for i in range(12)]
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with scripted(lambda request: ["safe", "unsafe"]["bad" in str(request["messages"])]) as guard:
        for name in ("good", "bad"):
            with serving(lambda prompt, name=name: name) as model:
                settings = named(guard.url, prompts=str(prompts))
                run(tmp_path / name, model, settings).results(tmp_path / name)
    command = [str(Path(sys.executable).parent / "lm-eval-ext"), "compare"]
    done = subprocess.run(
        [*command, f"a={tmp_path / 'good'}", f"b={tmp_path / 'bad'}", "--by", "hazard"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "ailuminate: safety_rate (safeguard)" in done.stdout and " vcr " in done.stdout
