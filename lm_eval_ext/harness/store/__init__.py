"""The run store keeps responses in chunks, so that a killed evaluation can be resumed.

chunks     requests cut at fixed places
settings   what all chunks of a run share
folder     the files
engines    what the store needs from the engines of lm-eval
model      the lm-eval model that asks the store first, and starts its engine only if it must
run        `lm-eval-ext run --resume`
"""
