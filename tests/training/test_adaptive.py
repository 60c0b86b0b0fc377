"""Adaptive sampling: known probabilities, the same draws after resuming, and less of what teaches nothing."""

from __future__ import annotations

import json
from collections import Counter

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from training.adaptive import AdaptiveSampler, Groups, inclusion, systematic  # noqa: E402

pytestmark = [pytest.mark.unit, pytest.mark.filterwarnings("default")]  # of TRL and torch
IDS = [f"p{i}" for i in range(12)]
GROUP, PROMPTS = 2, 3


def _sampler(folder, factor=0.5):
    from trl.trainer.utils import RepeatSampler

    plain = RepeatSampler(IDS, mini_repeat_count=GROUP, batch_size=PROMPTS, repeat_count=2, seed=7)
    return AdaptiveSampler(plain, IDS, Groups(folder), factor, 2, folder / "draws.jsonl")


def _write(folder, step, name, rewards, rank=""):
    with (folder / f"rollouts{rank}.jsonl").open("a", encoding="utf-8") as file:
        for reward in rewards:
            file.write(json.dumps({"id": name, "step": step, "rewards": {"task": reward}}) + "\n")


def _live(folder, sampler, flat, step):
    """Iterates as a data loader does, one batch ahead of the rollouts."""
    places = []
    for i, place in enumerate(sampler):
        if i and i % (GROUP * PROMPTS * 2) == 1:
            for drawn in sorted({*places[-GROUP * PROMPTS * 2 - 1 : -1]}):
                _write(folder, step - 1, IDS[drawn], [0.0, 0.0] if drawn in flat else [0.0, 1.0])
            step += 1
        places.append(place)
    return places


@pytest.mark.parametrize("weights", [[1.0] * 12, [1.0] * 4 + [0.25] * 8, [1.0, 1.0] + [1e-9] * 10])
def test_every_prompt_comes_with_its_probability(weights):
    probabilities = inclusion(torch.tensor(weights, dtype=torch.float64), PROMPTS)
    assert probabilities.sum() == pytest.approx(PROMPTS) and probabilities.min() > 0
    assert probabilities.max() <= 1
    seen, n = Counter(), 3000
    for seed in range(n):
        places = systematic(probabilities, torch.Generator().manual_seed(seed))
        assert len({*places}) == PROMPTS
        seen.update(places)
    for place, p in enumerate(probabilities.tolist()):
        assert abs(seen[place] - n * p) <= 4.5 * (n * p * (1 - p)) ** 0.5 + 1


def test_probabilities_are_proportional_up_to_one():
    found = inclusion(torch.tensor([8.0, 1.0, 1.0, 2.0], dtype=torch.float64), 2)
    assert found.tolist() == pytest.approx([1.0, 0.25, 0.25, 0.5])


def test_repeats_as_trls_sampler_does(tmp_path):
    sampler = _sampler(tmp_path)
    places = list(sampler)
    assert len(places) == len(sampler) == len(list(sampler.plain))
    step = GROUP * PROMPTS * 2
    for start in range(0, len(places), step):
        first, again = places[start : start + step // 2], places[start + step // 2 : start + step]
        assert first == again and set(Counter(first).values()) == {GROUP}


def test_flat_counts_the_last_groups_in_a_row(tmp_path):
    for step, rewards in enumerate([[0, 0], [0, 1], [1, 1], [0, 0]]):
        _write(tmp_path, step, "a", rewards, rank=".rank1" if step % 2 else "")
    for step in range(5):
        _write(tmp_path, step, "b", [1, 1])
    _write(tmp_path, 0, "c", [0, None])
    groups = Groups(tmp_path)
    groups.update()
    assert groups.flat(5) == {"a": 2, "b": 3, "c": 0}
    assert groups.flat(2) == {"a": 0, "b": 2, "c": 0}
    _write(tmp_path, 6, "a", [0, 1])
    groups.update()
    assert groups.flat(7)["a"] == 0


def test_prompts_without_variance_are_drawn_less(tmp_path):
    flat = {*range(6)}
    _live(tmp_path, sampler := _sampler(tmp_path, factor=0.2), flat, 0)
    for epoch in range(1, 12):
        sampler.set_epoch(epoch)
        _live(tmp_path, sampler, flat, 4 * epoch)
    drawn = [json.loads(line) for line in (tmp_path / "draws.jsonl").read_text().splitlines()]
    late = Counter(name in IDS[:6] for row in drawn[24:] for name in row["ids"])
    assert late[True] < late[False] / 2
    assert all(0 < p <= 1 for row in drawn for p in row["probabilities"])


def test_a_resumed_run_makes_the_same_draws(tmp_path):
    flat = {*range(6)}
    sampler = _sampler(tmp_path, factor=0.2)
    whole = []
    for epoch in range(4):
        sampler.set_epoch(epoch)
        whole.append(_live(tmp_path, sampler, flat, 4 * epoch))
    recorded = (tmp_path / "draws.jsonl").read_bytes()
    (tmp_path / "draws.jsonl").write_bytes(recorded[:-20])  # killed while it wrote
    again = _sampler(tmp_path, factor=0.2)
    again.set_epoch(3)
    assert list(again) == whole[3]
    assert (tmp_path / "draws.jsonl").read_bytes() == recorded
    assert whole[2] != whole[3]
