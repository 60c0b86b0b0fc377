"""Data sets as documents, one module per family, each with a real example row at the top.

Every document has `problem` and `gold`; other fields are for few-shot prompts and breakdowns.
"""
