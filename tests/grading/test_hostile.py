"""Whatever is sent: a verdict in time, no exception, nothing left running, and no credit for pleasing."""

import random
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lm_eval_ext.grading import Grader, GraderConfig, Item
from tests.clock import within
from tests.conftest import cases
from tests.grading.generated import BOUNDED
from tests.grading.test_pool import gone, start_workers

pytestmark = pytest.mark.unit

TIMEOUT_S = 1.0
GOLDS = [
    "42",
    r"\frac{1}{2}",
    "(3, 4)",
    "[0, 1)",
    "x = 1 or x = 2",
    "f(x) = cx, c real",
    "all odd integers",
    "No",
]
"""What hostile answers are compared with."""
RIGHT = {"NUL bytes inside", "right-to-left marks", "Chinese numerals"} | {
    f"{script} digits" for script in ("double-struck", "full-width", "Arabic", "Devanagari")
}
"""Hostile spellings of 42 that are 42: marks nobody sees, digits of another script."""
TOKENS = r"""
    \frac \sqrt \sqrt[3] \binom \log \sin \sum_{k=1}^{n} \overline \lfloor \rfloor \left( \right)
    \begin{cases} \end{cases} & \\ { } ( ) [ ] \{ \} | , ; . : = < \le \ge \ne \equiv \pmod \in \cup \pm
    + - * / ^ _ ! % ^\circ \infty \pi e i 0 1 2 12 0.5 1000 10^{10} x y n k a f(x) \mathbb{R} \mathbb{Z}
    \text{ $ \boxed{ \ldots and or if all except odd even prime not multiples of permutations yes no
    where for integer (a) (b) i.e.
""".split()
SOUP = st.lists(st.sampled_from(TOKENS), min_size=1, max_size=15).map(" ".join)


def text(case):
    return case.get("before", "") + case["text"] * case.get("times", 1) + case.get("after", "")


@pytest.fixture(scope="module")
def grader():
    with Grader(GraderConfig(workers=2, timeout_s=TIMEOUT_S)) as grader:
        start_workers(grader)  # their start is not the item's time
        yield grader


def in_time(grader, response, gold):
    """The verdict, which must not be late."""
    with within(TIMEOUT_S, f"{response[:80]!r} and {gold[:80]!r}"):
        return grader.grade([Item(response, gold)])[0]


def test_the_cases_are_many_and_different():
    hostile = cases("hostile")
    assert len({case["why"] for case in hostile}) == len(hostile) >= 250


@pytest.mark.parametrize("case", cases("hostile"), ids=lambda case: case["why"])
def test_hostile_answers_and_golds(grader, case):
    hostile = text(case)
    gold = random.Random(case["why"]).choice(GOLDS)
    verdict = in_time(grader, f"Final answer: {hostile}", "42")
    assert (verdict.correct is True) == (case["why"] in RIGHT)
    in_time(grader, f"So \\boxed{{{hostile}}}.", gold)
    in_time(grader, "Final answer: 7", hostile)


@settings(BOUNDED, max_examples=30)
@given(st.text(max_size=60), st.sampled_from(GOLDS))
def test_any_text(grader, soup, gold):
    in_time(grader, f"Final answer: {soup}", gold)
    in_time(grader, "Final answer: (3, 4)", soup)
    in_time(grader, soup, gold)


@settings(BOUNDED, max_examples=80)
@given(SOUP, st.sampled_from(GOLDS))
def test_any_latex(grader, soup, gold):
    in_time(grader, f"Final answer: {soup}", gold)
    in_time(grader, "Final answer: 1, 2", soup)


@pytest.mark.parametrize(
    "case", cases("pleasing"), ids=lambda case: f"{case['rule']}: {case['response'][-50:]}"
)
def test_pleasing_the_grader_earns_nothing(grader, case):
    assert in_time(grader, case["response"], case["gold"]).correct is not True


def test_the_grader_works_as_before(grader):
    assert in_time(grader, "Final answer: 2/4", "0.5").correct is True


SCRIPT = textwrap.dedent(
    r"""
    from lm_eval_ext.grading import Grader, GraderConfig, Item
    hostile = ["9^{9^{9^9}}", r"\sum_{k=1}^{10^{12}} \frac{1}{k^2}", "{" * 100_000, "((((9!)!)!)!)!"]
    with Grader(GraderConfig(workers=2, timeout_s=0.5)) as grader:
        verdicts = grader.grade([Item(f"Final answer: {text}", "42") for text in hostile])
    print(len(verdicts))
    """
)


def test_no_process_is_left():
    command = [sys.executable, "-c", SCRIPT]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    out, _ = process.communicate(timeout=60)
    assert out.split() == ["4"] and process.returncode == 0
    assert gone(process.pid)
