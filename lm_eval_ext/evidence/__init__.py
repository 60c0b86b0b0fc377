"""Everything after the responses exist: runs read back, graded again, compared, reported, held to baselines.

Rooms, from the ground up: `stats` (intervals and tests), `protocols` (settings that two runs must share),
`samples` and `runs` (what lm-eval logged), then one for each command that looks at them.
"""
