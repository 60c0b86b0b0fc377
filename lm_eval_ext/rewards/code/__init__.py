"""The verifier `code`: runs the program of a response with the asserts of its problem.

extraction  the program in a response
problems    what a row asks for
runner      programs in processes of their own, several at a time
sandbox     what those processes run, and what keeps them apart from the rest
"""

from lm_eval_ext.rewards.code.verifier import Code

__all__ = ["Code"]
