"""Training on the evaluation's own grader. Nothing here yet. It may import `lm_eval_ext`, never the reverse."""
