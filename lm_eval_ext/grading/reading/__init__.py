"""Our own reading of answers: cheap, exact, bounded; decides most pairs before computer algebra is asked.

From the ground up, each room using those above it in this list only:

- words, signs: the vocabulary, as data; tree: what an answer is read into
- lexer, stream, functions, applications, expressions, grammar: from text to expressions and relations
- numbers, operations, arithmetic, residues: the value of an expression; identity: whether two are the same
- conditions, truth: "n >= 2", "even", "a multiple of 4": read, and whether it holds somewhere
- trimming, decisions, clauses, names, assembly, solutions, parts, phrases: from text to solutions
- scalars, values, ranges, items: one solution against another; regions, families: infinite sets
- expansion, matching, compare: two answers against each other; describe: an answer read, in words
"""

from __future__ import annotations

from lm_eval_ext.grading.reading.compare import compare

__all__ = ["compare"]
