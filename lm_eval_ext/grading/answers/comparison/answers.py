"""Whether two answers say the same, and by which rule: both read, then matched solution by solution.

What counts as equal:

- words: yes, no, no solution; a letter of choice, with or without its value; the name of who wins;
- parts in their order; several values as a set, whatever their order; solutions by the names of the
  unknowns, or in their order where one side has no names; unordered pairs under any order;
- values: expressions as functions of their letters, with units and percents read, ratios, regions;
- families: parameters may be renamed, and must run over the same numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from lm_eval_ext.grading.answers.comparison.closed import closed_shape
from lm_eval_ext.grading.answers.comparison.eigenvectors import same_direction
from lm_eval_ext.grading.answers.comparison.orders import same_order
from lm_eval_ext.grading.answers.comparison.outcomes import first, first_failure
from lm_eval_ext.grading.answers.comparison.solution_sets import same_solutions
from lm_eval_ext.grading.answers.comparison.wordings import (
    as_congruence,
    concluded,
    same_cycles,
    same_name,
    same_predicate,
    same_time,
    without_about,
)
from lm_eval_ext.grading.answers.errors import AnswerError, Unreadable
from lm_eval_ext.grading.answers.lexicon.features import SYMBOLS
from lm_eval_ext.grading.answers.lexing.spelling import marked
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.semantics import read
from lm_eval_ext.grading.answers.semantics.claims import Answer, Solution
from lm_eval_ext.grading.answers.semantics.conditions import IT
from lm_eval_ext.grading.answers.syntax.nodes import Group, Node, Relation, Symbol, show
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome

Answers = Sequence[Answer]
_EQUALITY = re.compile(r"\bequality\b(?:\s+(?:holds|occurs))?", re.IGNORECASE)
_CASE_ALONE = re.compile(r"[^=\d]*\bequality\b", re.IGNORECASE)
"""Where the gold is a case of equality and no value, the answer is what follows that word."""
_VALUE_AND_CASE = re.compile(
    r"(?P<value>(?:\$?\\?[A-Za-z]\w{0,8}\s{0,3}=)?[^=<>]{0,200}?\d[^=<>A-Za-z(]{0,200}|[^=<>,;]{1,60}?)[,;]?\s{0,3}"
    r"(?:\(?(?:with|where|which\s{1,3}is|it\s{1,3}is)?\s{0,3}(?:equality(?:\s{1,3}(?:holds|occurs))?|attained|achieved|reached)\s{0,3}|\((?=when\b))"
    r"(?P<case>(?:(?:exactly|precisely|only)\s{1,3})?(?:if|iff|when|for|at)\b.*?)\)?\.?",
    re.IGNORECASE,
)
"""A value, and the case in which it is attained."""
_ATTAINED = re.compile(r"\b(?:equality|attained|achieved|reached)\b", re.IGNORECASE)
_EXTREME = re.compile(
    r"(?:the\s+)?(?:(?:absolute|global|local)\s+)?m(?:ax|in)[a-z]*\s[^;,]{1,80}?(?<!attained)(?<!achieved)(?<!reached)(?=\s+at\s)",
    re.IGNORECASE,
)
"""A largest value, and the point where it is."""
_JOINT = re.compile(r"^(?:at|for)\s+", re.IGNORECASE)
_VALUE_WHEN = re.compile(r"(?P<value>[^,;]{1,60}),?\s+(?P<case>(?:when|if)\b.*?)\.?", re.IGNORECASE)
"""The same without a word for it, beside such a gold."""


def compare(answer: str, gold: str) -> Outcome:
    """Whether the answer equals the gold; None where this cannot tell and computer algebra may be asked."""
    if (outcome := same_time(answer, gold) or same_cycles(answer, gold)) is not None:
        return outcome
    answer = as_congruence(without_about(answer, gold), gold)
    outcome = _compared(answer, gold)
    if not outcome.equal and (tail := concluded(answer)) and (told := _compared(tail, gold)).equal:
        return told
    if (
        outcome.equal is None
        and (named := same_name(answer, gold) or same_predicate(answer, gold)) is not None
    ):
        return named
    return outcome if outcome.equal else _with_units(answer, gold, outcome)


@rule("ambiguous.unit-or-letter")
def _with_units(answer: str, gold: str, outcome: Outcome) -> Outcome:
    """Letters behind a number read as the unit that they spell; without a space they may be a product."""
    pair = marked(answer), marked(gold)
    if pair != (answer, gold):
        return _compared(*pair)
    pair = marked(answer, spaced=False), marked(gold, spaced=False)
    if pair == (answer, gold) or not _compared(*pair).equal:
        return outcome
    if "\\text" in answer + gold or "\\mathrm" in answer + gold:
        return _compared(*pair)
    return Outcome(None, "ambiguous.unit-or-letter", f"{answer[:40]} and {gold[:40]}: a unit or a letter")


@rule("undecided.unread")
def _compared(answer: str, gold: str) -> Outcome:
    """Whether the two say the same."""
    with suppress(AnswerError, RecursionError, ArithmeticError, ValueError):
        if (outcome := _with_equality(answer, gold, Evaluator())) is not None and outcome.equal is not None:
            return outcome
    parts: list[Answers] = []
    for side, text in (("gold", gold), ("answer", answer)):
        try:
            parts.append(read(text))
        except (Unreadable, RecursionError) as error:
            why = f"is not read: {error}" if isinstance(error, Unreadable) else "is nested too deeply"
            return Outcome(None, "undecided.unread", f"the {side} {why}")
    wanted, given = parts
    outcome = _evaluated(answer, gold, given, wanted)
    return _without_room(outcome, given, wanted) if outcome.equal is False else outcome


@rule("undecided.not-evaluated")
def _evaluated(answer: str, gold: str, given: Answers, wanted: Answers) -> Outcome:
    """Whether the parts of the two are equal, or else the cases of equality that they name."""
    evaluator = Evaluator()
    try:
        outcome = _same_parts(given, wanted, evaluator)
        if not outcome.equal and _CASE_ALONE.match(gold) and (case := _EQUALITY.split(answer)[-1]) != answer:
            return _same_parts(read(case), read(_EQUALITY.split(gold)[-1]), evaluator)
        return outcome
    except AnswerError as error:
        return Outcome(None, "undecided.not-evaluated", str(error))
    except RecursionError:
        return Outcome(None, "undecided.not-evaluated", "nested too deeply")
    except (ArithmeticError, ValueError) as error:  # no number: computer algebra may know better
        return Outcome(None, "undecided.not-evaluated", f"not evaluated: {error}"[:200])


@rule("values.differ")
def _without_room(outcome: Outcome, given: Answers, wanted: Answers) -> Outcome:
    """Two that differ, by the rule for closed values where both have nothing else."""
    shape = closed_shape(given)
    if shape is None or shape != closed_shape(wanted):
        return outcome
    return Outcome(False, "values.differ", outcome.detail)


def _with_equality(answer: str, gold: str, evaluator: Evaluator) -> Outcome | None:
    """ "4, with equality iff x = y": the value counts, and the case where the answer has one too."""
    answer, gold = (
        f"{m[0]} attained{text[m.end() :]}" if (m := _EXTREME.match(text)) else text
        for text in (answer, gold)
    )
    theirs = _VALUE_AND_CASE.fullmatch(gold)
    if theirs is None:
        return _value_alone(answer, gold, evaluator)
    mine = _VALUE_AND_CASE.fullmatch(answer) or _VALUE_WHEN.fullmatch(answer)
    outcome = _same_parts(read(mine["value"] if mine else answer), read(theirs["value"]), evaluator)
    if mine and outcome.equal:
        given, wanted = (read(_JOINT.sub("", m["case"])) for m in (mine, theirs))
        case = _same_parts(given, wanted, evaluator)
        return case if case.equal is not True else outcome
    return outcome


def _value_alone(answer: str, gold: str, evaluator: Evaluator) -> Outcome | None:
    """ "3/4, attained at x = 1" for 3/4: a case that the gold does not name."""
    mine = _VALUE_AND_CASE.fullmatch(answer)
    if mine is None or not _ATTAINED.search(answer):
        return None
    outcome = _same_parts(read(mine["value"]), read(gold), evaluator)
    return outcome if outcome.equal else None


@rule("undecided.parts")
def _same_parts(given: Answers, wanted: Answers, evaluator: Evaluator) -> Outcome:
    if len(given) != len(wanted):
        mine, theirs = _split(given, len(wanted)), _split(wanted, len(given))
        if mine is not None:
            given = mine
        elif theirs is not None:
            wanted = theirs
        else:
            return Outcome(None, "undecided.parts", f"{len(given)} parts, the gold has {len(wanted)}")
    pairs = zip(given, wanted, strict=True)
    return first([_same_answer(a, g, evaluator) for a, g in pairs], False, None)


def _split(parts: Answers, count: int) -> Answers | None:
    """One part as `count` of them: each value, or each solution, is one; None where their number differs."""
    if len(parts) != 1:
        return None
    solutions = parts[0].items
    if len(solutions) == 1 and len(solutions[0].values) == count:
        return [Answer(items=(replace(solutions[0], values=(v,)),)) for v in solutions[0].values]
    return [Answer(items=(s,)) for s in solutions] if len(solutions) == count else None


def _same_answer(given: Answer, wanted: Answer, evaluator: Evaluator) -> Outcome:
    """The answer and its restatements: one must be equal, none may differ."""
    golds = (wanted, *wanted.again)
    outcomes = [
        first([_same_claim(a, g, evaluator) for g in golds], True, None) for a in (given, *given.again)
    ]
    if outcomes[1:] and _only_describes(given):
        outcomes = outcomes[1:]
    return first(outcomes, False, True)


def _only_describes(answer: Answer) -> bool:
    """ "the pairs (a, b) with a + b odd", "numbers of the form 11a - 1": a restatement says it better."""
    told = [v for s in answer.items for _, v in s.values if s.conditions]
    letters = all(
        all(isinstance(entry, Symbol) for entry in v.items) if isinstance(v, Group) else v == Symbol(IT)
        for v in told
    )
    return bool(told) and letters and len(told) == sum(len(s.values) for s in answer.items)


def _same_claim(given: Answer, wanted: Answer, evaluator: Evaluator) -> Outcome:
    if given.features or wanted.features:
        return _same_features(given, wanted, evaluator)
    if given.word or wanted.word:
        return _same_word(given.word, wanted.word)
    if given.choice and wanted.choice:
        return _same_choice(given, wanted, evaluator)
    if (given.choice or wanted.choice) and not (given.items and wanted.items):
        return _choice_for_value(given.choice, wanted.choice)
    order = same_order(given.items, wanted.items)
    return same_solutions(given.items, wanted.items, evaluator) if order is None else order


@rule("features.same", "undecided.features")
def _same_features(given: Answer, wanted: Answer, evaluator: Evaluator) -> Outcome:
    """Each feature under its name, whatever the order; a value without a name may be that of the only one."""
    mine, theirs = dict(_by_feature(given, wanted)), dict(_by_feature(wanted, given))
    if mine.keys() != theirs.keys():
        return Outcome(None, "undecided.features", f"{', '.join(mine)} and {', '.join(theirs)}")
    outcomes = [_same_feature(name, mine[name], theirs[name], evaluator) for name in theirs]
    if len(outcomes) == 1:
        return outcomes[0]
    return first_failure(outcomes) or Outcome(True, "features.same", ", ".join(theirs))


def _same_feature(name: str, given: Answer, wanted: Answer, evaluator: Evaluator) -> Outcome:
    outcome = _same_answer(given, wanted, evaluator)
    if outcome.equal is False and name == "eigenvector":
        vectors = [s.values[0][1] for a in (given, wanted) for s in a.items if len(s.values) == 1]
        if len(vectors) == 2 and len(given.items) == 1:
            return same_direction(vectors[0], vectors[1], evaluator)
    return outcome


def _by_feature(answer: Answer, other: Answer) -> Sequence[tuple[str, Answer]]:
    """Its features; of one without words those that its letters stand for, or its values in order."""
    if answer.features:
        return answer.features
    names = [name for name, _ in other.features]
    values = [_named(name, s, v) for s in answer.items for name, v in s.values]
    if len(names) == 1:
        return [(names[0], answer)]
    if len(values) != len(names):
        return []
    if all(name in SYMBOLS for name, _, _ in values):
        wanted = [next((n for n in names if n in SYMBOLS[name]), name) for name, _, _ in values]
    else:
        wanted = names
    return [
        (n, Answer(items=(replace(s, values=(("", v),)),)))
        for n, (_, s, v) in zip(wanted, values, strict=True)
    ]


def _named(name: str, solution: Solution, value: Node) -> tuple[str, Solution, Node]:
    """With the name of sigma^2 = 7, whose left side is no letter."""
    if not name and isinstance(value, Relation) and value.signs == ("=",):
        return show(value.terms[0]), solution, value.terms[1]
    return name, solution, value


@rule("words.same", "words.differ", "undecided.words")
def _same_word(given: str, wanted: str) -> Outcome:
    said = f"{given or 'a value'} and {wanted or 'a value'}"
    both = {given, wanted}
    if len(both) == 1 or both in (
        {"no", "absent"},
        {"none", "absent"},
    ):  # no such thing answers both questions
        return Outcome(True, "words.same", said)
    if {w.split()[0] for w in both if w} == {"converges"}:
        return Outcome(None, "undecided.words", said)  # "converges" and "converges absolutely"
    return Outcome(False, "words.differ", said)


@rule("choice.same", "choice.differ", "undecided.choice-value")
def _same_choice(given: Answer, wanted: Answer, evaluator: Evaluator) -> Outcome:
    said = f"choice {given.choice} and {wanted.choice}"
    if given.choice.casefold() != wanted.choice.casefold():
        return Outcome(False, "choice.differ", said)
    if given.items and wanted.items and same_solutions(given.items, wanted.items, evaluator).equal is False:
        return Outcome(None, "undecided.choice-value", f"choice {given.choice} with another value")
    return Outcome(True, "choice.same", said)


@rule("choice.for-value")
def _choice_for_value(given: str, wanted: str) -> Outcome:
    sides = [f"choice {letter}" if letter else "a value" for letter in (given, wanted)]
    return Outcome(False, "choice.for-value", f"{sides[0]} and {sides[1]}")
