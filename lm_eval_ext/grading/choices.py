"""Multiple choice: a gold that is a letter, its option in the problem, and the ways answers name one.

A letter equals itself, with its option's text behind it or not, and no other letter, whatever their options
are worth. An answer without a letter is compared with the option's own text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from lm_eval_ext.grading.normalization import normalize
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Context, Letter, Outcome

MAX_CHARS = 2_000
"""A longer answer names no option."""
MAX_GOLD_CHARS = 40
"""A longer gold is no letter."""
_LETTER = "A-J"
_WRAPPED = r"(?:\\(?:text\w*|math\w*|boxed|fbox|bf|rm)\b|[{}$*_`\s]|\\[()\[\]])"
_OPTION_BEFORE = r"(?:\\(?:text\w*|math\w*)\s*\{\s*|\*\*|\\?bf\s*)?"
_LISTED = re.compile(
    rf"(?P<start>^[ \t]*|(?<=[\s,;&${{~]))(?<!\bof )(?:{_OPTION_BEFORE})"
    rf"(?:\(([{_LETTER}])\)|([{_LETTER}])\)|([{_LETTER}])[.:、．](?=\s|\S))(?:\s*\}}|\*\*)?",
    re.MULTILINE,
)
_EDGE = re.compile(r"^(?:[\s&,;~:]|\\q?quad|\\[,; \\])+|(?:[\s&,;~]|\\q?quad|\\[,; \\])+$")
_END_OF_LIST = re.compile(r"\n\s*\n|\\end\s*\{")
_CLEANED = re.compile(rf"{_WRAPPED}+")
_NAMED = re.compile(
    rf"""\s* (?: (?:the\s+)? (?:correct\s+|right\s+)? (?:option|choice|answer) s? \s* (?:is\s+|:\s*)? )?
    (?: \( \s* (?P<round> [{_LETTER}] ) \s* \) | \[ \s* (?P<square> [{_LETTER}] ) \s* \]
      | (?P<bare> [{_LETTER}] ) (?![\w'’(]) )
    (?P<sign> \s* [).:：、．]+ (?!\w*[=]) | \s+ [-–—] (?=\s) )? \s* (?P<rest> .* )""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_ANOTHER = re.compile(
    rf"(?:^|[\s,;/&(])(?:and|or|,|/|&)?\s*\(?[{_LETTER}](?:[).:]|\s*$)|^(?:[,/&]|and\b|or\b)", re.IGNORECASE
)

_REMARK = re.compile(
    r"(?:is|are|was|isn|aren|does|doesn|do|don|can|cannot|may|might|would|should|seems?|looks?|not?|never|nor|but"
    r"|if|unless|except|only|when|where|for|though|although|or|and|maybe|perhaps|probably)\b",
    re.IGNORECASE,
)
"""A remark on a letter, not the text of its option: "(C) is wrong", "(C) unless n = 1"."""


@dataclass(frozen=True)
class Choice:
    """An answer that names an option: its letter, and what stands behind it.

    `marked` says whether a bracket, colon or full stop sets the letter off, as in `B: 12`.
    """

    letter: str
    rest: str
    marked: bool


def named(answer: str) -> Choice | None:
    """The option that an answer names, None if it names none.

    >>> named(r"\\\\text{(C)} 1200"), named("Option d)")
    (Choice(letter='C', rest='1200', marked=True), Choice(letter='D', rest='', marked=True))
    """
    if len(answer) > MAX_CHARS:
        return None
    found = _NAMED.fullmatch(_CLEANED.sub(" ", answer).strip(" .\"'“”"))
    if found is None:
        return None
    letter = found["round"] or found["square"] or found["bare"]
    return Choice(letter.upper(), found["rest"].strip(), found["bare"] is None or bool(found["sign"]))


@rule("choice.same-text")
def same_letter(answer: str, gold: str, context: Context) -> Outcome | None:
    """The letter, written as the gold writes it."""
    letter = context.letter
    if letter is None or answer.strip() != letter.stated.strip():
        return None
    return Outcome(True, "choice.same-text", f"both are choice {letter.letter}")


@rule("choice.same-letter", "choice.letters-differ")
def same_choice(answer: str, gold: str, context: Context) -> Outcome | None:
    """An answer that names an option is decided by its letter."""
    if context.letter is None:
        return None
    _, wanted, options = context.letter
    if options and wanted not in options:
        return None
    letter = _committed(answer, options)
    if letter == wanted:
        return Outcome(True, "choice.same-letter", f"both are choice {wanted}")
    if letter is not None:
        detail = f"choice {letter}, and the gold is choice {wanted}"
        return Outcome(False, "choice.letters-differ", detail)
    return None


def letter_of(gold: str, problem: str | None) -> Letter | None:
    """The letter that a gold is (`C`, `(C)`, `\\text{C}`). A lower-case one alone may be a variable."""
    if len(gold) > MAX_GOLD_CHARS or (choice := named(gold)) is None or choice.rest:
        return None
    if choice.letter not in gold:
        return None
    return Letter(gold, choice.letter, listed_choices(problem) if problem else {})


def _committed(answer: str, options: Mapping[str, str]) -> str | None:
    """The letter of the option that an answer names or quotes word for word."""
    choice = named(answer)
    if choice is None or (options and choice.letter not in options):
        return _quoted(answer, options)
    own = options.get(choice.letter, "")
    if not choice.rest or (own and _plain(choice.rest) == _plain(own)):
        return choice.letter
    if choice.marked and not _ANOTHER.search(choice.rest) and not _REMARK.match(choice.rest):
        return choice.letter
    return _quoted(answer, options)


def _quoted(answer: str, options: Mapping[str, str]) -> str | None:
    """The letter of the one option whose text the answer is."""
    text = _plain(answer)
    letters = [letter for letter, option in options.items() if text and _plain(option) == text]
    return letters[0] if len(letters) == 1 else None


def _plain(text: str) -> str:
    return normalize(_CLEANED.sub(" ", text)).casefold().strip(" .")


@lru_cache(maxsize=256)
def listed_choices(problem: str) -> dict[str, str]:
    """The choices that a problem lists in order, from A on: {"A": "1", "B": "2"}; empty if it lists none.

    Of several lists the longest counts, of equal ones that whose options begin lines, and then the last. Two
    options are a list where each begins a line.
    """
    marks = list(_LISTED.finditer(problem))
    runs = [_run(marks, start) for start, mark in enumerate(marks) if _mark(mark) == "A"]
    runs = [run for run in runs if len(run) >= 3 or (len(run) == 2 and all(_begins_line(m) for m in run))]
    if not runs:
        return {}
    run = max(reversed(runs), key=lambda run: (len(run), sum(map(_begins_line, run))))
    ends = [mark.start() for mark in run[1:]] + [len(problem)]
    return {
        _mark(mark): _option(problem[mark.end() : end], last=mark is run[-1])
        for mark, end in zip(run, ends, strict=True)
    }


def _run(marks: list[re.Match[str]], start: int) -> list[re.Match[str]]:
    """The marks from A on whose letters follow each other; letters within an option's text are skipped."""
    run = [marks[start]]
    for mark in marks[start + 1 :]:
        if _mark(mark) == chr(ord("A") + len(run)):
            run.append(mark)
    return run


def _mark(mark: re.Match[str]) -> str:
    return next(letter for letter in mark.groups()[1:] if letter)


def _begins_line(mark: re.Match[str]) -> bool:
    return mark.start() == 0 or mark.string[mark.start() - 1] == "\n"


def _option(text: str, last: bool) -> str:
    end = _END_OF_LIST.search(text) if last else None
    return _whole_formula(_EDGE.sub("", text[: end.start()] if end else text))


def _whole_formula(text: str) -> str:
    """With its dollars in pairs: a list inside one formula is cut between them."""
    if text.count("$") % 2:
        return text[:-1].strip() if text.endswith("$") else f"${text}"
    return text.removeprefix("$$").removesuffix("$$").strip()
