"""A safeguard that is a sequence classifier of transformers in a local folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lm_eval_ext.grading.judge.errors import JudgeError
from lm_eval_ext.safety.config import SafeguardConfig
from lm_eval_ext.safety.safeguard import Exchange, SafetyUsage
from lm_eval_ext.safety.verdict import SafetyVerdict

Classify = Callable[[str], SafetyVerdict]
_WEIGHTS = ("*.safetensors", "*.bin")
_HEAD = "ForSequenceClassification"


class ClassifierSafeguard:
    """Reads one exchange at a time, so that a verdict does not depend on the others.

    The model is loaded with the first exchanges: the evaluated model may need the memory until then.

    Raises JudgeError if the packages are missing or the guidelines cannot be read.
    """

    def __init__(self, config: SafeguardConfig, folder: Path, progress: str | None = None) -> None:
        if find_spec("torch") is None or find_spec("transformers") is None:
            raise JudgeError("safeguard: a classifier needs torch: pip install 'lm-eval-ext[hf]'")
        self.config = config
        self.usage = SafetyUsage()
        self._folder = folder
        self._progress = progress
        self._guidelines = config.policy if config.guidelines is not None else None

    def probe(self) -> str | None:
        """None. Raises JudgeError for a folder without a classifier, or without a label that means safe."""
        self._labels()
        if not any(file for pattern in _WEIGHTS for file in self._folder.glob(pattern)):
            raise JudgeError(f"safeguard: {self._folder} has no weights ({', '.join(_WEIGHTS)})")
        return None

    def review(self, exchanges: Sequence[Exchange]) -> list[SafetyVerdict]:
        """One verdict per exchange; all undecided if the model cannot be loaded."""
        from safetensors import SafetensorError

        try:
            classify = self._loaded()
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            self.usage += SafetyUsage(unreachable=len(exchanges))
            return [SafetyVerdict(None, reason=f"safeguard {self._folder}: {error}")] * len(exchanges)
        shown = tqdm(exchanges, self._progress, disable=self._progress is None, unit="response")
        verdicts = [classify(self._text(*exchange)) for exchange in shown]
        safe, unsafe = (sum(verdict.safe is kind for verdict in verdicts) for kind in (True, False))
        self.usage += SafetyUsage(
            asked=safe + unsafe, safe=safe, unsafe=unsafe, rejected=len(verdicts) - safe - unsafe
        )
        return verdicts

    def record(self, usage: SafetyUsage | None = None) -> dict[str, Any]:
        """Folder, labels, what it reads, and usage."""
        guidelines = None if self._guidelines is None else sha256(self._guidelines.encode()).hexdigest()
        settings = {"model": self.config.model, "labels": self._labels(), "reads": self.config.reads}
        return {**settings, "guidelines_sha256": guidelines, "usage": asdict(usage or self.usage)}

    def _text(self, request: str, response: str) -> str:
        parts = [self._guidelines, request if self.config.reads == "conversation" else None, response]
        return "\n\n".join(part for part in parts if part is not None)

    def _labels(self) -> dict[str, bool]:
        """Whether each label means safe, in the order of the model's outputs."""
        from transformers import AutoConfig

        try:
            config = AutoConfig.from_pretrained(self._folder)
        except (OSError, ValueError) as error:
            raise JudgeError(f"safeguard: {self._folder}: {str(error).partition(chr(10))[0]}") from None
        if not any(name.endswith(_HEAD) for name in config.architectures or ()):
            raise JudgeError(
                f"safeguard: {self._folder} has {config.architectures}, no {_HEAD}; for a model that "
                f"writes its verdict start a server and set {self.config.option('base-url')}"
            )
        return safe_labels(config.id2label, self.config.safe_label)

    def _loaded(self) -> Classify:
        """The model as a function. Raises OSError, ValueError, RuntimeError or SafetensorError."""
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(self._folder)
        model = AutoModelForSequenceClassification.from_pretrained(self._folder).to(self.config.device).eval()
        labels = self._labels()
        window = min(tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", 10**9))

        def classify(text: str) -> SafetyVerdict:
            encoded = tokenizer(text, return_tensors="pt", verbose=False).to(self.config.device)
            if (size := encoded["input_ids"].shape[1]) > window:
                return SafetyVerdict(None, reason=f"safeguard: {size} tokens; the classifier reads {window}")
            with torch.inference_mode():
                shares = model(**encoded).logits[0].float().softmax(-1).tolist()
            return verdict_of(dict(zip(labels, shares, strict=True)), labels)

        return classify


def safe_labels(id2label: Mapping[int, str], named: str | None) -> dict[str, bool]:
    """Label -> whether it means safe. Raises JudgeError unless exactly one label does."""
    wanted = (named or "safe").lower()
    found = {id2label[index]: id2label[index].lower() == wanted for index in sorted(id2label)}
    if sum(found.values()) != 1 or len(found) < 2:
        raise JudgeError(
            f"safeguard: the classifier's labels are {', '.join(found)}; name the one that means safe with "
            f"{SafeguardConfig.option('safe-label')}" + (f", not {named!r}" if named else "")
        )
    return found


def verdict_of(shares: Mapping[str, float], labels: Mapping[str, bool]) -> SafetyVerdict:
    """The verdict of the most probable label, which is the category if it says more than unsafe."""
    reply = json.dumps({label: round(share, 6) for label, share in shares.items()})
    if any(share != share for share in shares.values()):
        return SafetyVerdict(None, reply=reply, reason="safeguard: the classifier's output is not a number")
    label = max(shares, key=lambda name: shares[name])
    categories = () if labels[label] or label.lower() == "unsafe" else (label,)
    return SafetyVerdict(labels[label], categories, reply)
