"""Prompts of the judge. Quoted text can neither end its quotation nor act as markup."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from lm_eval_ext.grading.judge.errors import JudgeError

Message = dict[str, str]
_PACKAGED = Path(__file__).parent / "prompts"
_TAG_CHARS = 16

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_MARKUP = re.compile(r"<(?=[A-Za-z/|｜!?_<])|\[(?=/?[A-Z_]{3,}\])")
"""Where `<|im_start|>`, `</s>` or `[INST]` might begin. A server that applies a chat template would read
them as turns of the conversation."""


@dataclass(frozen=True)
class Prompt:
    """The texts for one kind of question.

    Attributes:
        name: name of the version.
        texts: names of the quoted texts, such as "gold": $gold in `user`.
        system: role of the judge, definition of what is asked, format of the reply.
        user: the question, with $tag and the quoted texts.
        again: appended to `system` after a malformed reply.
    """

    name: str
    texts: tuple[str, ...]
    system: str
    user: str
    again: str

    @property
    def digest(self) -> str:
        """SHA-256 of the texts, so that a new wording is a new prompt."""
        return hashlib.sha256("\0".join((self.system, self.user, self.again)).encode()).hexdigest()

    def messages(self, *quoted: str | None, again: bool = False) -> list[Message]:
        """The messages that ask about the quoted texts, given in the order of `texts`."""
        named = zip(self.texts, quoted, strict=True)
        values = {name: sanitize(text or f"(the {name} is not given)") for name, text in named}
        system = f"{self.system}\n{self.again}" if again else self.system
        return [
            {"role": "system", "content": system.strip()},
            {"role": "user", "content": self.fill({**values, "tag": _tag(list(values.values()))}).strip()},
        ]

    def fill(self, values: Mapping[str, str]) -> str:
        """`user` with its placeholders replaced."""
        return Template(self.user).substitute(values)


def load_prompt(name: str, texts: tuple[str, ...], required: Sequence[str]) -> Prompt:
    """The packaged prompt or folder `name`, which quotes `texts`.

    Raises JudgeError if it is missing, has other placeholders, or lacks one of `required` or $tag.
    """
    folder = _PACKAGED / name if (_PACKAGED / name).is_dir() else Path(name).expanduser()
    try:
        parts = [(folder / f"{part}.txt").read_text("utf-8") for part in ("system", "user", "again")]
    except (OSError, ValueError) as error:
        known = ", ".join(sorted(path.name for path in _PACKAGED.iterdir()))
        raise JudgeError(
            f"judge: no prompt {name!r} ({error}); it must be one of {known}, or a folder with system.txt, "
            f"user.txt and again.txt"
        ) from None
    prompt = Prompt(name, texts, *parts)
    try:
        filled = prompt.fill({text: f"<{text}>" for text in ("tag", *texts)})
    except (KeyError, ValueError) as error:
        raise JudgeError(f"judge: {folder / 'user.txt'} has an invalid placeholder: {error}") from None
    for text in ("tag", *required):
        if f"<{text}>" not in filled:
            raise JudgeError(f"judge: {folder / 'user.txt'} lacks ${text}")
    return prompt


def sanitize(text: str) -> str:
    """Removes control characters and breaks up markup.

    A space after "<" and "[" leaves the mathematics unchanged, and no tokenizer reads `< |im_end|>` as the
    end of a message.
    """
    text = text.replace("\r\n", "\n").encode("utf-8", "replace").decode("utf-8")  # lone surrogates
    return _MARKUP.sub(lambda mark: f"{mark[0]} ", _CONTROL.sub(" ", text))


def _tag(texts: list[str]) -> str:
    """A tag that no text contains; deterministic, so that equal questions give equal prompts."""
    digest = ""
    while not digest or any(digest[:_TAG_CHARS] in text for text in texts):
        digest = hashlib.sha256("\0".join([digest, *texts]).encode()).hexdigest()
    return digest[:_TAG_CHARS]
