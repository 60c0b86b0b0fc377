"""Documents from rows of APPS and of AllenAI's RLVR data; `unverified` says why one cannot be verified.

APPS (Hendrycks et al. 2021, arXiv 2105.09938); `input_output` and `solutions` are JSON::

    {"problem_id": 2, "question": "...", "starter_code": "class Solution:\\n    def f(self, s): ...",
     "input_output": {"fn_name": "f", "inputs": [["ab"]], "outputs": [2]}, "solutions": ["..."]}

RLVR-GSM-MATH-IF-Mixed-Constraints (Lambert et al. 2024, arXiv 2411.15124), whose math prompts have exemplars;
`ground_truth` is text. In IF_multi_constraints_upto5 it is "[{'instruction_id': [...], 'kwargs': [...]}]"::

    {"dataset": "gsm8k", "ground_truth": "72",
     "messages": [{"role": "user", "content": "Question: ...\\n\\nQuestion: ..."}]}
    {"dataset": "ifeval", "ground_truth": {"func_name": "verify_bullet_points", "N": 3}, "messages": [...]}
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterable
from typing import Any

from lm_eval_ext.harness.docs.mbpp import SHOWN
from lm_eval_ext.harness.errors import DataError
from lm_eval_ext.harness.sources import HubDataset, Row, place_of

RLVR = HubDataset("rlvr", "allenai/RLVR-GSM-MATH-IF-Mixed-Constraints")
CHECKERS = {
    "verify_keywords": "keywords:existence keywords=keyword_list",
    "validate_forbidden_words": "keywords:forbidden_words forbidden_words=forbidden_words",
    "validate_response_language": "language:response_language language=language",
    "validate_word_constraint": "length_constraints:number_words num_words=N relation=quantifier",
    "verify_sentence_constraint": "length_constraints:number_sentences num_sentences=N relation=quantifier",
    "validate_paragraphs": "length_constraints:nth_paragraph_first_word num_paragraphs=N nth_paragraph=i "
    "first_word=first_word",
    "validate_placeholders": "detectable_content:number_placeholders num_placeholders=N",
    "verify_postscript": "detectable_content:postscript postscript_marker=postscript_marker",
    "verify_bullet_points": "detectable_format:number_bullet_lists num_bullets=N",
    "validate_highlighted_sections": "detectable_format:number_highlighted_sections num_highlights=N",
    "validate_sections": "detectable_format:multiple_sections num_sections=N "
    "section_spliter=section_splitter",
    "validate_json_format": "detectable_format:json_format",
    "validate_title": "detectable_format:title",
    "validate_two_responses": "combination:two_responses",
    "validate_repeat_prompt": "combination:repeat_prompt prompt_to_repeat=original_prompt",
    "validate_end": "startend:end_checker end_phrase=end_phrase",
    "validate_quotation": "startend:quotation",
    "validate_uppercase": "change_case:english_capital",
    "validate_lowercase": "change_case:english_lowercase",
    "validate_frequency_capital_words": "change_case:capital_word_frequency capital_frequency=N "
    "capital_relation=quantifier",
    "validate_no_commas": "punctuation:no_comma",
}
"""The mixture's function -> IFEval's instruction, and its arguments by their names in the mixture. IFEval has
none for exact counts, for options, and for paragraphs parted by `* * *`."""


def documents(make: Callable[[Row], dict[str, Any]], rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The documents of rows. Raises DataError for a row of another make."""
    docs = []
    for row in rows:
        try:
            docs.append(make(row))
        except (LookupError, ValueError, TypeError, AttributeError, SyntaxError) as error:
            raise DataError(f"{place_of(row, 'a row')}: not as its data set has them ({error!r})") from error
    return docs


def apps(row: Row) -> dict[str, Any]:
    """A function's tests are asserts, as in MBPP; programs that read their input have no verifier."""
    doc = {"id": f"apps-{row['problem_id']}", "problem": row["question"]}
    tests = json.loads(row["input_output"] or "{}")
    if not tests.get("fn_name"):
        return {**doc, "unverified": "tested by input and output"}
    called = "Solution()." * ("class Solution" in (row.get("starter_code") or "")) + tests["fn_name"]
    asserts = [
        f"assert {called}({', '.join(map(repr, given))}) {_expected(output)}"
        for given, output in zip(tests["inputs"], tests["outputs"], strict=True)
    ]
    if len(asserts) < SHOWN:
        return {**doc, "unverified": f"fewer than {SHOWN} tests"}
    solution = next(iter(json.loads(row.get("solutions") or "[]")), "")
    return {**doc, "test_list": asserts, "code": solution, "solution": solution}


def _expected(output: Any) -> str:
    """APPS accepts the first element of a list as well: some outputs are wrapped in one."""
    return f"in {(output, output[0])!r}" if isinstance(output, list) and output else f"== {output!r}"


def rlvr(row: Row) -> dict[str, Any]:
    """A math problem without its exemplars, or a prompt with constraints."""
    asked = str([message for message in row["messages"] if message["role"] == "user"][-1]["content"])
    if "ifeval" not in row["dataset"]:
        return {"problem": asked.rpartition("Question:")[2].strip(), "gold": row["ground_truth"]}
    if row["ground_truth"].startswith("["):
        (given,) = ast.literal_eval(row["ground_truth"])
        arguments = [each or {} for each in given["kwargs"]]
        return {"problem": asked, "instruction_id_list": given["instruction_id"], "kwargs": arguments}
    given = json.loads(row["ground_truth"])
    if given.get("quantifier") == "at most":
        given |= {"quantifier": "less than", "N": given["N"] + 1}
    name, *pairs = CHECKERS.get(given["func_name"], "none").split()
    values = {own: given.get(theirs) for own, _, theirs in (pair.partition("=") for pair in pairs)}
    if name == "none" or None in values.values() or "around" in values.values():
        return {"problem": asked, "unverified": "a constraint without a checker"}
    return {"problem": asked, "instruction_id_list": [name], "kwargs": [values]}
