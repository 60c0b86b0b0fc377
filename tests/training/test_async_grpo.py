"""Async GRPO from a recipe, as far as a CPU goes: its settings, its prompts, what it refuses."""

from __future__ import annotations

import queue

import pytest

pytest.importorskip("trl")

from lm_eval_ext.harness.errors import UserError
from tests.training.models import write_tiny_qwen3
from training import async_grpo
from training.models import ids_of, loaded_tokenizer

pytestmark = [pytest.mark.full, pytest.mark.filterwarnings("default")]  # of TRL and torch

RECIPE = """
trainer: async_grpo
task: arith_words
size: 8
num_generations: 4
per_device_train_batch_size: 4
max_completion_length: 8
max_staleness: 2
beta: 0.0
bf16: false
dtype: float32
preflight: false
report_to: none
"""


class Worker:
    """Stands in for TRL's worker, and for its transfer of weights."""

    def __init__(self):
        self.rollout_buffer = queue.Queue()


@pytest.fixture(autouse=True)
def _device(monkeypatch):
    """TRL asks for the name of the GPU, for its utilisation."""
    monkeypatch.setattr("torch.cuda.get_device_name", lambda device: "none")


def _trainer(folder, more="", bos=False):
    model = write_tiny_qwen3(folder / "model", bos=bos)
    (folder / "recipe.yaml").write_text(RECIPE + more)
    given = ["--config", str(folder / "recipe.yaml"), "--model_name_or_path", model]
    given += ["--output_dir", str(folder / "out")]
    return async_grpo.trainer(given, rollout_worker=Worker(), weight_transfer=Worker())


@pytest.mark.parametrize("bos", [False, True])
def test_is_built_from_a_recipe(tmp_path, bos):
    made = _trainer(tmp_path, bos=bos)
    assert (made.args.max_staleness, made.args.num_generations, made.args.max_completion_length) == (2, 4, 8)
    assert made.processing_class.chat_template == loaded_tokenizer(str(tmp_path / "model")).chat_template
    prompt = made.train_dataset[0]["prompt"][0]["content"]
    ids = ids_of(made.processing_class, prompt)
    sent = async_grpo.verbatim(made.processing_class, prompt)
    assert sent.apply_chat_template(made.train_dataset[0]["prompt"], return_dict=False) == ids
    assert (ids[0] == made.processing_class.bos_token_id) == bos


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("loss_type: dr_grpo", "async_grpo has no loss_type"),
        ("adaptive_sampling: 0.5", "adaptive_sampling is for grpo"),
        ("rewards: [{name: task}, {name: format, weight: 0.2}]", "give one reward"),
    ],
)
def test_refuses_what_it_lacks(tmp_path, more, message):
    with pytest.raises(UserError, match=message):
        _trainer(tmp_path, more)
