"""Bounds on logged values: read from a recipe, and stopping a run."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from lm_eval_ext.harness.errors import UserError
from training.bounds import StopOnBound
from training.recipe import Recipe, read

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("bound", "logged", "said"),
    [
        (10, {"kl": 10.5}, r"step 3: kl left its bounds, -inf to 10 \(10.5\)"),
        (10, {"kl": float("nan")}, "kl is not a number"),
        ([0.05, None], {"kl": 0.01}, "kl left its bounds, 0.05 to inf"),
        (10, {"entropy": 1.0}, "bounds has kl, which is not logged; the log has entropy, loss"),
        (10, {"kl": 10}, None),
        ([0.05, 1], {"kl": None}, None),
    ],
)
def test_a_run_is_stopped_by_what_left_its_bounds(bound, logged, said):
    stop = StopOnBound(Recipe(bounds={"kl": bound}).bounds)
    control = SimpleNamespace(should_training_stop=False)
    for logs in ({"train_runtime": 1.0}, {"loss": 0.1, **logged}, {"loss": 0.1, "kl": 0.06}):
        stop.on_log(None, SimpleNamespace(global_step=3), control, logs)
    assert control.should_training_stop == bool(said)
    assert stop.broken is None if said is None else re.search(said, stop.broken)


@pytest.mark.parametrize("bound", ["high", [1, 2, 3], {"min": 1}])
def test_what_is_no_bound(bound):
    with pytest.raises(ValueError, match=r"bounds: kl must be the highest value, or \[lowest, highest\]"):
        Recipe(bounds={"kl": bound})


@pytest.mark.parametrize("place", ["file", "command line"])
def test_a_setting_of_an_earlier_version_names_its_new_form(tmp_path, place):
    file, more = tmp_path / "recipe.yaml", ["--max-kl", "3"] if place == "command line" else []
    file.write_text("task: arith_words\nmodel_name_or_path: m\n" + ("max_kl: 3\n" if not more else ""))
    with pytest.raises(UserError, match=r"no setting max_kl any more; write bounds: \{kl: VALUE\}"):
        read("grpo", ["--config", str(file), *more])
