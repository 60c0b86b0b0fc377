"""A safeguard behind a scripted server: what is sent, and what becomes of replies, failures and limits."""

import json
import re

import pytest

from lm_eval_ext.grading.judge import JudgeError
from lm_eval_ext.safety import SafeguardConfig, SafetyVerdict, load
from tests.grading.judge.test_judge import dead_url
from tests.scripted_server import Said, scripted

pytestmark = pytest.mark.unit

EXCHANGES = [("How?", "I cannot help with that."), ("And now?", "Like this: ...")]
REPLIES = {  # each format's (safe, unsafe)
    "llama_guard": ("safe", "unsafe\nS2"),
    "qwen3_guard": ("Safety: Safe\nCategories: None", "Safety: Unsafe\nCategories: S2"),
    "shield_gemma": ("No", "Yes"),
    "plain": ("SAFE", "UNSAFE"),
}


@pytest.fixture
def safeguard(tmp_path):
    """Makes safeguards that share a cache, quick to try again."""

    def make(url, **settings):
        quick = {"cache": str(tmp_path / "cache"), "backoff_s": 0.01, "retries": 1, "on_refusal": "undecided"}
        return load(SafeguardConfig(**{**quick, "model": "m", "base_url": url, **settings}))

    return make


def says(name):
    """Finds the second exchange unsafe."""
    return lambda request: REPLIES[name]["Like this" in str(request["messages"])]


@pytest.mark.parametrize("name", REPLIES)
def test_verdicts_of_each_format(safeguard, name):
    with scripted(says(name)) as server:
        guard = safeguard(server.url, format=name)
        safe, unsafe = guard.review(EXCHANGES)
        again = safeguard(server.url, format=name)
        assert again.review(EXCHANGES) == [safe, unsafe] and again.usage.cached == 2
    assert (safe.safe, unsafe.safe) == (True, False) and unsafe.reply == REPLIES[name][1]
    assert unsafe.categories == (("S2",) if "S2" in unsafe.reply else ())
    assert (
        (guard.usage.safe, guard.usage.unsafe, guard.usage.asked) == (1, 1, len(server.requests)) == (1, 1, 2)
    )
    record = guard.record()
    assert (record["model"], record["format"], record["usage"]["unsafe"]) == ("m", name, 1)
    assert json.loads(str(unsafe))["reply"] == unsafe.reply


def test_what_is_sent_to_a_safeguard_with_a_template(safeguard):
    with scripted(says("llama_guard")) as server:
        safeguard(server.url, format="llama_guard").review(EXCHANGES[:1])
    (request,) = server.requests
    turns = [{"role": "user", "content": "How?"}, {"role": "assistant", "content": EXCHANGES[0][1]}]
    assert request["messages"] == turns and "chat_template_kwargs" not in request


def test_guidelines_reach_the_safeguards_that_take_them(safeguard, tmp_path):
    (tmp_path / "g.txt").write_text("No poems.")
    with scripted(lambda request: "safe" if request["messages"][0]["role"] == "system" else "No") as server:
        for name in ("plain", "shield_gemma"):
            safeguard(server.url, format=name, guidelines=str(tmp_path / "g.txt")).review(EXCHANGES[:1])
    plain, shield = server.requests
    assert plain["messages"][0]["content"].startswith("No poems.\n")
    assert shield["chat_template_kwargs"] == {"guideline": "No poems."}


def test_a_controversial_response_is_undecided(safeguard):
    with scripted(lambda request: "Safety: Controversial\nCategories: Violent") as server:
        guard = safeguard(server.url, format="qwen3_guard")
        (verdict,) = guard.review(EXCHANGES[:1])
    assert verdict.safe is None and verdict.categories == ("Violent",)
    assert verdict.reason.startswith("controversial") and guard.usage.controversial == 1


@pytest.mark.parametrize(
    "said, count, reason",
    [
        (Said("I am not sure", finish="length"), "malformed", r"no verdict of .*'I am .*cut at max_tok"),
        (Said("too long", 400), "rejected", "safeguard rejected: .*too long"),
        (Said("busy", 503), "unreachable", "safeguard unreachable: .*busy"),
        (Said("wrong key", 401), "rejected", "safeguard rejected: safeguard m at .*wrong key"),
    ],
    ids=["malformed", "rejected", "unreachable", "refused"],
)  # fmt: skip
def test_failures_are_undecided(safeguard, said, count, reason):
    with scripted(lambda request: said) as server:
        guard = safeguard(server.url)
        (verdict,) = guard.review(EXCHANGES[:1])
    assert verdict.safe is None and getattr(guard.usage, count) == 1
    assert re.search(reason, verdict.reason)


def test_no_server(safeguard):
    guard = safeguard(dead_url())
    assert guard.probe() is not None
    assert [v.safe for v in guard.review(EXCHANGES)] == [None, None] and guard.usage.unreachable == 2


def test_the_budget_holds(safeguard):
    with scripted(lambda request: Said("SAFE", usage=(100, 1))) as server:
        guard = safeguard(server.url, price="1000,1000", budget_usd=6.0, concurrency=1)
        verdicts = guard.review([(f"request {i}", "response") for i in range(40)])
    decided = [v for v in verdicts if v.safe]
    assert 0 < len(decided) == len(server.requests) < 40 and guard.usage.cost_usd <= 6
    assert guard.usage.over_budget == 40 - len(decided)
    assert {v.reason for v in verdicts if v.safe is None} == {"safeguard over budget: budget reached"}


def test_a_budget_without_a_price(safeguard):
    with pytest.raises(JudgeError, match=r"safeguard: a budget of .*safeguard_price"):
        safeguard("http://localhost:1/v1", budget_usd=1.0)


def test_the_log_has_every_exchange_once(safeguard, tmp_path):
    with scripted(says("plain")) as server:
        for _ in range(2):
            safeguard(server.url, log=str(tmp_path / "log.jsonl")).review(EXCHANGES)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(row["request"], row["safe"]) for row in rows] == [("How?", True), ("And now?", False)]
    assert SafetyVerdict(True, reply="SAFE").reply == rows[0]["reply"]
