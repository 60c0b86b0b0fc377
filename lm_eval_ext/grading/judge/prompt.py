"""What the judge is told. The texts are files; what they quote can neither end its quotation nor act."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from string import Template

from lm_eval_ext.grading.judge.errors import JudgeError

Message = dict[str, str]
_PACKAGED = Path(__file__).parent / "prompts"
_NO_PROBLEM = "(the problem is not given)"
_TAG_CHARS = 16

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_MARKUP = re.compile(r"<(?=[A-Za-z/|｜!?_<])|\[(?=/?[A-Z_]{3,}\])")
"""Where `<|im_start|>`, `</s>` or `[INST]` might begin: a server that builds its prompt from a chat template
would read them as turns of the conversation, wherever they stand."""


@dataclass(frozen=True)
class Prompt:
    """The texts for one question.

    Attributes:
        name: of the version.
        system: who the judge is, what is equal, how to reply.
        user: the question; has $tag, $problem, $gold and $answer.
        again: added to `system` where the first reply was neither YES nor NO.
    """

    name: str
    system: str
    user: str
    again: str

    @property
    def digest(self) -> str:
        """SHA-256 over the texts: another wording is another prompt, whatever its name."""
        return hashlib.sha256("\0".join((self.system, self.user, self.again)).encode()).hexdigest()

    def messages(self, problem: str | None, gold: str, answer: str, *, again: bool = False) -> list[Message]:
        """The conversation that asks whether `answer` says the same as `gold`."""
        quoted = [sanitize(text) for text in (problem or _NO_PROBLEM, gold, answer)]
        values = dict(zip(("problem", "gold", "answer"), quoted, strict=True), tag=_tag(quoted))
        system = f"{self.system}\n{self.again}" if again else self.system
        return [
            {"role": "system", "content": system.strip()},
            {"role": "user", "content": Template(self.user).substitute(values).strip()},
        ]


def load_prompt(name: str) -> Prompt:
    """The packaged prompt of that name, or the one in that folder. Raises JudgeError if there is none."""
    folder = _PACKAGED / name if (_PACKAGED / name).is_dir() else Path(name).expanduser()
    try:
        texts = [(folder / f"{part}.txt").read_text("utf-8") for part in ("system", "user", "again")]
    except (OSError, ValueError) as error:
        known = ", ".join(sorted(path.name for path in _PACKAGED.iterdir()))
        raise JudgeError(
            f"judge: no prompt {name!r} ({error}); it must be one of {known}, or a folder with system.txt, "
            f"user.txt and again.txt"
        ) from None
    prompt = Prompt(name, *texts)
    try:
        missing = [p for p in ("tag", "gold", "answer") if f"<{p}>" not in _filled(prompt)]
    except (KeyError, ValueError) as error:
        raise JudgeError(f"judge: {folder / 'user.txt'} has a placeholder it cannot have: {error}") from None
    if missing:
        raise JudgeError(f"judge: {folder / 'user.txt'} lacks ${missing[0]}")
    return prompt


def sanitize(text: str) -> str:
    """The text to be quoted: without control characters, and with no chance to be taken for markup.

    A space behind "<" and "[" changes no mathematics, and no tokenizer takes `< |im_end|>` for the end of
    a message.
    """
    text = text.replace("\r\n", "\n").encode("utf-8", "replace").decode("utf-8")  # lone surrogates
    return _MARKUP.sub(lambda mark: f"{mark[0]} ", _CONTROL.sub(" ", text))


def _tag(texts: list[str]) -> str:
    """A tag that none of the texts contains, and the same each time, for the same prompt each time."""
    digest = ""
    while not digest or any(digest[:_TAG_CHARS] in text for text in texts):
        digest = hashlib.sha256("\0".join([digest, *texts]).encode()).hexdigest()
    return digest[:_TAG_CHARS]


def _filled(prompt: Prompt) -> str:
    return Template(prompt.user).substitute({p: f"<{p}>" for p in ("tag", "problem", "gold", "answer")})
