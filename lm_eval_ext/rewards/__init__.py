"""Verifiers: one verdict for the evaluation and for the trainers' rewards."""

from lm_eval_ext.rewards.accuracy import AccuracyReward
from lm_eval_ext.rewards.completions import Completion, golds_of, text_of
from lm_eval_ext.rewards.types import Score, Verifier, verifier

__all__ = ["AccuracyReward", "Completion", "Score", "Verifier", "golds_of", "text_of", "verifier"]
