"""A stage that ends every worker before it is ready."""

import os


def compare(answer, gold):
    os._exit(3)
