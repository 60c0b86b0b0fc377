"""A reward for verl with settings of its own: the file that `custom_reward_function` names.

reward:
  custom_reward_function:
    path: examples/verl_reward.py
    name: compute_score
"""

from functools import partial

from lm_eval_ext.rewards import adapters

compute_score = partial(adapters.compute_score, extract="boxed", undecided=0.0)
