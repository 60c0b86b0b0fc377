"""The verifiers over HTTP: `POST /score`, `POST /get_reward` (OpenRLHF's protocol), `/health`, `/metrics`.

Requests wait in memory, up to a number of responses; beyond it they are refused with 429, never dropped.
Answers are compared in the processes of one `Grader`, which are killed and replaced when they hang or die.
"""

from __future__ import annotations

import asyncio
import functools
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    exposition,
    generate_latest,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lm_eval_ext.rewards import adapters
from lm_eval_ext.rewards.messages import TASK, Fault, RewardReply, RewardRequest, ScoreReply, ScoreRequest
from lm_eval_ext.rewards.types import Score

Result = TypeVar("Result")
THREADS = 64
"""Requests graded at once; the others wait."""
_SHOWN_FAULTS = 5
_PATHS = ("/score", "/get_reward", "/health", "/metrics")
Settings = dict[str, Any]


@dataclass(frozen=True)
class ServerConfig:
    """Settings of the server.

    Attributes:
        defaults: settings of `adapters.score` for requests that name neither a task nor a verifier.
        math: settings of every `math` verifier, such as `workers` and `timeout_s`.
        task_settings: the settings of `adapters.score` that grade as a task does. Raises ValueError for an
            unknown one.
        queue: maximum number of responses that are graded or wait.
        max_bytes: maximum size of a request.
        undecided: reward of undecided responses where the protocol has no null.
    """

    defaults: Settings = field(default_factory=dict)
    math: Settings = field(default_factory=dict)
    task_settings: Callable[[str], Settings] | None = None
    queue: int = 16_384
    max_bytes: int = 64 * 2**20
    undecided: float = 0.0


class AsciiJson(JSONResponse):
    """JSON that can hold every answer: half of a surrogate pair, too, which UTF-8 cannot."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False).encode()


class Scoring:
    """Scores batches in threads, within the bound of the queue."""

    def __init__(self, config: ServerConfig) -> None:
        self.config = config
        self.waiting = 0
        self._threads = ThreadPoolExecutor(THREADS, "score")
        self._task_settings = functools.cache(config.task_settings) if config.task_settings else None

    def check(self) -> None:
        """Makes the verifier of requests that name none, and starts its workers. Raises ValueError."""
        settings = self.settings()
        trial = settings.get("verifier", "math") == "math"
        adapters.score(["Final answer: 1/2"] * trial, [{"gold": "0.5"}] * trial, **settings)

    async def run(self, number: int, call: Callable[[], Result]) -> Result:
        """The result of `call`, which scores a number of responses. Raises HTTPException."""
        with self._admitted(number):
            try:
                return await asyncio.get_running_loop().run_in_executor(self._threads, call)
            except ValueError as error:
                raise HTTPException(422, str(error)) from error
            except RuntimeError as error:  # no worker could start
                raise HTTPException(503, str(error), {"Retry-After": "10"}) from error

    @contextmanager
    def _admitted(self, number: int) -> Iterator[None]:
        most = self.config.queue
        if number > most:
            raise HTTPException(413, f"{number} responses; send at most {most} in one request")
        if self.waiting + number > most:
            raise HTTPException(
                429,
                f"the queue is full: {self.waiting} of {most} responses are waiting; retry, or start the "
                "server with a larger --queue",
                {"Retry-After": "1"},
            )
        self.waiting += number
        try:
            yield
        finally:
            self.waiting -= number

    def settings(self, task: str | None = None, **given: Any) -> Settings:
        """The settings of `adapters.score` for a request that gives these. Raises ValueError for its task."""
        own = {name: value for name, value in given.items() if value is not None}
        if task is not None:
            if self._task_settings is None:
                raise ValueError("task: this server knows no tasks")
            own = {**self._task_settings(task), **own}
        found = own if task is not None or "verifier" in own else {**self.config.defaults, **own}
        math = found.get("verifier", "math") == "math"
        return {**(self.config.math if math else {}), **found}


class Metrics:
    """What Prometheus reads at `/metrics`."""

    def __init__(self, scoring: Scoring) -> None:
        self.registry = CollectorRegistry()
        self.responses = self._made(Counter, "responses", "Scored responses", "verdict")
        self.requests = self._made(Counter, "requests", "Requests", "path", "status")
        self.seconds = self._made(Histogram, "request_seconds", "Time to reply", "path")
        self._made(Gauge, "waiting_responses", "Responses graded or waiting").set_function(
            lambda: scoring.waiting
        )
        ProcessCollector(registry=self.registry)

    def _made(self, kind: Any, name: str, text: str, *labels: str) -> Any:
        return kind(f"lm_eval_ext_{name}", text, labels, registry=self.registry)

    def count(self, correct: list[bool | None]) -> None:
        names = {True: "correct", False: "wrong", None: "undecided"}
        for verdict, name in names.items():
            self.responses.labels(name).inc(correct.count(verdict))


class Guard:
    """Refuses requests that are too large with 413, and measures every request."""

    def __init__(self, app: ASGIApp, max_bytes: int, metrics: Metrics) -> None:
        self.app, self.max_bytes, self.metrics = app, max_bytes, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in _PATHS else "other"
        start, size = time.perf_counter(), 0

        async def limited() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self.max_bytes:
                raise HTTPException(413, f"the request is larger than {self.max_bytes / 2**20:g} MiB")
            return message

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.metrics.requests.labels(path, message["status"]).inc()
                self.metrics.seconds.labels(path).observe(time.perf_counter() - start)
            await send(message)

        await self.app(scope, limited, counted)


def create_app(config: ServerConfig) -> FastAPI:
    """The server's application. Raises ValueError if its verifier does not exist."""
    scoring = Scoring(config)
    scoring.check()
    metrics = Metrics(scoring)
    faults: dict[int | str, dict[str, Any]] = {code: {"model": Fault} for code in (413, 422, 429, 503)}
    app = FastAPI(
        title="lm-eval-ext", description=__doc__, responses=faults, default_response_class=AsciiJson
    )
    app.add_middleware(Guard, max_bytes=config.max_bytes, metrics=metrics)
    app.exception_handler(RequestValidationError)(_invalid)

    @app.post("/score")
    async def score(request: ScoreRequest) -> ScoreReply:
        """Scores responses against their reference answers."""
        given = {name: getattr(request, name) for name in ("task", "verifier", "extract", "stops")}

        def call() -> list[Score]:
            settings = scoring.settings(**given)
            rows = [row.model_dump(exclude_none=True) for row in request.rows]
            if settings.get("verifier", "math") == "math":
                _check_golds(rows)
            return adapters.score([row["response"] for row in rows], rows, **settings)

        scores = await scoring.run(len(request.rows), call)
        metrics.count([each.correct for each in scores])
        return ScoreReply(scores=scores)

    @app.post("/get_reward")
    async def get_reward(
        request: RewardRequest,
        task: Annotated[str | None, Query(pattern=TASK)] = None,
        extract: str | None = None,
    ) -> RewardReply:
        """Rewards in OpenRLHF's protocol; `?task=NAME` grades as that task does."""

        def call() -> dict[str, Any]:
            settings = {"undecided": config.undecided, **scoring.settings(task, extract=extract)}
            return adapters.reward_func(request.query, request.prompts, request.labels, **settings)

        reply = RewardReply(**await scoring.run(len(request.query), call))
        undecided = reply.extra_logs["undecided"]
        metrics.count(
            [None if gap else reward == 1.0 for reward, gap in zip(reply.rewards, undecided, strict=True)]
        )
        return reply

    @app.get("/health")
    async def health() -> dict[str, Any]:
        """That the server runs, and how many responses are graded or wait."""
        return {"status": "ok", "waiting": scoring.waiting, "queue": config.queue}

    @app.get("/metrics")
    async def read_metrics() -> Response:
        """Metrics in Prometheus' text format."""
        return Response(generate_latest(metrics.registry), media_type=exposition.CONTENT_TYPE_LATEST)

    return app


def _check_golds(rows: list[dict[str, Any]]) -> None:
    missing = [number for number, row in enumerate(rows) if not row.keys() & {"gold", "solution"}]
    if missing:
        raise ValueError(f"rows[{missing[0]}].gold: missing, as in {len(missing)} of {len(rows)} rows")


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """A reply that names each field at fault."""
    assert isinstance(error, RequestValidationError)
    faults = [f"{_place(fault['loc'])}: {fault['msg']}" for fault in error.errors()]
    more = f"; and {len(faults) - _SHOWN_FAULTS} more" if len(faults) > _SHOWN_FAULTS else ""
    return AsciiJson({"detail": "; ".join(faults[:_SHOWN_FAULTS]) + more}, 422)


def _place(location: tuple[str | int, ...]) -> str:
    """`rows[3].gold` of ("body", "rows", 3, "gold")."""
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location[1:])
    return place[1:] if place.startswith(".") else f"{location[0]}{place}"
