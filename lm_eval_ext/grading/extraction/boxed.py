r"""`\boxed{...}`: balanced, outermost, alone or several that form one answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lm_eval_ext.grading.extraction.values import MAX_ANSWER_CHARS, Span, is_doubted, is_nothing, last_matches

_OPENS = re.compile(r"\\{1,2}f?box(?:ed)?\s*\{")
_BRACES = re.compile(r"\\{1,2}f?box(?:ed)?\s*\{|\\.|[{}]", re.DOTALL)
_BARE_BOX = re.compile(r"\\boxed\s+(-?\d+(?:[.,/]\d+)*|[A-Za-z]\b|\\\w+)")
_BETWEEN_BOXES = re.compile(
    r"[\s$,;&]*(?:\\\)|\\\]|\\\(|\\\[|\\quad|\\text\{[^{}]{0,12}\}|and|or|[A-Za-z]\w{0,2}(?:\([a-z]\))?\s*=|[\s$,;&]){0,12}"
)
_MAX_BETWEEN = 60
_NAME_BEFORE = re.compile(r"(?<![A-Za-z0-9\\])([A-Za-z](?:_\w|\([a-z]\))?)\s*=\s*$")
_LABEL = re.compile(
    r"(?:^|(?<=[\s*$,;.]))(?:\(([A-Ha-h]|\d|i{1,3}|iv)\)|([A-Ha-h]|\d|i{1,3}|iv)[.)](?=[\s*]))", re.MULTILINE
)
_LABELS = ("abcdefgh", "12345678", ("i", "ii", "iii", "iv"))
_CASE = re.compile(
    r"[\s$,]*(?:\\\)|\\\])?\s*((?:\\text\s*\{\s*)?(?:if|when|for)\b(?:\\text\s*\{[^{}]{0,40}\}|[^.;,\n{}]|[{}](?!\\?box)){1,80})"
)
_JOINED = re.compile(r"(?:\b(?:and|or)\b|[\s$,])*$")
_BETWEEN_CASES = re.compile(r"(?:[\s$,;.&*-]|\\q?quad|\\\(|\\\[|and|or|[A-Za-z]\w{0,2}\s*=){0,20}")
_DENIED = re.compile(r"\b(?:not|never|n['’]t)\s+(?:equal\s+to\s+)?[$\\(\[\s*]*$")
_PREDICATE = re.compile(
    r"\b(?:answer|result|value|solution|it)\s+(?:is|are|equals)[\s:$\\(\[*]*$", re.IGNORECASE
)
_LAST = 64
"""Number of boxes from the end that are read."""


def boxes(text: str) -> list[Span]:
    """The balanced, outermost boxes among the last 64, in order, in linear time; an unclosed box is none."""
    opens = [match.start() for match in reversed(last_matches(_OPENS, text, _LAST))]
    found: list[Span] = []
    end = 0
    for start in opens:
        if start >= end:
            later = [other for other in opens if other >= start]
            end = _reach(later)
            found += _closed(text, start, end)
    found += [Span(m.group(1), m.start(), m.end()) for m in last_matches(_BARE_BOX, text, _LAST)]
    return sorted(found, key=lambda span: span.start)


def _reach(starts: Sequence[int]) -> int:
    """Where to stop reading: an answer's length after the last start within reach of those before."""
    end = starts[0]
    for start in starts:
        if start > end:
            break
        end = start + MAX_ANSWER_CHARS
    return end


def _closed(text: str, start: int, end: int) -> list[Span]:
    found: list[Span] = []
    open_braces: list[tuple[int, int] | None] = []
    for match in _BRACES.finditer(text, start, end):
        token = match.group()
        if token == "}":
            opened = open_braces.pop() if open_braces else None
            if opened is not None:
                _add_outermost(found, _box(text, *opened, match.start()))
        elif token == "{":
            open_braces.append(None)
        elif len(token) > 2:
            open_braces.append((match.start(), match.end()))
    return found


def _box(text: str, start: int, inner: int, close: int) -> Span:
    """The box; one whose backslash was doubled, in JSON for example, has all of them doubled."""
    content = text[inner:close]
    if text.startswith("\\\\", start):
        content = content.replace("\\\\", "\\")
    return Span(content, start, close + 1)


def _add_outermost(found: list[Span], box: Span) -> None:
    while found and found[-1].start > box.start:
        found.pop()
    found.append(box)


def last_boxed(text: str) -> Span | None:
    """The last box that says something, joined with those before it that form one answer with it.

    These are separated by nothing but commas, "and", "or" ("2, 3"), or each has a label ("(a) 2, (b) 3").
    """
    said = [box for box in boxes(text) if not is_nothing(box.text) and not _is_denied(text, box)]
    if not said:
        return None
    if labelled := _labelled(text, said):
        parts = [f"({label}) {box.text.strip()}" for label, box in labelled]
        return Span(", ".join(parts), labelled[0][1].start, said[-1].end)
    if cases := _cases(text, said):
        return cases
    group = [said[-1]]
    for box in reversed(said[:-1]):
        between = text[box.end : min(group[-1].start, box.end + _MAX_BETWEEN + 1)]
        if len(between) > _MAX_BETWEEN or not _BETWEEN_BOXES.fullmatch(between) or "\n\n" in between:
            break
        group.append(box)
    group.reverse()
    parts = [_named(box, text) for box in group] if len(group) > 1 else [group[0].text.strip()]
    return Span(", ".join(parts), group[0].start, group[-1].end)


def _cases(text: str, said: Sequence[Span]) -> Span | None:
    """ "\\boxed{n - 1} if n is even, \\boxed{n} if n is odd": the last boxes with their cases."""
    run: list[tuple[Span, str]] = []
    start = len(text)
    for box in reversed(said):
        behind = text[box.end : min(start, box.end + MAX_ANSWER_CHARS)]
        case = _CASE.match(behind)
        if case is None or (run and _BETWEEN_CASES.fullmatch(behind, case.end()) is None):
            break
        run.insert(0, (box, case[1]))
        start = box.start
    if len(run) < 2:
        return None
    end = run[-1][0].end + len(run[-1][1])
    said_cases = (f"${box.text.strip()}$ {_JOINED.sub('', case)}" for box, case in run)
    return Span("; ".join(said_cases), run[0][0].start, end)


def _labelled(text: str, said: Sequence[Span]) -> list[tuple[str, Span]]:
    """The last boxes with their labels, if these count up from the first one: (a), (b), ..."""
    if len(said) < 2:
        return []
    labels = list(_labels(text, said))
    for series in _LABELS:
        run: list[tuple[str, Span]] = []
        for box, label in reversed(list(zip(said, labels, strict=True))):
            if label not in series or (run and series.index(label) + 1 != series.index(run[0][0])):
                break
            run.insert(0, (label, box))
            if label == series[0]:
                return run if len(run) > 1 else []
    return []


def _labels(text: str, said: Sequence[Span]) -> Iterator[str]:
    """The label of each box, "" if none: it stands right before the box, or begins a line."""
    end = 0
    for box in said:
        before = text[max(end, box.start - MAX_ANSWER_CHARS) : box.start]
        marks = [m for m in _LABEL.finditer(before) if _introduces(before, m)]
        yield (marks[-1][1] or marks[-1][2]).lower() if marks else ""
        end = box.end


def _introduces(before: str, mark: re.Match[str]) -> bool:
    line = before.rfind("\n", 0, mark.start()) + 1
    return not before[line : mark.start()].strip(" \t*#>$-,;.:") or len(before) - mark.end() <= _MAX_BETWEEN


def _named(box: Span, text: str) -> str:
    """The box with the name before it: "x = 2" of $x = \\boxed{2}$."""
    name = _NAME_BEFORE.search(text[max(0, box.start - 12) : box.start])
    return f"{name[1]} = {box.text.strip()}" if name else box.text.strip()


def _is_denied(text: str, box: Span) -> bool:
    before = text[max(0, box.start - 200) : box.start]
    if _DENIED.search(before):
        return True
    predicate = _PREDICATE.search(before)
    return predicate is not None and is_doubted(before, predicate.start())
