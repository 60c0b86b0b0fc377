"""What is trained on is what is evaluated, byte for byte, and the loss is where the shape says."""

from __future__ import annotations

import pytest

from tests.training.models import write_tiny_qwen3
from training.data.build import prompts_of
from training.data.rows import supervised
from training.recipe import Recipe

pytestmark = pytest.mark.unit

CONFIG = "training/configs/smoke_sft.yaml"
PROMPTS = {
    "raw": {},
    "raw 1-shot": {"num_fewshot": 1},
    "chat": {"chat": True},
    "chat without thinking": {"chat": True, "thinking": False},
    "chat with a system text": {"chat": True, "system_instruction": "Be brief."},
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> str:
    return write_tiny_qwen3(tmp_path_factory.mktemp("tiny_qwen3"))


@pytest.fixture(autouse=True)
def sample(monkeypatch):
    monkeypatch.setenv("LM_EVAL_EXT_DATA", "sample")


def contexts(model: str, recipe: Recipe, limit: int = 3) -> dict[str, str]:
    """Problem -> what lm-eval sends to its own transformers backend under these settings."""
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    from lm_eval_ext.harness.shipped import tasks_path

    sent = {}

    class Recorded(HFLM):
        def generate_until(self, requests, disable_tqdm=False):
            sent.update({request.doc["problem"]: request.args[0] for request in requests})
            return [""] * len(requests)

    thinking = {} if recipe.thinking is None else {"enable_thinking": recipe.thinking}
    simple_evaluate(
        model=Recorded(pretrained=model, device="cpu", **thinking),
        tasks=[recipe.task],
        num_fewshot=recipe.num_fewshot,
        apply_chat_template=recipe.chat,
        fewshot_as_multiturn=recipe.chat,
        system_instruction=recipe.system_instruction,
        limit=limit,
        bootstrap_iters=0,
        fewshot_random_seed=42,  # as --seed 42 sets it
        task_manager=TaskManager(include_path=str(tasks_path()), include_defaults=False),
    )
    assert len(sent) == limit
    return sent


@pytest.mark.parametrize("task", ["mathnet", "math_qwen_algebra", "gsm8k_ext", "arith_words"])
@pytest.mark.parametrize("settings", PROMPTS.values(), ids=PROMPTS)
def test_training_prompts_are_the_contexts_of_the_evaluation(tiny, task, settings):
    from transformers import AutoTokenizer

    recipe = Recipe(task=task, **settings)
    sent = contexts(tiny, recipe)
    prompts = prompts_of(recipe, AutoTokenizer.from_pretrained(tiny))
    asked = [doc for doc in prompts.evaluated if doc["problem"] in sent]
    docs = [{**doc, "id": doc["problem"], "response": " 1"} for doc in asked]
    trained = {row["id"]: row["prompt"] for row in supervised(docs, prompts)}
    assert trained == sent


SHAPES = {
    "raw, masked": ({"shape": "masked"}, "completion"),
    "raw, full": ({"shape": "full"}, "all"),
    "raw 2-shot, masked": ({"shape": "masked", "num_fewshot": 2}, "completion"),
    "chat, masked": ({"shape": "masked", "chat": True}, "completion"),
    "chat, full": ({"shape": "full", "chat": True}, "all"),
}


@pytest.mark.parametrize("settings, supervised_on", SHAPES.values(), ids=SHAPES)
def test_the_decoded_mask_of_a_batch_is_the_shape(tiny, tmp_path, settings, supervised_on):
    """The batch that SFTTrainer's own loader gives its model, decoded."""
    from training.data.build import dataset
    from training.sft import trainer

    given = [part for name, value in settings.items() for part in (f"--{name}", str(value).lower())]
    made = trainer(
        [
            *("--config", CONFIG, "--model_name_or_path", tiny, "--output_dir", str(tmp_path), *given),
            *("--load_in_4bit", "false", "--size", "8", "--max_length", "4096", "--preflight", "false"),
        ]
    )
    tokenizer = made.processing_class
    recipe = Recipe(task="arith_words", size=8, **{"num_fewshot": 0, **settings})
    rows = {row["id"]: row for row in dataset(recipe, "sft", tokenizer)}
    wanted = set()
    for row in rows.values():
        prompt, completion = row.get("prompt", ""), row.get("completion", row.get("text"))
        wanted.add((prompt, completion + tokenizer.eos_token))
    (batch,) = list(made.get_train_dataloader())
    found = set()
    for ids, labels, seen in zip(batch["input_ids"], batch["labels"], batch["attention_mask"], strict=True):
        assert (labels[seen == 0] == -100).all(), "padding bears no loss"
        learnt = (labels != -100) & (seen == 1)
        assert (labels[learnt] == ids[learnt]).all()
        found.add((tokenizer.decode(ids[(seen == 1) & ~learnt]), tokenizer.decode(ids[learnt])))
    assert found == wanted
    assert all((prompt == "") == (supervised_on == "all") for prompt, _ in found)
