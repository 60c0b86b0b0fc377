"""The rewards of a recipe: its rows' own verifiers, and what else its list of `rewards` names.

setup      from a recipe to what TRL is given
scoring    each batch of completions, scored once for all rewards
batch      completions with their rows and the scores of those
terms      the kinds of rewards
rollouts   every rollout, recorded with its verifier and its rewards
"""

from .batch import Grading
from .rollouts import discard_rollouts
from .scoring import RewardFunction, RewardSet
from .setup import gradings_of, rewards

__all__ = ["Grading", "RewardFunction", "RewardSet", "discard_rollouts", "gradings_of", "rewards"]
