"""What the proof of a merge says of distances; the merge itself is part of the loop's test."""

import copy

import pytest

from tests.training.models import write_tiny_qwen3
from training.merge.engines import Continuation, agree
from training.merge.proof import Divergence, close_to_trained, close_when_saved

pytestmark = pytest.mark.unit


def kl(mean: float) -> Divergence:
    return Divergence(mean, 10 * mean, 100)


@pytest.mark.parametrize(
    "mean, other_base, passed",
    [(9e-5, False, True), (2e-4, False, False), (2e-4, True, None), (9e-5, True, True)],
)
def test_a_merge_adds_nothing_unless_onto_another_base(mean, other_base, passed):
    found = close_to_trained(kl(mean), other_base)
    assert found.passed is passed and f"mean KL {mean:.2e} nats" in found.seen


@pytest.mark.parametrize(
    "saved, arithmetic, passed",
    [(2.5e-3, 1.4e-3, True), (6e-3, 1.4e-3, False), (9e-5, 1e-8, True), (2e-4, 1e-8, False)],
)
def test_rounding_is_held_to_what_the_arithmetic_does(saved, arithmetic, passed):
    found = close_when_saved(kl(saved), kl(arithmetic))
    assert found.passed is passed and f"bfloat16 arithmetic alone: mean KL {arithmetic:.2e}" in found.seen


PROMPTS = [[72, 101, 108 + i, 32, 40] for i in range(4)]


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    import torch
    from transformers import AutoModelForCausalLM

    folder = write_tiny_qwen3(tmp_path_factory.mktemp("tiny_qwen3"))
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def engine(model, tokens=8):
    """What an engine with this model generates, greedily."""
    import torch

    generated = []
    for prompt in PROMPTS:
        ids, logprobs = [], []
        for _ in range(tokens):
            with torch.no_grad():
                last = model(torch.tensor([[*prompt, *ids]])).logits[0, -1].float().log_softmax(-1)
            ids.append(int(last.argmax()))
            logprobs.append(float(last.max()))
        generated.append(Continuation(ids, logprobs))
    return generated


@pytest.mark.parametrize("seed", range(10))
def test_the_engine_is_held_to_bfloat16_arithmetic_and_wrong_weights_fail(exact, seed):
    """Ten merges, whose weights moved a little, in engines of either precision; and others' weights."""
    import torch

    torch.manual_seed(seed)
    merged = copy.deepcopy(exact)
    for layer in merged.model.layers:
        weight = layer.self_attn.q_proj.weight.data
        weight += 0.02 * torch.randn(weight.shape[0], 4) @ torch.randn(4, weight.shape[1])
        layer.mlp.down_proj.weight.data *= 1.1
    coarse = copy.deepcopy(merged).to(torch.bfloat16)
    kept = copy.deepcopy(coarse).float()  # as saved
    for sound in (coarse, kept):
        found = agree(kept, coarse, PROMPTS, engine(sound))
        assert found.passed is True and "bfloat16 arithmetic" in found.seen, found.seen
    without = copy.deepcopy(exact).to(torch.bfloat16)
    broken = copy.deepcopy(coarse)  # one layer without its adapter
    broken.model.layers[1] = without.model.layers[1]
    for wrong in (without, broken):
        found = agree(kept, coarse, PROMPTS, engine(wrong))
        assert found.passed is False, found.seen


def test_an_engine_that_says_nothing_is_not_checked(exact):
    assert agree(exact, exact, PROMPTS, [Continuation([], [])] * 4).passed is None
