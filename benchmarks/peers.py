"""The peers: other graders, each as a function of (response, gold) that says whether it accepts.

Nothing of a peer is imported before its loader is called. What is not installed raises ImportError, or
AssertionError where the peer itself asserts the version of what it needs.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

Accepts = Callable[[str, str], bool]


def lm_eval_module(task: str) -> Any:
    """`utils.py` of one of lm-eval's tasks, from its file: importing lm_eval itself loads far more."""
    package = importlib.util.find_spec("lm_eval")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'lm_eval'")
    file = Path(package.submodule_search_locations[0]) / "tasks" / task / "utils.py"
    spec = importlib.util.spec_from_file_location(f"peer_{task}", file)
    assert spec is not None and spec.loader is not None, f"{file} is no Python module"
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def math_verify() -> Accepts:
    """`parse` and `verify` with defaults on the whole response, the gold as a formula."""
    from math_verify import parse, verify

    return lambda response, gold: bool(verify(parse(_formula(gold)), parse(response)))


def math_verify_on_answers() -> Accepts:
    """The same on the answer that this grader extracts."""
    accepts = math_verify()
    return _on_answers(lambda answer, gold: accepts(_formula(answer), gold))


def minerva() -> Accepts:
    """lm-eval's `minerva_math`, its `exact_match`: announced in its own words, or not at all."""
    task = lm_eval_module("minerva_math")

    def accepts(response: str, gold: str) -> bool:
        answer = task.normalize_final_answer(task.get_unnormalized_answer(response))
        return bool(task.is_equiv(answer, task.normalize_final_answer(gold)))

    return accepts


def minerva_on_answers() -> Accepts:
    """Its comparison on the answer that this grader extracts."""
    task = lm_eval_module("minerva_math")
    normalize = task.normalize_final_answer
    return _on_answers(lambda answer, gold: bool(task.is_equiv(normalize(answer), normalize(gold))))


def hendrycks() -> Accepts:
    """lm-eval's `hendrycks_math` functions: the last box, equal as a string after clean-up."""
    task = lm_eval_module("hendrycks_math")

    def accepts(response: str, gold: str) -> bool:
        box = task.last_boxed_only_string(response)
        return box is not None and bool(task.is_equiv(task.remove_boxed(box), gold))

    return accepts


def hendrycks_on_answers() -> Accepts:
    """Its comparison on the answer that this grader extracts."""
    task = lm_eval_module("hendrycks_math")
    return _on_answers(lambda answer, gold: bool(task.is_equiv(answer, gold)))


def _formula(text: str) -> str:
    """As math-verify wants bare LaTeX; what has delimiters of its own stays as it is."""
    return text if "$" in text else f"${text}$"


def _on_answers(accepts: Accepts) -> Accepts:
    from lm_eval_ext.grading import extract

    def accepts_answer(response: str, gold: str) -> bool:
        answer = extract(response)
        return answer is not None and accepts(answer, gold)

    return accepts_answer


PEERS: dict[str, Callable[[], Accepts]] = {
    "math-verify": math_verify,
    "math-verify on our answers": math_verify_on_answers,
    "lm-eval minerva": minerva,
    "lm-eval minerva on our answers": minerva_on_answers,
    "lm-eval hendrycks": hendrycks,
    "lm-eval hendrycks on our answers": hendrycks_on_answers,
}
