"""Hide keys, tokens and passwords in records, settings, reports and errors.

A value is secret if its name implies it (`api_key`, `auth_token`, `header`, ...), at any depth. In URLs,
`user:password@` and secret query values are hidden.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = "***"
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET = frozenset(
    "apikey authtoken accesstoken secretkey secret secrets password passwords passwd passphrase pwd header "
    "headers authorization auth bearer credential credentials creds cookie cookies".split()
)
_SECRET_UNLESS = {
    "key": frozenset("env field name names value head heads cache sort column id".split()),
    "token": frozenset(
        "env id ids type eos bos pad unk eot sep cls mask image start end special stop prefix suffix think "
        "add max min per num n first last new limit budget count string str level".split()
    ),
}
"""Secret words, unless the name also has one of these: `eos_token`, `token_id`, `num_key_value_heads`."""
_SECRET_UNLESS["keys"] = _SECRET_UNLESS["key"]
_USER = re.compile(r"(?<=://)[^/\s@'\"]+@")
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]+")
_ASSIGNED = re.compile(r"([\w-]+)(['\"]?\s*[=:]\s*)('[^']*'|\"[^\"]*\"|\{[^{}]*\}|[^\s,&'\"{}]+)")
_CONTAINERS = frozenset("model_args gen_kwargs metadata command argv wandb_args hf_hub_log_args".split())
"""Names of strings that hold `name=value` settings."""
_OF_TASK = frozenset("metadata generation_kwargs filter_list dataset_kwargs".split())
"""Parts of a task's configuration that can hold user settings."""
_SHORT, _LONG = 6, 16
"""Shortest value, and shortest plain word, to hide outside its own name: "EMPTY" may be ordinary text."""


def is_secret(name: object) -> bool:
    """Whether values with this name must be hidden."""
    words = [word.lower() for word in _WORDS.findall(str(name))]
    beside = set(words)
    return any(w in _SECRET or (w in _SECRET_UNLESS and not beside & _SECRET_UNLESS[w]) for w in words)


def redacted(value: Any, name: object = "") -> Any:
    """A copy of the JSON-like `value` named `name`, with secrets replaced by `***`."""
    if is_secret(name) and value not in (None, "", True, False):
        return HIDDEN
    if isinstance(value, Mapping):
        return {key: redacted(inner, key) for key, inner in value.items()}
    if type(value) in (list, tuple):
        return type(value)(redacted(inner, name) for inner in value)
    if isinstance(value, str):
        return redacted_settings(value) if name in _CONTAINERS else redacted_url(value)
    return value


def redacted_url(text: str) -> str:
    """The text with user names, passwords and secret query values in URLs hidden."""
    if "://" not in text:
        return text
    hidden = _USER.sub(f"{HIDDEN}@", text)
    return re.sub(r"([?&])([\w-]+)=([^&\s#]+)", lambda m: f"{m[1]}{m[2]}={_hidden(m[2], m[3])}", hidden)


def redacted_settings(text: str) -> str:
    """The string (`a=b,api_key=c`, JSON, part of a command line) with secret settings hidden."""
    try:
        read = json.loads(text)
    except ValueError:
        read = None
    if isinstance(read, dict | list):
        return json.dumps(redacted(read))
    hidden = _ASSIGNED.sub(lambda m: m[1] + m[2] + _hidden(m[1], m[3]), redacted_url(text))
    return _BEARER.sub(rf"\1 {HIDDEN}", hidden)


def secret_texts(value: Any, name: object = "") -> set[str]:
    """The secret strings in the JSON-like `value`, to hide wherever else they occur."""
    found = {text for key, inner in _named(value, name) for text in secret_texts(inner, key)}
    if isinstance(value, str):
        found |= {part for user in _USER.findall(value) for part in user.rstrip("@").split(":")[1:]}
        if is_secret(name):
            found |= {value, value.removeprefix("Bearer ").removeprefix("Basic ")}
    return {text for text in found if len(text) >= _LONG or (len(text) >= _SHORT and not text.isalpha())}


def _named(value: Any, name: object) -> list[tuple[object, Any]]:
    """What a mapping or list contains, each under its name; a secret's parts are secret."""
    if isinstance(value, Mapping):
        return [(name if is_secret(name) else key, inner) for key, inner in value.items()]
    return [(name, inner) for inner in value] if isinstance(value, (list, tuple)) else []


def without(text: str, secrets: Iterable[str]) -> str:
    """`text` with each of `secrets` hidden."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def redacted_results(results: Mapping[str, Any]) -> dict[str, Any]:
    """An lm-eval results file with its settings redacted; scores and task names are kept."""
    hidden = {key: redacted(value) if isinstance(value, str) else value for key, value in results.items()}
    hidden["config"] = redacted(results.get("config"))
    configs = results.get("configs")
    if isinstance(configs, Mapping):
        hidden["configs"] = {
            task: {k: redacted(v, k) if k in _OF_TASK else v for k, v in config.items()}
            if isinstance(config, Mapping)
            else config
            for task, config in configs.items()
        }
    return hidden


def _hidden(name: str, value: str) -> str:
    return HIDDEN if is_secret(name) and value.strip("'\"") not in ("", "None", "True", "False") else value
