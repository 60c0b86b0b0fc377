"""Answers read and compared: cheap, exact, bounded; decides most pairs before computer algebra is asked.

Each stage imports those above it in this list only:

lexicon     English words and LaTeX commands, as data
lexing      text to tokens
syntax      tokens to expressions and relations
numeric     the value of an expression, exact or to any precision; predicates on numbers
semantics   expressions and English to what an answer claims: solutions, conditions, families, parts
comparison  two claims to an outcome
"""

from __future__ import annotations

from lm_eval_ext.grading.answers.comparison.answers import compare

__all__ = ["compare"]
