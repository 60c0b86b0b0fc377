"""The whole pipeline: recipes in; checkpoints, merged, evaluated and compared with the base, out.

stage      a command that is run once, and recorded
recipe     the stages of one recipe, and the choice of a checkpoint
stages     the list of all stages
summary    tables and curves of what they made

`lm-eval-ext train pipeline --config C` runs it.
"""
