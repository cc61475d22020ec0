"""What a request spends: it is charged by the cost of its route, as soon as its key is known.

Owns the answer 429, and the header fields `RateLimit` and `RateLimit-Policy` of every answer to a
key. What a route costs is in `costs`, what a key may spend in `rate_limit`.
"""

import math
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridtally.http.context import ANSWER_BEGINS
from gridtally.http.costs import CALCULATION, UNNAMED, CostClass, cost_of
from gridtally.http.problems import HttpRefusal
from gridtally.http.rate_limit import AT_WORK_RETRY_S, RateLimit, Spent

_SPENT = "spent"
_END = "end_calculation"
"""Where a request's state has what it spent, and what is due when it is over."""


def charge(request: HTTPConnection, tenant_id: str, key_id: str) -> None:
    """Charge a key for a request or a WebSocket; HttpRefusal 429 where the key or its tenant cannot
    pay, or where too many calculations of the tenant are at work."""
    rate_limit: RateLimit = request.app.state.rate_limit
    state = request.scope.setdefault("state", {})
    cost = _cost(request)
    spent = rate_limit.spend(tenant_id, key_id, cost.points)
    state[_SPENT] = spent
    if spent.wait_s > 0:
        whose = "this key" if spent.reason == "key" else "this tenant, with all its keys,"
        detail = f"{whose} has spent what it may; a {cost.name} costs {cost.points} points"
        raise _too_many(detail, spent.wait_s)
    if cost is CALCULATION:
        if not rate_limit.begin_calculation(tenant_id):
            raise _too_many("too many calculations of this tenant are at work", AT_WORK_RETRY_S)
        state[_END] = lambda: rate_limit.end_calculation(tenant_id)


def _cost(request: HTTPConnection) -> CostClass:
    method = request.scope.get("method", "GET")  # a WebSocket begins as a GET
    return cost_of(request.scope.get("route"), method) or UNNAMED


def _too_many(detail: str, wait_s: float) -> HttpRefusal:
    return HttpRefusal(429, "too_many_requests", detail, {"Retry-After": str(math.ceil(wait_s))})


class ChargeHeaders:
    """Says in each answer what is left, and ends what a request had at work, also where its caller
    has gone away. Plain ASGI: nothing is buffered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; what is no request has no state of ours."""
        state = scope.setdefault("state", {})

        async def send_marked(message: Message) -> None:
            spent: Spent | None = state.get(_SPENT)
            if message["type"] in ANSWER_BEGINS and spent is not None:
                headers = MutableHeaders(scope=message)
                headers["RateLimit"], headers["RateLimit-Policy"] = spent.limit, spent.policy
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        finally:
            end: Callable[[], None] | None = state.pop(_END, None)
            if end is not None:
                end()
