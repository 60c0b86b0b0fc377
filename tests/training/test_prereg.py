"""A hypothesis is registered before training, cannot be changed, and gets a verdict."""

from __future__ import annotations

import json

import pytest
import yaml

from lm_eval_ext.analysis import naming
from lm_eval_ext.harness.errors import UserError
from tests.analysis.logged import write_run
from training.pipeline.prereg import FILE, SEAL, Registration, register, registered, verdicts

pytestmark = pytest.mark.unit

CLAIM = {"hypothesis": "RL helps", "better": "rl", "alpha": 0.05, "buckets": "level"}
MODELS = ("base", "rl")


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(CLAIM))
    return file


def test_it_is_kept_with_its_hash_and_the_time(file, tmp_path):
    out = tmp_path / "out"
    assert registered(out) is None
    register(file, out, MODELS[1:])
    first = (out / SEAL).read_text()
    register(file, out, MODELS[1:])
    claim, sha = registered(out)
    assert (out / SEAL).read_text() == first and json.loads(first)["sha256"] == sha
    assert claim == Registration(**CLAIM)


def test_what_was_changed_afterwards_is_refused(file, tmp_path):
    out = tmp_path / "out"
    register(file, out, MODELS[1:])
    with pytest.raises(UserError, match="has a registered hypothesis: give --prereg"):
        register(None, out, MODELS[1:])
    file.write_text(yaml.safe_dump({**CLAIM, "alpha": 0.2}))
    with pytest.raises(UserError, match=r"is not what .* was begun with"):
        register(file, out, MODELS[1:])
    (out / FILE).write_text(file.read_text())
    with pytest.raises(UserError, match="was changed after it was registered at 20"):
        registered(out)


def test_it_comes_before_training(file, tmp_path):
    done = {"rl: train": {"command": "", "seconds": 1.0}}
    (tmp_path / "steps.json").write_text(json.dumps(done))
    with pytest.raises(UserError, match="has trained already; a hypothesis is registered before"):
        register(file, tmp_path, MODELS[1:])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"better": "sft"}, "no model sft; the pipeline has base, rl"),
        ({"alpha": 2}, "alpha"),
        ({"test": "t-test"}, "test"),
        ({"subset": "x"}, "subset"),
    ],
)
def test_what_cannot_be_registered(file, tmp_path, change, message):
    file.write_text(yaml.safe_dump({**CLAIM, **change}))
    with pytest.raises(UserError, match=message):
        register(file, tmp_path / "out", MODELS[1:])


def evaluated(tmp_path, base, rl):
    docs = [{"id": str(i), "problem": f"{i}?", "gold": "1", "level": i % 2} for i in range(len(base))]
    for name, correct in (("base", base), ("rl", rl)):
        write_run(tmp_path / name, correct, model=name, docs=docs)
    return naming.named([f"{name}={tmp_path / name}" for name in MODELS])


@pytest.mark.parametrize(
    ("base", "rl", "change", "verdict"),
    [
        ([False] * 12, [True] * 8 + [False] * 4, {}, "confirmed"),
        ([False] * 12, [True] * 8 + [False] * 4, {"at_least": 0.7}, "not confirmed"),
        ([False] * 12, [True] * 8 + [False] * 4, {"alpha": 0.001}, "not confirmed"),
        ([True] * 8 + [False] * 4, [False] * 12, {}, "contradicted"),
        ([None] * 8 + [False] * 4, [True] * 8 + [False] * 4, {}, "undecided"),
        ([False] * 12, [True] * 12, {"test": "sign-flip permutation"}, "undecided: the scores are tested by"),
        ([False] * 12, [True] * 12, {"better": "sft"}, "undecided: sft was not evaluated"),
    ],
)
def test_the_verdict(tmp_path, base, rl, change, verdict):
    rows = verdicts(Registration(**{**CLAIM, **change}), evaluated(tmp_path, base, rl))
    assert rows[0][0] == "all" and rows[0][-1].startswith(verdict)


def test_buckets_are_corrected_together(tmp_path):
    rows = verdicts(Registration(**CLAIM), evaluated(tmp_path, [False] * 12, [True, False] * 6))
    assert [row[0] for row in rows] == ["all", "level 0", "level 1"]
    assert [row[1:4] for row in rows] == [
        ["12", "+50.0", "6 / 0"], ["6", "+100.0", "6 / 0"], ["6", "+0.0", "0 / 0"],
    ]  # fmt: skip
    assert [row[-1] for row in rows] == ["confirmed", "not confirmed", "not confirmed"]
