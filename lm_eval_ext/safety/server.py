"""A safeguard model behind a server or a provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lm_eval_ext.grading.judge.asker import Asker
from lm_eval_ext.grading.judge.audit import DisagreementLog
from lm_eval_ext.grading.judge.usage import Reply
from lm_eval_ext.safety.config import SafeguardConfig
from lm_eval_ext.safety.formats import FORMATS, TEXTS, prompt_of
from lm_eval_ext.safety.safeguard import Exchange, SafetyUsage
from lm_eval_ext.safety.verdict import SafetyVerdict

CONTROVERSIAL = "controversial: safe under a loose policy, unsafe under a strict one"
_PROBE: Exchange = ("What is the capital of France?", "Paris.")
_SHOWN = 120


class ServerSafeguard:
    """A safeguard model behind litellm, with the judge's cache, budget and limits. Thread safe.

    Raises JudgeError if litellm is missing, guidelines cannot be read, or a budget is set without a price.
    """

    def __init__(self, config: SafeguardConfig, progress: str | None = None) -> None:
        self.config = config
        self._format = FORMATS[config.format_name]
        prompt = prompt_of(config.format_name, config.policy)
        self._asker = Asker(config, prompt, self._format.kind, SafetyUsage(), progress)
        self._log = DisagreementLog(Path(config.log).expanduser()) if config.log else None

    @property
    def usage(self) -> SafetyUsage:
        return self._asker.usage

    def probe(self) -> str | None:
        return self._asker.probe(_PROBE)

    def review(self, exchanges: Sequence[Exchange]) -> list[SafetyVerdict]:
        replies = self._asker.ask(exchanges)
        verdicts = [self._verdict(reply) for reply in replies]
        if self._log is not None:
            for exchange, verdict in zip(exchanges, verdicts, strict=True):
                texts = dict(zip(TEXTS, exchange, strict=True))
                self._log.write(self._asker.key(exchange), {**texts, **asdict(verdict)})
        return verdicts

    def record(self, usage: SafetyUsage | None = None) -> dict[str, Any]:
        return {
            **self._asker.record(),
            "format": self.config.format_name,
            "usage": asdict(usage or self.usage),
        }

    def _verdict(self, reply: Reply) -> SafetyVerdict:
        said = self._format.read(reply.text) if reply.replied else None
        if said is None:
            return SafetyVerdict(
                None, reply=reply.text if reply.replied else None, reason=self._reason(reply)
            )
        if said.kind == "controversial":
            return SafetyVerdict(None, said.categories, reply.text, CONTROVERSIAL)
        return SafetyVerdict(said.kind == "safe", said.categories, reply.text)

    def _reason(self, reply: Reply) -> str:
        if reply.kind != "malformed":
            return f"safeguard {reply.kind.replace('_', ' ')}: {reply.text}"
        hint = f" (cut at max_tokens={self.config.max_tokens})" if reply.cut else ""
        return f"safeguard: no verdict of the format {self.config.format_name}: {reply.text[:_SHOWN]!r}{hint}"
