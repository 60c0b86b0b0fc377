"""Rewards over HTTP, from any trainer or language.

pip install 'lm-eval-ext[serve]'
lm-eval-ext serve --port 8000
python examples/http_reward.py http://localhost:8000
"""

import sys

import requests

ROWS = [
    {"response": "2 + 2 = 4. Final answer: 4", "gold": "4"},
    {"response": "Final answer: B", "gold": "B", "problem": "Which is larger?\n(A) 3\n(B) 4"},
    {"response": "Final answer: the blue one", "gold": "whichever is larger"},
]


def scores(url: str, rows: list[dict[str, str]], task: str = "mathnet") -> list[dict[str, object]]:
    """A score for each row, graded as the task grades; `value` is None where undecided."""
    reply = requests.post(f"{url}/score", json={"rows": rows, "task": task}, timeout=60)
    reply.raise_for_status()
    return reply.json()["scores"]


if __name__ == "__main__":
    for score in scores(sys.argv[1], ROWS):
        print(score["value"], score["reason"] or "")
