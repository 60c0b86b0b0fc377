"""Training on the evaluation's own grader: recipes in, checkpoints out. May import `lm_eval_ext`."""
