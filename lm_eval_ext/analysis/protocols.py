"""The recorded settings that two runs must share to be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ProtocolSettings = dict[str, Any]
"""ProtocolSettings by name, as the results file has them; one that is not recorded is missing."""

_MODEL_IDENTITY = {
    "pretrained", "revision", "tokenizer", "tokenizer_revision", "peft", "lora_local_path", "model", "engine",
    "base_url", "tokenizer_backend", "trust_remote_code", "subfolder", "delta",
}  # fmt: skip
_HOUSEKEEPING = {
    "gpu_memory_utilization", "num_concurrent", "max_retries", "timeout", "device", "download_dir",
    "tokenized_requests", "swap_space", "verify_certificate", "eos_string",
}  # fmt: skip
_MAY_DIFFER = _MODEL_IDENTITY | _HOUSEKEEPING
"""Model arguments that say which model it is, or that do not change what it is asked."""
_NOTED_APART = ("generation", "versions", "usage")
TEMPLATE = "chat template"
_PROMPT = ("doc_to_text", "description", "target_delimiter", "fewshot_delimiter", "num_fewshot")


@dataclass(frozen=True)
class SettingDifference:
    """A setting in which two runs differ; None in a run without it."""

    setting: str
    a: Any
    b: Any

    def __str__(self) -> str:
        return f"{self.setting}: {_shown(self.a)} and {_shown(self.b)}"


def settings(results: Mapping[str, Any], task: str) -> ProtocolSettings:
    """The protocol of a task in a results file of lm-eval."""
    config, run = results["configs"].get(task, {}), results.get("config") or {}
    noted = recorded(results, task)
    generation = {**(config.get("generation_kwargs") or {}), **(noted.get("generation") or {})}
    templated = results.get("chat_template") is not None
    found: ProtocolSettings = {
        "backend": run.get("model"),
        "task version": results.get("versions", {}).get(task),
        **{name.replace("_", " "): config.get(name) for name in _PROMPT},
        "few-shot sampler": (config.get("fewshot_config") or {}).get("sampler"),
        **{f"generation {name}": value for name, value in generation.items()},
        "repeats": config.get("repeats"),
        TEMPLATE: templated,
        "system instruction": results.get("system_instruction"),
        "few-shot as turns": bool(results.get("fewshot_as_multiturn")) if templated else None,
        **_arguments(results, {"tensor_parallel_size": 1} if run.get("model") else {}),
        **{name.replace("_", " "): run.get(name) for name in ("batch_size", "fewshot_seed", "torch_seed")},
    }
    also = {k.replace("_", " "): _without_usage(v) for k, v in noted.items() if k not in _NOTED_APART}
    return {name: value for name, value in {**found, **also}.items() if value is not None}


def _arguments(results: Mapping[str, Any], default: Mapping[str, Any]) -> ProtocolSettings:
    given = {**default, **model_args(results)}
    return {f"model argument {name}": value for name, value in given.items() if name not in _MAY_DIFFER}


def versions(results: Mapping[str, Any], task: str) -> dict[str, str]:
    """Recorded versions of what decides a score. A difference is a remark, not another protocol."""
    named = (("lm_eval", "lm_eval_version"), ("transformers", "transformers_version"))
    found = {package: results[key] for package, key in named if results.get(key)}
    return {**found, **(recorded(results, task).get("versions") or {})}


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[SettingDifference]:
    """The settings in which two runs differ, by name."""
    names = sorted({*a, *b})
    return [SettingDifference(name, a.get(name), b.get(name)) for name in names if a.get(name) != b.get(name)]


def recorded(results: Mapping[str, Any], task: str) -> Mapping[str, Any]:
    """What a task recorded of its protocol."""
    metadata = (results["configs"].get(task) or {}).get("metadata") or {}
    return metadata.get("protocol") or {}


def model_args(results: Mapping[str, Any]) -> dict[str, Any]:
    """The model's arguments in a results file."""
    given = (results.get("config") or {}).get("model_args") or {}
    if isinstance(given, str):
        return dict(part.partition("=")[::2] for part in given.split(",") if part)
    return dict(given)


def _without_usage(value: Any) -> Any:
    """A judge's settings count; what it was asked and what that cost do not."""
    return {k: v for k, v in value.items() if k != "usage"} if isinstance(value, Mapping) else value


def _shown(value: Any) -> str:
    text = "not set" if value is None else repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
