"""Logged runs: read back, compared, graded again, reported, checked against baselines.

In this order, each importing only earlier ones (and `report/` before `audit`):

- stats: intervals and tests; tables: tables and their formats; protocols: settings that two runs must share
- lm_eval_files: lm-eval's results and samples files, read and written; aggregation: their scores;
  runs: what is in them
- pairing, compare, breakdown, compare_output: two runs problem by problem
- regrade/: logged runs and plain files of responses, graded again
- baselines, baseline_check: recorded figures; verdicts: recorded verdicts
- report/: a page on several runs; audit: a blind sample to label, and what the labels say of the grader
"""
