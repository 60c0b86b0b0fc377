"""An adapter made one with its base, and the proof that it is the model that was trained.

Rooms, from the ground up: `combine` (the merge itself), `proof` (what must hold of it), `engines` (vLLM
beside transformers). `lm-eval-ext train merge ADAPTER --out DIR` does all of it.
"""
