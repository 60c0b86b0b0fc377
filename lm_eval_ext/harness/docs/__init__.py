"""Data sets as documents: one module a family, each opening with a real example row.

Every document has `problem` and `gold`; the rest is for few-shot prompts and breakdowns.
"""
