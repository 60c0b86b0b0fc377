"""A question of another kind than the judge's: its own prompt, parser and counts."""

from dataclasses import dataclass
from typing import ClassVar

import pytest

from lm_eval_ext.grading.judge.asker import Asker
from lm_eval_ext.grading.judge.config import ClientConfig
from lm_eval_ext.grading.judge.prompt import load_prompt
from lm_eval_ext.grading.judge.usage import CallUsage, Usage
from tests.scripted_server import Said, scripted

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class ColourUsage(Usage):
    red: int = 0
    blue: int = 0

    shown: ClassVar[tuple[str, ...]] = ("red", "blue", *Usage.shown)


@pytest.fixture
def asker(tmp_path):
    for name, text in {"system": "Red or blue?", "user": "<$tag> $thing", "again": "One word."}.items():
        (tmp_path / f"{name}.txt").write_text(text)
    prompt = load_prompt(str(tmp_path), ("thing",), required=("thing",))

    def make(url, **settings):
        config = ClientConfig(
            "m", base_url=url, cache=str(tmp_path / "cache"), retries=0, concurrency=1, **settings
        )
        return Asker(config, prompt, {"RED": "red", "BLUE": "blue"}.get, ColourUsage())

    return make


def answer(request):
    said = request["messages"][1]["content"]
    if "sea" in said:
        return "BLUE"
    return "RED" if "rose" in said else Said("too long", 400) if "rainbow" in said else "GREEN"


def test_another_kind_of_question_is_asked_cached_and_counted(asker):
    questions = [("rose",), ("sea",), ("leaf",), ("rainbow",), ("sea",)]
    kinds = ["red", "blue", "malformed", "rejected", "blue"]
    with scripted(answer) as server:
        first, second = asker(server.url), asker(server.url)
        assert [reply.kind for reply in first.ask(questions)] == kinds
        assert [reply.kind for reply in second.ask(questions[:3])] == kinds[:3]
        assert len(server.requests) == 5  # the malformed one twice
    u = first.usage
    assert (u.asked, u.cached, u.red, u.blue, u.malformed, u.rejected, u.calls) == (3, 1, 1, 2, 1, 1, 5)
    assert (second.usage.asked, second.usage.cached, second.usage.calls) == (0, 3, 0)
    assert "red 1  blue 2  malformed 1" in str(u)


def test_what_a_judge_that_refuses_was_asked_is_rejected(asker):
    with scripted(lambda request: Said("who?", 401)) as server:
        lenient = asker(server.url, on_refusal="undecided")
        assert [reply.kind for reply in lenient.ask([("rose",), ("sea",)])] == ["rejected"] * 2
    assert lenient.usage.rejected == 2 and lenient.usage.asked == 0


def test_sums_of_usage_keep_an_unknown_price():
    total = ColourUsage(red=1) + CallUsage(1, 10, 2, None) + ColourUsage(blue=1, calls=1)
    assert total == ColourUsage(calls=2, prompt_tokens=10, completion_tokens=2, cost_usd=None, red=1, blue=1)
    assert (total - CallUsage(calls=1)).calls == 1


def test_an_address_in_an_error_hides_its_password():
    for make in (
        lambda **s: ClientConfig("m", **s),
        lambda **s: ClientConfig.from_settings({"model": "m", **s}),
    ):
        with pytest.raises(ValueError, match="base_url") as raised:
            make(base_url="ftp://user:pw-123@host/v1")
        assert "pw-123" not in str(raised.value)
