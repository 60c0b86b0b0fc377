"""What the proof of a merge says of distances; the merge itself is part of the loop's test."""

import pytest

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
