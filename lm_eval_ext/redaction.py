"""Keys, tokens and passwords kept out of all that is written: records, settings, reports, errors.

A value is secret by the name it goes by (`api_key`, `auth_token`, `header`, ...), at any depth; a URL's
`user:password@` and secret query values are, wherever they stand.
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
"""Words that are secret but for these beside them: `eos_token`, `token_id`, `num_key_value_heads`."""
_SECRET_UNLESS["keys"] = _SECRET_UNLESS["key"]
_USER = re.compile(r"(?<=://)[^/\s@'\"]+@")
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]+")
_ASSIGNED = re.compile(r"([\w-]+)(['\"]?\s*[=:]\s*)('[^']*'|\"[^\"]*\"|\{[^{}]*\}|[^\s,&'\"{}]+)")
_CONTAINERS = frozenset("model_args gen_kwargs metadata command argv wandb_args hf_hub_log_args".split())
"""Names of texts that hold settings, `name=value`."""
_OF_TASK = frozenset("metadata generation_kwargs filter_list dataset_kwargs".split())
"""What a task's configuration has of a user's settings."""
_SHORT, _LONG = 6, 16
"""A short plain word ("dummy", "EMPTY") is hidden under its name alone: elsewhere it is just a word."""


def is_secret(name: object) -> bool:
    """Whether what goes by this name must not be written."""
    words = [word.lower() for word in _WORDS.findall(str(name))]
    beside = set(words)
    return any(w in _SECRET or (w in _SECRET_UNLESS and not beside & _SECRET_UNLESS[w]) for w in words)


def redacted(value: Any, name: object = "") -> Any:
    """A copy of JSON-like `value` that goes by `name`, with `***` for what is secret."""
    if is_secret(name) and value not in (None, "", True, False):
        return HIDDEN
    if isinstance(value, Mapping):
        return {key: redacted(inner, key) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return (
            type(value)(redacted(inner, name) for inner in value) if type(value) in (list, tuple) else value
        )
    if isinstance(value, str):
        return redacted_settings(value) if name in _CONTAINERS else redacted_url(value)
    return value


def redacted_url(text: str) -> str:
    """A text with the user, the password and the secret query values of the URLs in it hidden."""
    if "://" not in text:
        return text
    hidden = _USER.sub(f"{HIDDEN}@", text)
    return re.sub(r"([?&])([\w-]+)=([^&\s#]+)", lambda m: f"{m[1]}{m[2]}={_hidden(m[2], m[3])}", hidden)


def redacted_settings(text: str) -> str:
    """A text of settings (`a=b,api_key=c`, JSON, a part of a command line) with the secret ones hidden."""
    try:
        read = json.loads(text)
    except ValueError:
        read = None
    if isinstance(read, dict | list):
        return json.dumps(redacted(read))
    hidden = _ASSIGNED.sub(lambda m: m[1] + m[2] + _hidden(m[1], m[3]), redacted_url(text))
    return _BEARER.sub(rf"\1 {HIDDEN}", hidden)


def secret_texts(value: Any, name: object = "") -> set[str]:
    """The secret texts in JSON-like `value`, to be hidden wherever else they turn up."""
    if isinstance(value, Mapping):
        pairs = [(name if is_secret(name) else key, inner) for key, inner in value.items()]
    elif isinstance(value, (list, tuple)):
        pairs = [(name, inner) for inner in value]
    else:
        pairs = []
    found = {text for key, inner in pairs for text in secret_texts(inner, key)}
    if isinstance(value, str):
        found |= {part for user in _USER.findall(value) for part in user.rstrip("@").split(":")[1:]}
        if is_secret(name):
            found |= {value, value.removeprefix("Bearer ").removeprefix("Basic ")}
    return {text for text in found if len(text) >= _LONG or (len(text) >= _SHORT and not text.isalpha())}


def without(text: str, secrets: Iterable[str]) -> str:
    """`text` with each of `secrets` hidden."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def redacted_results(results: Mapping[str, Any]) -> dict[str, Any]:
    """A results file of lm-eval with its settings redacted; scores and names of tasks stay."""
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
