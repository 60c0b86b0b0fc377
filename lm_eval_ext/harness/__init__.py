"""What lm-eval calls: the task class, the filter `grade_math`, metrics, documents and the protocol.

Task YAMLs name everything by its full path (`!function lm_eval_ext.harness.task.MathTask`), so that each
module is loaded once and no task folder needs a `utils.py`.
"""
