"""Training on the evaluation's own grader. Nothing here yet. May import `lm_eval_ext`, never the reverse."""
