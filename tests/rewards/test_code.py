"""The verifier `code`: the program in a response, its tests, partial credit."""

import json
import pickle

import pytest

from lm_eval_ext.errors import UserError
from lm_eval_ext.rewards import verifier
from lm_eval_ext.rewards.code import runner
from lm_eval_ext.rewards.code.extraction import code_of
from lm_eval_ext.rewards.code.probes import reachable
from lm_eval_ext.rewards.code.sandbox import isolation, wire

pytestmark = pytest.mark.unit

DEF = "def f(n):\n    return n"
TEXTS = [
    (DEF, DEF),
    (f"```python\n{DEF}\n```", DEF),
    (f"Here it is.\n\n```py\n{DEF}\n```\nIt returns n. For example:\n```\nprint(f(3))\n```", DEF),
    (f"```python\ndef f(n): ...\n```\nWait, that is wrong.\n~~~python\n{DEF}\n~~~", DEF),
    (f"```python\n{DEF}", DEF),
    (f"{DEF}\n```\nThis returns n.", DEF),
    (f"[BEGIN]\n{DEF}\n[DONE]\n\nYou are an expert Python programmer", f"\n{DEF}"),
    (f"<think>def f(n): return 0</think>{DEF}", DEF),
    (f"Here is my solution:\n\n{DEF}", DEF),
    (f"```\n{DEF}\n```\n```python\nassert f(1) == 1\n```", DEF),
    ("```python\nx = 1\n```", "x = 1"),
    ("The function returns n.", None),
    ("```\n```", None),
    ("", None),
]


@pytest.mark.parametrize(("response", "code"), TEXTS)
def test_the_program_of_a_response(response, code):
    found = code_of(response, {"f"})
    assert found == code or found.strip() == code.strip()


def test_the_rest_of_a_function():
    assert code_of("    return n\n", {"f"}, continues=True) == "    return n"
    assert code_of("", {"f"}, continues=True) is None


@pytest.fixture(scope="module")
def code():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ALLOW_CODE_EVAL", "1")
        return verifier("code", workers=2)


def test_permission_is_needed(monkeypatch):
    monkeypatch.delenv("HF_ALLOW_CODE_EVAL", raising=False)
    with pytest.raises(UserError, match=r"set HF_ALLOW_CODE_EVAL=1 .*confirm_run_unsafe_code") as refusal:
        verifier("code")
    assert "\n" not in str(refusal.value)


ASSERTS = ["assert f(2) == 4", "assert f(3) == 9", "assert f(-1) == 1", "assert f(0) == 0"]


def test_partial_credit_is_the_share_of_asserts(code):
    programs = [
        "def f(n): return n * n",
        "def f(n): return 2 * n",
        "def f(n): return n",
        "def f(n): return None",
    ]
    scores = pickle.loads(pickle.dumps(code))(programs, [{"test_list": ASSERTS}] * 4)
    assert [(s.value, s.correct) for s in scores] == [(1, True), (0.5, False), (0.25, False), (0, False)]
    assert scores[0].reason == "4 of 4 asserts hold"
    assert scores[1].reason == "2 of 4 asserts hold; assert f(3) == 9: AssertionError"
    assert scores[1].answer == programs[1]


def verdict(verifier, program, **row):
    (score,) = verifier([program], [row])
    return score


VALUES = [
    "[1, (2, 3), {4}, {'a': None, 5: [True]}]", "{}", "frozenset({1})", "1.5", "float('inf')", "2 ** 400",
    "1j", "b'ab'", "'ü\\ud800'", "range(3)", "10 ** 5000", "-0.0",
]  # fmt: skip


def test_values_come_back_as_they_are(code):
    checks = [f"assert f({i}) == g({value}) == {value}" for i, value in enumerate(VALUES)]
    checks += [f"assert repr(f({i})) == repr({value})" for i, value in enumerate(VALUES)]
    program = f"def f(i): return [{', '.join(VALUES)}][i]\ndef g(x): return x"
    assert (
        verdict(code, program, test_list=checks).reason
        == f"{2 * len(VALUES)} of {2 * len(VALUES)} asserts hold"
    )


PROGRAMS = [
    ("import collections\ndef f(): return collections.Counter('aab')", "assert f() == {'a': 2, 'b': 1}"),
    ("import enum\nclass E(enum.IntEnum):\n  A = 3\ndef f(): return E.A", "assert f() == 3"),
    ("def f(): return (i for i in range(3))", "assert list(f()) == [0, 1, 2]"),
    ("def f(): return {1: 2}.keys()", "assert set(f()) == {1}"),
    ("def sum(a, b): return a * b", "assert sum(2, 5) == 10"),
    ("import math\ndef f(): return math.pi", "assert math.isclose(f(), 3.14159, rel_tol=0.001)"),
    ("def f(n): raise KeyError(n)", "try:\n  f(1)\nexcept KeyError as error: found = error\nassert found"),
    (
        "import dataclasses\n@dataclasses.dataclass\nclass P:\n  a: int\ndef f(ps): return ps[1].a",
        "assert f([P(1), P(7)]) == 7",
    ),
    ("print('noise')\nif __name__ == '__main__': input()\ndef f(): return 1", "assert f() == 1"),
]


def test_programs(code):
    programs = [program for program, _ in PROGRAMS]
    for suffix, correct in (("", True), (" and False", False)):
        rows = [{"test_list": [check + suffix], "code": program} for program, check in PROGRAMS]
        assert [score.correct for score in code(programs, rows)] == [correct] * len(rows)


def test_setup_builds_objects_of_the_program(code):
    program = (
        "class Node:\n  def __init__(self, v): self.v, self.next = v, None\ndef f(n): return n.v + n.next.v"
    )
    setup = "root = Node(1)\nroot.next = Node(5)"
    assert verdict(code, program, test_list=["assert f(root) == 6"], test_setup_code=setup).correct
    assert verdict(code, program, test_list=["assert f(root) == 5"], test_setup_code=setup).correct is False


def humaneval(check="assert candidate([1, 2]) == 3.0"):
    opening = 'from typing import List\n\n\ndef total(xs: List[float]) -> float:\n    """ Sum.\n    """\n'
    return {
        "problem": opening, "entry_point": "total", "test": f"def check(candidate):\n    {check}\n"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("response", "correct"),
    [
        ("    return sum(xs)\n", True),
        ("def total(xs: List[float]) -> float:\n    return sum(xs)", True),
        ("```python\ndef total(xs: List[float]) -> float:\n    return float(sum(xs))\n```", True),
        ("```python\n    return sum(xs)\n```", True),
        ("    return len(xs)\n", False),
        ("    return sum(xs)\n\nThis adds them.", False),
    ],
)
def test_the_prompt_is_the_beginning_of_the_program(code, response, correct):
    assert verdict(code, response, **humaneval()).correct is correct


def test_asserts_in_loops_and_those_that_do_not_run(code):
    loop = "for n in range(3):\n        assert candidate([n]) == n\n    if False:\n        assert False"
    assert verdict(code, "    return sum(xs)", **humaneval(loop)).value == 1
    assert verdict(code, "    return min(sum(xs), 1)", **humaneval(loop)).value == 0
    late = "assert candidate([1]) == 1\n    x = candidate([]) + 1\n    assert x"
    score = verdict(code, "    return xs[0]", **humaneval(late))
    assert score.value == 0.5 and score.reason.endswith("IndexError: list index out of range")


def test_an_iteration_that_the_program_ends_is_no_success(code):
    raises = "def f(n): raise StopIteration"
    assert verdict(code, raises, test_list=["assert all(map(f, [1, 2]))"]).correct is False


def test_tests_that_cannot_be_run_leave_a_program_undecided(code, monkeypatch):
    score = verdict(code, DEF, test_list=["assert f(1 == 1"])
    assert (score.value, score.correct) == (None, None) and "the tests cannot be parsed" in score.reason
    monkeypatch.setattr(runner, "_COMMAND", "raise SystemExit(3)")
    score = verdict(code, DEF, test_list=["assert f(1) == 1"])
    assert score.correct is None and score.reason == "the tests' process ended with exit code 3"


def test_rows_without_tests_are_refused(code):
    with pytest.raises(ValueError, match=r"needs test_list .*; it has gold"):
        code([DEF], [{"gold": "1"}])


def test_messages_are_read_whole_or_not_at_all(tmp_path):
    file = tmp_path / "m"
    file.write_bytes(wire.framed({"a": 1}) + wire.framed([2]) + b"\0\0")
    with file.open("rb", buffering=0) as opened:
        assert wire.receive(opened.fileno()) == {"a": 1} and wire.receive(opened.fileno()) == [2]
        with pytest.raises(EOFError):
            wire.receive(opened.fileno())
    assert json.loads(wire.framed("x")[8:]) == "x"


def test_what_a_program_can_reach_is_tried(monkeypatch):
    if isolation.landlock_version():
        assert reachable() == []
    monkeypatch.setattr(runner, "_COMMAND", "raise SystemExit(3)")
    with pytest.raises(RuntimeError, match="exit code 3"):
        reachable()
