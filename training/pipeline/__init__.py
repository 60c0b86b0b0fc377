"""The loop: recipes go in; checkpoints, merged, evaluated and compared with the base, come out.

Rooms, from the ground up: `steps` (commands that are done once), `stage` (one recipe: train, merge, validate,
pick, evaluate), `loop` (the base, every recipe in turn, the comparison), `summary` (tables and curves).
`lm-eval-ext train pipeline --config C` does it all.
"""
