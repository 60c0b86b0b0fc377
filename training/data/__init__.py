"""Rows to train on.

Rooms, from the ground up: `documents` (problems with worked solutions), `rows` (their shapes), `build` (what
a recipe asks for); `generators` (responses of a model), `sampled` (graded, chunk by chunk), `distill` (the
right ones as data), `difficulty` (how often a problem is solved). `lm-eval-ext train data`: their commands.
"""
