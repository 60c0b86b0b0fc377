"""A tiny model, renamed copies of it with one defect each, problems to train on, and recipes as dicts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from lm_eval_ext.harness.docs import arith_words
from tests.training.models import SPECIAL, write_copy, write_tiny_qwen3
from training.preflight import PreflightContext, context, preflight
from training.preflight.report import Report
from training.recipe import read

DOCUMENTS = 16
SHARED = {
    "task": "arith_words",
    "num_fewshot": 0,
    "dtype": "float32",
    "learning_rate": 1e-4,
    "save_steps": 10,
    "report_to": "none",
}
CLEAN: dict[str, dict[str, Any]] = {
    "sft": {**SHARED, "max_length": 256},
    "grpo": {
        **SHARED,
        "num_generations": 4,
        "per_device_train_batch_size": 32,
        "max_completion_length": 32,
        "lr_scheduler_type": "constant_with_warmup",
        "warmup_steps": 2,
        "bounds": {"grad_norm": 10.0},
    },
}
"""Recipes in which no row fails or warns."""


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> dict[str, str]:
    """Model folders: the tiny one, and copies of its tokenizer and configurations with one defect each."""
    folder = tmp_path_factory.mktemp("models")
    sound = write_tiny_qwen3(folder / "sound")
    copies: dict[str, dict[str, str]] = {
        "first": {
            "ends": "<|endoftext|>",
            "eos_token": "<|endoftext|>",
            "pad_token": "<think>",
        },
        "second": {"pad_token": "!"},  # token 0, which texts have
        "third": {"ends": SPECIAL[0]},
        "fourth": {"pad_token": "<|im_end|>"},
    }
    return {"sound": sound, **{k: write_copy(sound, folder / k, **v) for k, v in copies.items()}}


def problems() -> list[dict[str, Any]]:
    """Training problems, none of them an exemplar."""
    kept_apart = {doc["problem"] for doc in arith_words.dataset()["fewshot"]}
    return [doc for doc in arith_words.generate("train", 40) if doc["problem"] not in kept_apart][:DOCUMENTS]


def changed(name: str) -> list[dict[str, Any]]:
    """The problems with a defect: each source file has one."""
    docs = problems()
    if name == "contradicted":
        return [{**doc, "gold": str(int(doc["gold"]) + 1)} for doc in docs]
    if name == "thinking":
        return [{**doc, "response": f"<think>\n\n</think>\n\n{doc['solution']}"} for doc in docs]
    if name == "leaking":
        exemplar = arith_words.dataset()["fewshot"][0]
        return [*docs[:-1], {**exemplar, "problem": exemplar["problem"].replace("?", " ?").upper()}]
    if name == "odd":
        return docs[:13]
    return docs


@pytest.fixture(scope="session")
def sources(tmp_path_factory) -> dict[str, str]:
    """Source files by name, and curricula."""
    folder = tmp_path_factory.mktemp("sources")
    found = {}
    for name in ("sound", "contradicted", "thinking", "leaking", "odd"):
        file = folder / f"{name}.jsonl"
        file.write_text("".join(json.dumps(doc) + "\n" for doc in changed(name)))
        found[name] = str(file)
    for name, mark in (("ids", "-"), ("spaced-ids", " ")):
        file = folder / name
        file.write_text("".join(doc["id"].replace("-", mark) + "\n" for doc in problems()))
        found[name] = str(file)
    return found


Check = Callable[..., Report]


@pytest.fixture(scope="session")
def known() -> dict[str, Report]:
    """Reports on settings that came before."""
    return {}


@pytest.fixture
def check(models, sources, known, tmp_path, monkeypatch) -> Check:
    """Preflight of a clean recipe under changed settings; sources, curricula and models by name."""
    monkeypatch.setattr(context, "DEADLINE_S", 0.5)

    def checked(kind: str, settings: dict[str, Any], **given: Any) -> Report:
        settings, asked = {"source": "sound", **settings}, json.dumps([kind, settings], sort_keys=True)
        if asked in known and not given:
            return known[asked]
        model = settings.pop("model", "sound")
        named = {k: sources.get(settings[k], settings[k]) for k in ("source", "curriculum") if k in settings}
        recipe = {**CLEAN[kind], **settings, **named, "output_dir": str(tmp_path / "run")}
        recipe["model_name_or_path"] = models.get(model, model)
        file = tmp_path / "recipe.yaml"
        file.write_text(yaml.safe_dump(recipe))
        checked_recipe = PreflightContext(*read(kind, ["--config", str(file)]), kind)
        for name, value in given.items():
            setattr(checked_recipe, name, value)
        report = preflight(checked_recipe)
        return report if given else known.setdefault(asked, report)

    return checked


def row(report: Report, number: int) -> Any:
    """The result of the check with this id."""
    return next(result for result in report.results if result.row == number)


def written(report: Report, folder: Path) -> Any:
    """What the report's JSON says."""
    report.write(folder / "report.json")
    return json.loads((folder / "report.json").read_text("utf-8"))
