"""A stage whose worker takes a while to start, as one that loads computer algebra does."""

import time

from tests.grading import quick_stage


def compare(answer, gold):
    if gold == "0.5":  # what a worker is tried with before its first task
        time.sleep(0.2)
    return quick_stage.compare(answer, gold)
