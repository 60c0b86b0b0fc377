"""The run store: responses kept in chunks, so that a killed evaluation continues where it stopped.

chunks     requests cut at fixed places, and what makes two chunks the same
settings   what all chunks of a run share, and which of it differs from an earlier run
folder     the files: written whole, checked when read, locked while a run writes
model      the lm-eval model that asks the store first, and starts its engine only if it must
resume     `lm-eval-ext run --resume`
"""
