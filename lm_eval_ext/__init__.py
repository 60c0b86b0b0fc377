"""Math evaluation for lm-evaluation-harness: tasks, a layered grader, and training rewards."""

__version__ = "0.1.0"
