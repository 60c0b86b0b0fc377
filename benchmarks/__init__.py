"""Measures the grader beside its peers. `python -m benchmarks.grading --help` says how."""
