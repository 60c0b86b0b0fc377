"""Answers without an announcement: a last sentence that concludes with a value, a response that is one."""

from __future__ import annotations

import re

from lm_eval_ext.grading.extraction.values import (
    MAX_VALUE_CHARS,
    Span,
    is_doubted,
    is_value,
    tidy,
    without_courtesy,
)

_MAX_SENTENCE_CHARS = 600
_OPTIONS = re.compile(r"\s*\(?A[:.)][^\n]*\n\s*\(?B[:.)]")
_QED = re.compile(
    r"(?:\s|\$|\\\(|\\\[)*(?:\\(?:blacksquare|square|Box|qedsymbol|qed)|∎|■|□|Q\.?E\.?D\.?)(?:\s|\$|\\\)|\\\]|\.)*$"
)
FINISHED = re.compile(r"(?:(?<!\.)[.!][\s*_\"”)$]*|\$\$|\\\])$")
BREAK = re.compile(r"(?<!\b[ei]\.[eg])[.!?][*_)\"”]*\s+(?=[A-Z*_$\\\"“(])|\n\s*\n|\n(?=[-*#\d]|[A-Z])")
CUE = re.compile(
    r"[\s*_>#-]*(?:(?:And|But)\s+)?(?:So|Thus|Therefore|Hence|Consequently|Accordingly|Finally|Altogether|Overall|"
    r"Ultimately|In\s+(?:conclusion|total|summary|short|all|the\s+end)|To\s+conclude|As\s+a\s+result|Then|This\s+(?:means|shows|"
    r"implies|gives)|It\s+follows|We\s+(?:conclude|see|find|get|have|obtain)|Conclusion(?=\s*:))\b(?:\s+that)?"
    r"\s*[,:]?\s+"
    r"(?:(?:we|one)\s+(?:\w+ly\s+)?(?:have|gets?|obtains?|finds?|sees?|conclude)\b(?:\s+that)?[,:]?\s+)?"
)
_COPULA = re.compile(
    r"(?:\b(?:is|are|was|were|equals?|be|totals|yields|gives|becomes)|=|\bcomes?\s+(?:out\s+)?to|\bamounts?\s+to|(?<=\w)(?=:\s))"
    r"(?:\s*:)?(?:\s+(?:equal\s+to|given\s+by|exactly|precisely|simply|just|therefore|thus|then))*[\s:]+"
)
_THUS = re.compile(r"\b(?:is|are|equals)\s+(?:thus|therefore|hence|consequently),?\s")
_NONE = re.compile(
    r"(?:[^.,;:?]{0,80}\s)?(no\s+(?:(?:real|integer|positive|rational|natural|such)\s+){0,2}(?:solutions?|roots?)"
    r"(?:\s+exists?)?)"
)
HEDGED = re.compile(
    r"\b(?:not|cannot|never|n['’]t|neither|nor|at\s+(?:least|most)|(?:less|greater|more|fewer|smaller|larger|higher)\s+than|"
    r"if|suppose|assume|assuming|let|consider|either|whether|unless|need|want|try|check|would|could|might|may|should|"
    r"contradiction|impossible|divides|divisible|multiple|mod|when|case|step|first|next|now|hedged)\b|n['’]t\b|\?",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r",?\s+(?:as\s+(?:desired|required|claimed|wanted|requested|expected|needed)|because|since|which|where)\b.*$",
    re.DOTALL,
)
_QUANTITY = re.compile(
    r"(?<!\\)\$[^$]+\$|\\\(.*?\\\)"
    r"|(?<![\w.])(?:\\?[$€£])?(?:\d{1,3}(?:\.\d{3}){2,}|\d{1,3}(?:[ \u202f\xa0]\d{3})+"
    r"|\d[\d,]*(?:\.\d+)?)(?:/\d+)?%?(?![\w])",
    re.DOTALL,
)
_ASSIGNED = re.compile(r"\b(?:is|are|equals)\s+[$\\\d(-]")
_LETTERS = re.compile(r"(?<!\\)(?<![A-Za-z])[A-Za-z]|^\D*$")


def conclusion(text: str) -> Span | None:
    """The value of the last sentence, if that is finished and concludes: "So the probability is 2/3."."""
    shown = _QED.sub("", without_courtesy(text[-4 * _MAX_SENTENCE_CHARS :]))
    offset = max(0, len(text) - 4 * _MAX_SENTENCE_CHARS)
    if not FINISHED.search(shown):
        return None
    breaks = [b.end() for b in BREAK.finditer(shown) if b.end() < len(shown.rstrip())]
    start = breaks[-1] if breaks else 0
    cue = CUE.match(shown, start)
    sentence = shown[start:]
    if (
        (cue is None and not _THUS.search(sentence))
        or len(sentence) > _MAX_SENTENCE_CHARS
        or (not breaks and offset)
    ):
        return None
    start = cue.end() if cue else start
    said = _REMARK.sub("", shown[start:])
    if HEDGED.search(said) or is_doubted(shown, len(shown)):
        return None
    value = _value(said)
    return Span(value, offset + start, offset + len(shown), "conclusion") if value else None


def _value(said: str) -> str | None:
    """The value of the sentence: after "is", a formula "x = 2", or its only number."""
    if len(_ASSIGNED.findall(said)) > 1:
        return None  # "the minimum is 5 and the maximum is 9"
    if none := _NONE.fullmatch(tidy(said)):
        return none[1]
    for copula in reversed(list(_COPULA.finditer(said))):
        if is_value(value := tidy(said[copula.end() :]), 6) and copula.group().strip() != "=":
            return value
    if is_value(whole := tidy(said), 3) and "=" in whole:
        return whole
    quantities = _QUANTITY.findall(said)
    return quantities[0].strip() if len(quantities) == 1 and not _LETTERS.search(quantities[0]) else None


def whole_response(text: str) -> Span | None:
    """The response itself, if it is a value and nothing else: "28 percent"."""
    shown = without_courtesy(text[: 2 * MAX_VALUE_CHARS + 400])
    too_long = len(text) > 2 * MAX_VALUE_CHARS + 400 or shown.count("\n") > 4
    if too_long or _OPTIONS.match(shown) or not is_value(shown):
        return None
    return Span(tidy(shown), len(text) - len(text.lstrip()), len(shown), "whole response")
