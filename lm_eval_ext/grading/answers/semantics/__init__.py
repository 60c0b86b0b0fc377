"""From the text of an answer to what it claims: `read(text)` returns its parts, mostly one `Answer`.

In the order in which the text passes through them:

reader         text to parts: removes markup, splits into parts and sentences, reads each
segments       labelled parts: "a) 4; b) No"
features       "center (2, -3), radius 5"
decisions      yes, no, no solution, a letter of choice, who wins
clauses        tokens to clauses, and how each is joined to the one before
token_cleanup  a clause without the words around its mathematics
conditions     what limits a letter: "odd n >= 3"
unknowns       the unknowns that an equation gives values to
values         what a clause with a value adds to the state
solutions      clauses to an answer; `state` holds what has been read so far
claims         the result: `Answer` and its `Solution`s

`phrases` has questions about runs of tokens that all of them ask.
"""

from lm_eval_ext.grading.answers.semantics.claims import Answer, Solution
from lm_eval_ext.grading.answers.semantics.reader import read

__all__ = ["Answer", "Solution", "read"]
