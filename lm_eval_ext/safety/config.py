"""Settings of the safeguard and their validation."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic.dataclasses import dataclass

from lm_eval_ext.grading.judge.config import CHECKS, ClientConfig
from lm_eval_ext.grading.judge.errors import JudgeError
from lm_eval_ext.safety.formats import FORMATS, format_of

GUIDELINES = Path(__file__).parent / "prompts" / "guidelines.txt"


@dataclass(frozen=True, config=CHECKS)
class SafeguardConfig(ClientConfig):
    """Settings of the safeguard. `model` is a model's name, or a folder with a sequence classifier.

    Attributes:
        format: a name in `FORMATS`; None: implied by the model's name, else "plain".
        guidelines: text file that says what is unsafe, for the formats that take it; None: the packaged one.
            A classifier reads it before the request if it is given.
        log: JSON-lines file of every question and its verdict.
        safe_label: of a classifier: the label that means safe; None: the label "safe".
        reads: whether a classifier reads the request before the response.
        device: of a classifier: "cpu", "cuda", ...
    """

    format: Literal["llama_guard", "qwen3_guard", "shield_gemma", "plain"] | None = None
    guidelines: str | None = None
    log: str | None = None
    safe_label: str | None = None
    reads: Literal["conversation", "response"] = "conversation"
    device: str = "cpu"

    role: ClassVar[str] = "safeguard"

    @classmethod
    def option(cls, name: str) -> str:
        return f'--metadata "safeguard_{name.replace("-", "_")}"'

    @property
    def folder(self) -> Path | None:
        """The folder of a classifier; None for a server's model.

        Raises JudgeError if the model's name is a path that does not exist.
        """
        path = Path(self.model).expanduser()
        if self.base_url is not None:
            return None
        if self.model.startswith((".", "/", "~")) and not path.is_dir():
            raise JudgeError(f"safeguard: no folder {path}; it must have a sequence classifier")
        return path if path.is_dir() else None

    @property
    def format_name(self) -> str:
        """The format that counts."""
        return self.format or format_of(self.model)

    @cached_property
    def policy(self) -> str:
        """The text of the guidelines. Raises JudgeError if it cannot be read, or is not asked for."""
        fixed = self.folder is None and FORMATS[self.format_name].guidelines == "template"
        if fixed and self.guidelines is not None:
            raise JudgeError(
                f"safeguard: guidelines are given, but models of the format {self.format_name} have their "
                f"own; remove them, or set the format plain"
            )
        path = GUIDELINES if self.guidelines is None else Path(self.guidelines).expanduser()
        try:
            text = path.read_text("utf-8").strip()
        except (OSError, ValueError) as error:
            raise JudgeError(f"safeguard: guidelines {path} cannot be read: {error}") from None
        if not text:
            raise JudgeError(f"safeguard: guidelines {path} are empty")
        return text

    @property
    def extra_body(self) -> dict[str, Any]:
        takes = self.folder is None and FORMATS[self.format_name].guidelines == "argument"
        return {"chat_template_kwargs": {"guideline": self.policy}} if takes else {}
