"""The outermost layer of every request: correlation id, HEAD, one log line, metrics, last resort.

Owns the answer to a failure that nothing within handled, and that a HEAD is answered as its GET
would be. A WebSocket is a request of status 101 that takes as long as it is open, or is refused as
any other. Plain ASGI: nothing is buffered.
"""

import re
import time
from contextlib import suppress

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridtally.database import for_all_customers
from gridtally.http.context import ANSWER_BEGINS
from gridtally.http.problems import of_exception
from gridtally.kernel.ids import new_id
from gridtally.observability.metrics import Metrics

CORRELATION_HEADER = "X-Correlation-Id"
_ACCEPTED = re.compile(r"[A-Za-z0-9._:-]{1,128}")
CLIENT_GONE = 499
"""Counted where the caller went away before there was an answer (nginx's convention)."""
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
KINDS = {"http", "websocket"}
SWITCHING = 101
CLOSE_FAILED = 1011
"""How a WebSocket ends whose service has failed."""
UNMATCHED = "(none)"
"""Stands in metrics for paths and methods that callers invent."""

log = structlog.get_logger(__name__)


class AccessLog:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; other kinds of scope go to the application as they are."""
        if scope["type"] not in KINDS:
            await self._app(scope, receive, send)
            return
        correlation_id = correlation_of(Headers(scope=scope))
        scope.setdefault("state", {})["correlation_id"] = correlation_id
        asked_method = scope.get("method", "GET")
        heads_only = asked_method == "HEAD"
        inner = dict(scope, method="GET") if heads_only else scope
        status, begun_s, ended = 0, time.perf_counter(), False

        async def send_marked(message: Message) -> None:
            nonlocal status, ended
            if ended:
                return
            if message["type"] in ANSWER_BEGINS:
                status = ANSWER_BEGINS[message["type"]] or message["status"]
                MutableHeaders(scope=message)[CORRELATION_HEADER] = correlation_id
            elif heads_only:  # the server then stops what makes the body, as nobody waits for it
                ended, message = True, {"type": message["type"]}
            await send(message)

        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(correlation_id=correlation_id)
        try:
            with for_all_customers():  # whom a request is bound to ends with it
                await self._app(inner, receive, send_marked)
        except Exception as failure:  # noqa: BLE001 - the last resort: logged, answered 500
            answer = of_exception(failure, correlation_id)
            if status == 0:
                await answer(inner, receive, send_marked)
            elif status == SWITCHING:
                with suppress(OSError):  # the caller is gone
                    await send({"type": "websocket.close", "code": CLOSE_FAILED})
        finally:
            took_s = time.perf_counter() - begun_s
            self._log(inner, asked_method, status or CLIENT_GONE, took_s)

    def _log(self, scope: Scope, method: str, status: int, took_s: float) -> None:
        route = getattr(scope.get("route"), "path", UNMATCHED)
        method = method if method in METHODS else UNMATCHED
        self._metrics.answered(method, route, status, took_s)
        log.info(
            "request",
            method=method,
            route=route,
            status=status,
            took_ms=round(took_s * 1000, 1),
        )


def correlation_of(headers: Headers) -> str:
    """The caller's correlation id when it is well formed, else a fresh one."""
    correlation_id = headers.get(CORRELATION_HEADER, "")
    return correlation_id if _ACCEPTED.fullmatch(correlation_id) else str(new_id())
