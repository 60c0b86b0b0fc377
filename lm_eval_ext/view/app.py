"""The pages over HTTP: on loopback only, one request in, one page out, nothing kept between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from lm_eval_ext.analysis import pages as shared
from lm_eval_ext.view import pages
from lm_eval_ext.view.follow import View
from lm_eval_ext.view.pages import Missing

HOST = "127.0.0.1"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_PAGES: dict[str, Callable[..., str]] = {
    "/": pages.overview,
    "/samples": pages.samples,
    "/sample": pages.sample,
    "/compare": pages.compare,
}
_FILES = {
    "/style.css": "text/css",
    "/view.css": "text/css",
    "/theme.js": "text/javascript",
    "/view.js": "text/javascript",
}


@dataclass(frozen=True)
class Reply:
    """An HTTP response."""

    status: int
    kind: str
    body: str


def respond(view: View, target: str) -> Reply:
    """The response to a request for a path and query."""
    url = urlsplit(target)
    if url.path == "/version":
        return Reply(200, "text/plain", str(view.index.version))
    if kind := _FILES.get(url.path):
        return Reply(200, kind, shared.environment("lm_eval_ext.view").get_template(url.path[1:]).render())
    given = {name: value for name, value in parse_qsl(url.query) if value}
    try:
        if url.path not in _PAGES:
            raise Missing(f"There is no page {url.path}.")
        return Reply(200, "text/html", _PAGES[url.path](view, given))
    except Missing as error:
        return Reply(404, "text/html", pages.message(view, str(error)))
    except (ValueError, OSError) as error:
        return Reply(400, "text/html", pages.message(view, f"This page cannot be shown: {error}"))


class _Handler(BaseHTTPRequestHandler):
    """Answers GET requests that name this server in `Host`: names of others may lead here (DNS rebinding)."""

    view: View
    server_version = "lm-eval-ext"

    def do_GET(self) -> None:
        _, port, *_ = self.connection.getsockname()
        if self.headers.get("Host") not in {f"{name}:{port}" for name in (HOST, "localhost")}:
            self._send(Reply(421, "text/plain", "this server answers to localhost only\n"))
        else:
            self._send(respond(self.view, self.path))

    def _send(self, reply: Reply) -> None:
        body = reply.body.encode("utf-8", "backslashreplace")
        self.send_response(reply.status)
        sent = {"Content-Type": f"{reply.kind}; charset=utf-8", "Content-Length": str(len(body)), **_HEADERS}
        for name, value in sent.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not logged."""


def server(view: View, port: int) -> ThreadingHTTPServer:
    """A server of the view on loopback; port 0: a free one. Raises OSError if the port is in use."""
    return ThreadingHTTPServer((HOST, port), type("Handler", (_Handler,), {"view": view}))
