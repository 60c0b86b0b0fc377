"""Training prompts are the evaluation's token ids, also where tokenizer and chat template both write BOS."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.training.models import write_tiny_qwen3
from training import grpo
from training.models import ids_of, loaded_tokenizer
from training.preflight import PreflightContext, preflight
from training.recipe import read

pytestmark = [pytest.mark.unit, pytest.mark.filterwarnings("default")]  # of TRL and torch

CONFIGS = ROOT / "training" / "configs"
CHAT = {"raw": (), "chat": ("--chat", "true", "--thinking", "false")}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> str:
    return write_tiny_qwen3(tmp_path_factory.mktemp("bos"), bos=True)


@pytest.fixture(scope="module")
def evaluated(tiny):
    """The tokens that lm-eval's own transformers backend makes of a context."""
    from lm_eval.models.huggingface import HFLM

    model = HFLM(pretrained=tiny, device="cpu")
    return lambda text: model.tok_batch_encode([text])[0][0].tolist()


@pytest.fixture(autouse=True)
def sample(monkeypatch):
    monkeypatch.setenv("LM_EVAL_EXT_DATA", "sample")


def arguments(kind: str, tiny: str, out: Path, *more: str) -> list[str]:
    given = ["--config", str(CONFIGS / f"smoke_{kind}.yaml"), "--model_name_or_path", tiny]
    return [*given, "--output_dir", str(out), "--size", "16", *more]


@pytest.mark.parametrize("chat", CHAT.values(), ids=CHAT)
def test_grpo_rolls_out_from_the_tokens_of_the_evaluation(tiny, evaluated, tmp_path, monkeypatch, chat):
    small = ("--global_batch", "8")
    short = ("--max_completion_length", "4", "--max_steps", "1", "--preflight", "false")
    made = grpo.trainer(arguments("grpo", tiny, tmp_path, *small, *short, *chat))
    rolled_out, generate = [], made._generate_single_turn

    def recorded(prompt_ids, *more):
        rolled_out.extend(prompt_ids)
        return generate(prompt_ids, *more)

    monkeypatch.setattr(made, "_generate_single_turn", recorded)
    made.train()
    asked = {row["prompt"] for row in made.train_dataset}
    assert asked and {tuple(ids) for ids in rolled_out} <= {tuple(evaluated(text)) for text in asked}
    bos = made.processing_class.bos_token_id
    assert rolled_out and all(ids[0] == bos != ids[1] for ids in rolled_out)


@pytest.mark.parametrize("kind", ["sft", "grpo"])
@pytest.mark.parametrize("chat", CHAT.values(), ids=CHAT)
def test_preflight_compares_tokens(tiny, tmp_path, kind, chat):
    from transformers import AutoTokenizer

    recipe = read(kind, arguments(kind, tiny, tmp_path, *chat))
    fifth = preflight(PreflightContext(*recipe, kind)).results[4]
    assert fifth.status == "passed" and "token for token" in fifth.seen
    context = PreflightContext(*recipe, kind)
    context.tokenizer = AutoTokenizer.from_pretrained(tiny)
    theirs = preflight(context).results[4]
    if chat:
        assert theirs.status == "failed" and "their tokens part at 1: [261, " in theirs.seen
    else:
        assert theirs.status == "passed"


def test_the_tokenizer_is_saved_as_it_was(tiny, tmp_path, evaluated):
    from transformers import AutoTokenizer

    ours = loaded_tokenizer(tiny)
    text = ours.apply_chat_template([{"role": "user", "content": "1 + 1?"}], tokenize=False)
    for prompt in (text, "1 + 1?"):
        assert ours(prompt)["input_ids"] == ids_of(ours, prompt) == evaluated(prompt)
    plain = AutoTokenizer.from_pretrained(tiny, padding_side="left")
    saved = []
    for tokenizer, folder in ((ours, tmp_path / "ours"), (plain, tmp_path / "plain")):
        tokenizer.save_pretrained(folder)
        saved.append((folder / "tokenizer_config.json").read_text() + (folder / "tokenizer.json").read_text())
    assert saved[0] == saved[1]
