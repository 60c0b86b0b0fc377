"""An OpenAI-compatible chat server on loopback that answers as scripted: known answers, no model's luck."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Said:
    """One response of the server.

    Attributes:
        text: what the assistant says, or the message of an error.
        status: 200, or an error.
        usage: (prompt, completion) tokens; None: not told.
        headers: more of them.
        hangs: for how long nothing comes, in seconds; ends with the server.
        finish: why the model stopped.
        raw: the body, in place of all of this.
    """

    text: str | None
    status: int = 200
    usage: tuple[int, int] | None = (100, 1)
    headers: dict[str, str] = field(default_factory=dict)
    hangs: float = 0.0
    finish: str = "stop"
    raw: bytes | None = None

    def sent(self) -> bytes:
        """The bytes of the body."""
        return self.raw if self.raw is not None else json.dumps(self.body()).encode()

    def body(self) -> dict[str, Any]:
        if self.status != 200:
            return {"error": {"message": self.text, "type": "scripted", "code": self.status}}
        message = {"role": "assistant", "content": self.text}
        body: dict[str, Any] = {
            "id": "scripted",
            "object": "chat.completion",
            "created": 1,
            "model": "scripted",
        }
        body["choices"] = [{"index": 0, "finish_reason": self.finish, "message": message}]
        if self.usage is not None:
            names = ("prompt_tokens", "completion_tokens")
            body["usage"] = {**dict(zip(names, self.usage, strict=True)), "total_tokens": sum(self.usage)}
        return body


@dataclass
class Server:
    """A server under way.

    Attributes:
        url: its address, up to `/v1`.
        requests: bodies of the requests so far, in order, each with its `headers`.
        most_at_once: requests under way at once, at most.
    """

    url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    most_at_once: int = 0
    under_way: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)

    def prompts(self) -> list[str]:
        """The last message of each request."""
        return [request["messages"][-1]["content"] for request in self.requests]


@contextmanager
def scripted(answer: Callable[[dict[str, Any]], str | Said]) -> Iterator[Server]:
    """Serves `answer(request)`; a text is said with status 200."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with running.lock:
                running.requests.append({**request, "headers": self.headers, "path": self.path})
                running.under_way += 1
                running.most_at_once = max(running.most_at_once, running.under_way)
            answered = answer(request)
            said = Said(answered) if isinstance(answered, str) else answered
            if said.hangs:
                running.closing.wait(said.hangs)
            with running.lock:
                running.under_way -= 1
            self._send(said)

        def _send(self, said: Said) -> None:
            try:
                self.send_response(said.status)
                for name, value in {"Content-Type": "application/json", **said.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said.sent())
            except OSError:  # who asked has lost patience
                self.close_connection = True

        def log_message(self, *args: object) -> None:
            """Silent: one line per request would drown the test report."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running = Server(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serving(answer: Callable[[str], str]) -> Iterator[str]:
    """Serves `answer(last user message)`; yields the address for lm-eval's `base_url`."""
    with scripted(lambda request: answer(request["messages"][-1]["content"])) as server:
        yield f"{server.url}/chat/completions"
