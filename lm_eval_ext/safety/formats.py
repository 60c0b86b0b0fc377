"""How safeguard models are asked and what they reply, one row per family."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, NamedTuple

from lm_eval_ext.grading.judge.llm_judge import without_thought
from lm_eval_ext.grading.judge.prompt import Message, Prompt, load_prompt, sanitize

Kind = Literal["safe", "unsafe", "controversial"]
TEXTS = ("request", "response")
_PROMPTS = Path(__file__).parent / "prompts"


class Said(NamedTuple):
    """A reply that has the expected format."""

    kind: Kind
    categories: tuple[str, ...]


@dataclass(frozen=True)
class Format:
    """A family of safeguard models.

    Attributes:
        model: pattern of the names of its models.
        reply: pattern of a reply; the verdict is group 1, categories with commas between them are group 2.
        kinds: what the verdict means, in lower case.
        guidelines: "template": fixed in the model's chat template; "argument": the template's argument
            `guideline`; "system": a system message, for models without a template of their own.
    """

    model: str
    reply: str
    guidelines: Literal["template", "argument", "system"]
    kinds: Mapping[str, Kind] = field(default_factory=lambda: {"safe": "safe", "unsafe": "unsafe"})

    def read(self, reply: str) -> Said | None:
        """The verdict in a reply; None if it is malformed. A leading `<think>` block does not count."""
        found = re.fullmatch(self.reply, without_thought(reply).strip(), re.DOTALL | re.IGNORECASE)
        if found is None:
            return None
        listed = (found.groups()[1:] or ("",))[0] or ""
        named = tuple(name.strip() for name in listed.split(",") if name.strip().lower() not in ("", "none"))
        return Said(self.kinds[found[1].lower()], named)

    def kind(self, reply: str) -> str | None:
        """The kind of verdict in a reply, None if it is malformed."""
        said = self.read(reply)
        return None if said is None else said.kind


FORMATS = {
    # "unsafe\nS1,S9": huggingface.co/meta-llama/Llama-Guard-3-8B
    "llama_guard": Format(r"llama-?guard", r"(safe|unsafe)(?:\s*\n\s*([\w ,-]+))?", "template"),
    # "Safety: Unsafe\nCategories: Violent\nRefusal: No": huggingface.co/Qwen/Qwen3Guard-Gen-8B
    "qwen3_guard": Format(
        r"qwen3-?guard",
        r"Safety: *(Safe|Unsafe|Controversial)\s*(?:\n\s*Categories: *([^\n]*))?(?:\s*\n\s*Refusal:.*)?",
        "template",
        {"safe": "safe", "unsafe": "unsafe", "controversial": "controversial"},
    ),
    # "Yes": it violates the guideline: huggingface.co/google/shieldgemma-9b
    "shield_gemma": Format(r"shield-?gemma", r"(Yes|No)\b.*", "argument", {"yes": "unsafe", "no": "safe"}),
    # any instruction-tuned model
    "plain": Format(r"", r"[*_`\"'. ]*(safe|unsafe)[*_`\"'.! ]*", "system"),
}


def format_of(model: str) -> str:
    """The name of the format that a model's name implies."""
    return next(name for name, row in FORMATS.items() if re.search(row.model, model, re.IGNORECASE))


@dataclass(frozen=True)
class Conversation(Prompt):
    """The exchange itself: the safeguard's own chat template asks about it.

    `system` has the guidelines that the template takes as an argument, `user` the format's name.
    """

    def messages(self, *quoted: str | None, again: bool = False) -> list[Message]:
        """The request and the response as turns. The question is the same after a malformed reply."""
        turns = zip(("user", "assistant"), quoted, strict=True)
        return [{"role": role, "content": sanitize(text or "")} for role, text in turns]


def prompt_of(name: str, guidelines: str) -> Prompt:
    """What a safeguard of this format is asked."""
    if FORMATS[name].guidelines == "system":
        plain = load_prompt(str(_PROMPTS / name), TEXTS, TEXTS)
        return replace(plain, name=name, system=f"{guidelines}\n\n{plain.system}")
    own = guidelines if FORMATS[name].guidelines == "argument" else ""
    return Conversation(name, TEXTS, system=own, user=name, again="")
