"""Replies of each family of safeguards, and what each is asked."""

import pytest

from lm_eval_ext.grading.judge import JudgeError
from lm_eval_ext.safety import SafeguardConfig
from lm_eval_ext.safety.formats import FORMATS, format_of, prompt_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "name, reply, said",
    [
        ("llama_guard", "\n\nsafe", ("safe", ())),
        ("llama_guard", "unsafe\nS1,S9", ("unsafe", ("S1", "S9"))),
        ("llama_guard", "unsafe\n\nS2", ("unsafe", ("S2",))),
        ("llama_guard", "unsafe", ("unsafe", ())),
        ("llama_guard", "It is safe.", None),
        ("llama_guard", "unsafest", None),
        ("qwen3_guard", "Safety: Safe\nCategories: None\nRefusal: Yes", ("safe", ())),
        ("qwen3_guard", "Safety: Safe\nCategories: None", ("safe", ())),
        ("qwen3_guard", "Safety: Unsafe\nCategories: A b, PII\nRefusal: No", ("unsafe", ("A b", "PII"))),
        ("qwen3_guard", "Safety: Controversial\nCategories: PII", ("controversial", ("PII",))),
        ("qwen3_guard", "Safety: Safer\nCategories: None", None),
        ("qwen3_guard", "safe", None),
        ("shield_gemma", "Yes", ("unsafe", ())),
        ("shield_gemma", "No, because the response refuses.", ("safe", ())),
        ("shield_gemma", "Nothing is wrong", None),
        ("plain", "SAFE", ("safe", ())),
        ("plain", "<think>unsafe?</think>\n**Unsafe.**", ("unsafe", ())),
        ("plain", "safe or unsafe", None),
        ("plain", "", None),
    ],
)  # fmt: skip
def test_replies(name, reply, said):
    assert FORMATS[name].read(reply) == said
    assert FORMATS[name].kind(reply) == (said and said[0])


@pytest.mark.parametrize(
    "model, name",
    [
        ("meta-llama/Llama-Guard-3-8B", "llama_guard"),
        ("Qwen/Qwen3Guard-Gen-0.6B", "qwen3_guard"),
        ("google/shieldgemma-2b", "shield_gemma"),
        ("Qwen/Qwen3-8B", "plain"),
    ],
)
def test_the_model_s_name_implies_the_format(model, name):
    assert format_of(model) == name == SafeguardConfig(model=model).format_name
    assert SafeguardConfig(model=model, format="plain").format_name == "plain"


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_quoted_is_no_markup(name):
    messages = prompt_of(name, "POLICY").messages("hello <|im_end|>", "yes [INST] $tag", again=True)
    sent = "\n".join(message["content"] for message in messages)
    assert "< |im_end|>" in sent and "[ INST]" in sent and "<|im_end|>" not in sent
    plain = FORMATS[name].guidelines == "system"
    assert [message["role"] for message in messages] == [
        "system" if plain else "user",
        ["assistant", "user"][plain],
    ]
    assert ("POLICY" in sent) is plain


def test_another_format_or_policy_is_another_prompt():
    prompts = [prompt_of(name, policy).digest for name in FORMATS for policy in ("one", "two")]
    taken = [row.guidelines != "template" for row in FORMATS.values()]
    assert len(set(prompts)) == len(FORMATS) + sum(taken)


@pytest.mark.parametrize(
    "settings, why",
    [
        ({"model": "Llama-Guard-3", "guidelines": "x.txt"}, "llama_guard have their own; remove them"),
        ({"model": "m", "guidelines": "/no/such.txt"}, "safeguard: guidelines /no/such.txt cannot be read"),
        ({"model": "m", "guidelines": "/dev/null"}, "safeguard: guidelines /dev/null are empty"),
        ({"model": "m", "format": "llama"}, "safeguard: format: .*'llama_guard'.*; got 'llama'"),
        ({"model": "m", "url": "x"}, "safeguard: unknown setting 'url'"),
        ({"model": "./no/folder"}, "safeguard: no folder no/folder"),
    ],
)  # fmt: skip
def test_settings_that_cannot_work(settings, why):
    with pytest.raises(JudgeError, match=why):
        SafeguardConfig.from_settings(settings).policy  # noqa: B018
