"""A first stage for tests of the pool: equal is what begins with the same word; the gold's second word is
what happens."""

import os
import signal
import time

from lm_eval_ext.grading.types import Outcome


def compare(answer, gold):
    happens = gold.split()[-1]
    if happens == "dies-at-once":
        os.kill(os.getpid(), signal.SIGKILL)
    if happens == "hangs-at-once":
        time.sleep(600)
    if happens == "raises-at-once":
        raise ZeroDivisionError(answer)
    if happens in ("quick", "dies-at-once"):
        return Outcome(answer.split()[0] == gold.split()[0], "quick", "quickly")
    return None
