"""Everything after the responses exist: runs read back, graded again, compared, reported, held to baselines.

Rooms, from the ground up:

- stats: intervals and tests; protocols: settings that two runs must share
- samples, runs: what lm-eval logged, read back; writing, records: written in the same layout
- adapters, flips, regrade, regrade_tables: graded again; imports, imported: files of responses as runs
- pairs, comparison, compare, breakdown, findings: two runs side by side
- baselines, check, verdicts: recorded figures and recorded verdicts
- audit, quality: a blind sample to label, and what the labels say of the grader
- report/: all of it as one page
"""
