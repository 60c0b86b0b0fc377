"""Merges an adapter into its base, and proves that the result is the model that was trained.

`combine` merges, `proof` says what must hold, `engines` compares vLLM with transformers.
`lm-eval-ext train merge ADAPTER --out DIR` does all of it.
"""
