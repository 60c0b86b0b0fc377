"""`lm-eval-ext serve` under load: many clients, answers that hang the comparison, a worker that is killed.

    python -m benchmarks.serve --requests 10000 --clients 64 --out serve.json

Every request holds one new pair that only the workers can decide, and its reply is compared with the known
verdict: a hanging pair must come back undecided, every other one right or wrong as it is. Clients retry only
what was refused with 429.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from benchmarks.about import about
from benchmarks.figures import latency
from benchmarks.memory import memory
from benchmarks.report import table

_LISTENS = re.compile(r"listening on (http://\S+)")


@dataclass(frozen=True)
class Served:
    """A server under way."""

    url: str
    process: subprocess.Popen[str]

    def post(self, connection: http.client.HTTPConnection, path: str, body: Any) -> tuple[int, Any]:
        """Status and reply."""
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=300)

    def workers(self) -> list[psutil.Process]:
        """The processes that compare answers: the fork server's children."""
        return [
            worker
            for child in psutil.Process(self.process.pid).children()
            for worker in child.children()
            if worker.status() != psutil.STATUS_ZOMBIE
        ]


@contextmanager
def served(*options: str) -> Iterator[Served]:
    """A server on a free port, ended by SIGTERM. Raises RuntimeError if it does not start."""
    command = [sys.executable, "-m", "lm_eval_ext.cli", "serve", "--port", "0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            first = process.stderr.readline()
            found = _LISTENS.search(first)
            if found is None:
                raise RuntimeError(f"the server did not start: {first}{process.stderr.read()}")
            yield Served(found[1], process)
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(60)
            process.kill()


@dataclass(frozen=True)
class Reply:
    """What a client got: the verdict, or the status that ended it; seconds until then; refusals with 429."""

    status: int
    correct: bool | None
    seconds: float
    refused: int = 0


def pair(number: int, hanging: int) -> tuple[dict[str, str], bool | None]:
    """A row for `/score` and its verdict; computer algebra never ends on every `hanging`-th."""
    if hanging and number % hanging == hanging // 2:
        answer = rf"$\sum_{{k=1}}^{{{100_000 + number}}} \frac{{1}}{{k^{{k}}+\sin k}}$"
        return {"response": f"Final answer: {answer}", "gold": "1.2912"}, None
    right = number % 2 == 0
    value = (2 * number + 1) / 4 if right else number
    return {"response": rf"Final answer: $\frac{{{2 * number + 1}}}{{4}}$", "gold": str(value)}, right


def ask(server: Served, connection: http.client.HTTPConnection, row: dict[str, str]) -> Reply:
    """One request, repeated while the queue is full."""
    start = time.perf_counter()
    for refused in itertools.count():
        status, reply = server.post(connection, "/score", {"rows": [row]})
        if status == 429:
            time.sleep(0.1)
            continue
        correct = reply["scores"][0]["correct"] if status == 200 else None
        return Reply(status, correct, time.perf_counter() - start, refused)
    raise AssertionError


def load(server: Served, numbers: Sequence[int], clients: int, hanging: int) -> list[Reply]:
    """The replies to these requests, from a number of clients with a connection each."""
    local = threading.local()

    def one(number: int) -> Reply:
        if not hasattr(local, "connection"):
            local.connection = server.connection()
        try:
            return ask(server, local.connection, pair(number, hanging)[0])
        except (OSError, http.client.HTTPException):
            local.connection = server.connection()
            return Reply(0, None, 0.0)

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(one, numbers))


def measure(requests: int, clients: int, hanging: int, workers: int, timeout_s: float) -> dict[str, Any]:
    """Figures of one load; a tenth of the requests comes before it, so that memory is compared warm."""
    with served("--workers", str(workers), "--timeout", str(timeout_s)) as server:
        load(server, range(requests, requests + requests // 10), clients, 0)
        before = memory(server.process.pid)
        ended = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            killer = pool.submit(kill_one, server, ended)
            start = time.perf_counter()
            replies = load(server, range(requests), clients, hanging)
            seconds = time.perf_counter() - start
            ended.set()
        after = memory(server.process.pid)
    expected = [pair(number, hanging)[1] for number in range(requests)]
    pairs = list(zip(replies, expected, strict=True))
    usual = [1000 * reply.seconds for reply, verdict in pairs if verdict is not None]
    return {
        "requests": requests,
        "clients": clients,
        "hanging": expected.count(None),
        "workers": workers,
        "timeout_s": timeout_s,
        "seconds": seconds,
        "requests_per_s": requests / seconds,
        "not_answered": sum(reply.status != 200 for reply in replies),
        "wrong_verdicts": sum(reply.correct is not verdict for reply, verdict in pairs),
        "refused_429": sum(reply.refused for reply in replies),
        "statuses": {str(status): n for status, n in Counter(reply.status for reply in replies).items()},
        "workers_killed": killer.result(),
        **latency([1000 * reply.seconds for reply in replies]),
        "without_hanging": latency(usual),
        "server_mb": [before.own, after.own],
        "all_mb": [before.total, after.total],
    }


def kill_one(server: Served, ended: threading.Event) -> int:
    """Kills a worker with SIGKILL as soon as one has started; the number killed before the load ended."""
    while not ended.wait(0.05):
        if workers := server.workers():
            workers[0].kill()
            return 1
    return 0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--hanging", type=int, default=100, help="every n-th request hangs; 0: none")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=1.0, help="seconds for one comparison")
    parser.add_argument("--out", type=Path, help="JSON file of the figures; default: only the table")
    given = parser.parse_args()
    start = about()
    found = measure(given.requests, given.clients, given.hanging, given.workers, given.timeout)
    print(table(["measured", ""], {**start, **found}.items()))
    if given.out:
        given.out.write_text(json.dumps({"about": start, **found}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
