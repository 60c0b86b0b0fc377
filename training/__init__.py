"""Training on the evaluation's own grader. Nothing here yet; it may import `lm_eval_ext`, never the reverse."""
