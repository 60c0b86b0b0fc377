"""Rows to train on.

Rooms, from the ground up: `documents` (problems with worked solutions), `rows` (their shapes), `build` (what
a recipe asks for).
"""
