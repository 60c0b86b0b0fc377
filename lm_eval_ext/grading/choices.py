"""Multiple choice: a gold that is a letter also stands for the value that the problem gives that letter."""

from __future__ import annotations

import re

_LETTER = re.compile(r"^\s*\(?([A-H])\)?\.?\s*$")
_LISTED = re.compile(
    r"(?:^|(?<=[\s,;&${]))(?:\\text\w*\s*\{\s*|\\mathrm\s*\{\s*|\\mathbf\s*\{\s*|\*\*)?"
    r"(?:\(([A-H])\)|([A-H])\)|([A-H])[.:](?=\s))(?:\s*\}|\*\*)?"
)
_EDGE = re.compile(r"^(?:[\s&,;~]|\\q?quad|\\[,; \\])+|(?:[\s&,;~]|\\q?quad|\\[,; \\])+$")


def listed_choices(problem: str) -> dict[str, str]:
    """The choices that a problem lists in order, from A on: {"A": "1", "B": "2"}; empty if it lists none."""
    marks = list(_LISTED.finditer(problem))
    letters = [next(g for g in m.groups() if g) for m in marks]
    start = next((i for i in range(len(letters)) if letters[i : i + 3] == ["A", "B", "C"]), None)
    if start is None:
        return {}
    found: dict[str, str] = {}
    for i in range(start, len(marks)):
        if letters[i] != chr(ord("A") + i - start):
            break
        end = marks[i + 1].start() if i + 1 < len(marks) else len(problem)
        text = problem[marks[i].end() : end].split("\n\n")[0]
        found[letters[i]] = _whole_formula(_EDGE.sub("", text))
    return found


def _whole_formula(text: str) -> str:
    """With its dollars in pairs: a list inside one formula is cut between them."""
    if text.count("$") % 2:
        return text[:-1].strip() if text.endswith("$") else f"${text}"
    return text.removeprefix("$$").removesuffix("$$").strip()


def spelled_out(gold: str, problem: str | None) -> str:
    """ "(C) 1200" for the gold "C" if the problem lists C as 1200; else the gold as it is."""
    letter = _LETTER.match(gold) if problem and isinstance(gold, str) else None
    if letter is None or problem is None:
        return gold
    value = listed_choices(problem).get(letter[1], "")
    return f"({letter[1]}) {value}" if value else gold
