"""`lm-eval-ext explain` shows the verdict of the grader and what led to it."""

import json
import subprocess
import sys

import pytest

from lm_eval_ext.grading import Grader, GraderConfig, Item, Verdict
from lm_eval_ext.grading.explain import explain
from lm_eval_ext.grading.pipeline import STEPS
from lm_eval_ext.grading.types import Outcome

pytestmark = pytest.mark.unit

CASES = [
    ("Final answer: 42", "42", "exact"),
    (r"Final answer: $\dfrac12$", r"\frac{1}{2}", "normalized"),
    (
        "x is 1 or 2. Final answer: {2, 1}",
        "x = 1 or x = 2",
        "comparison",
    ),
    (
        r"Final answer: $\begin{vmatrix}1&2\\3&4\end{vmatrix}$",
        "-2",
        "math-verify",
    ),
    ("I do not know", "2", None),
]


@pytest.fixture(scope="module")
def grader():
    with Grader() as grader:
        yield grader


@pytest.mark.parametrize(("response", "gold", "last"), CASES, ids=[c[1] for c in CASES])
def test_the_steps_end_at_the_one_that_decides(grader, response, gold, last):
    found = explain(response, gold, grader=grader)
    assert [trace.step for trace in found.steps] == list(STEPS[: len(found.steps)])
    assert (found.steps[-1].step.name if found.steps else None) == last
    assert found.verdict == grader.grade([Item(response, gold)])[0]
    assert all(trace.ms >= 0 for trace in found.steps)
    if found.steps:
        assert found.verdict.rule in found.steps[-1].decision


class Judge:
    """Finds every answer right."""

    def judge(self, items, verdicts):
        outcome = Outcome(True, "judge.equal", "YES")
        return [v if v.correct else Verdict.of(outcome, "judge", v.answer) for v in verdicts]


@pytest.mark.parametrize("answer", ["5 km", "several apples"])
def test_a_judge_is_the_last_step(answer):
    with Grader(GraderConfig(workers=1, judge=Judge())) as grader:
        found = explain(f"Final answer: {answer}", "5 cm", grader=grader)
    assert found.steps[-1].step == STEPS[-1]
    assert found.steps[-1].decision == "equal by judge.equal: YES" and found.verdict.layer == "judge"


def test_the_answer_stands_in_its_place(grader):
    found = explain("<think>no: 7</think>So 3. Final answer: $5$\n\nDone.", "5", grader=grader)
    assert (found.before, found.answer, found.after) == ("So 3. Final answer: ", "$5$", "\n\nDone.")


def test_a_listed_choice_is_seen(grader):
    assert explain("Final answer: 3", "B", "(A) 1 (B) 3 (C) 5", grader=grader).gold == "(B) 3"


def test_command_takes_texts_and_files(tmp_path):
    file = tmp_path / "response.txt"
    file.write_text(r"Thus \boxed{n \equiv 0 \pmod 3}")
    command = [sys.executable, "-m", "lm_eval_ext.cli", "explain", str(file), "all positive multiples of 3"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "residues(0, 3)" in out and "it is multiple 3" in out
    verdict = json.loads(out[out.rindex("{") : out.rindex("}") + 1])
    assert verdict["correct"] is True and verdict["layer"] == "symbolic"
