"""Four small services that answer what they are given to, and count what they are asked."""

import json
import re
from collections.abc import Mapping

import httpx

from gridtally.console.app import build
from gridtally.console.settings import Settings
from gridtally.http.context import utc_now
from gridtally.kernel.periods import Clock
from gridtally.observability.health import Health
from gridtally.observability.metrics import Metrics

KEY = "gt_abcdefgh12_" + "k" * 43
SERVICES = ("ingest", "tariff", "billing", "ledger")
IDENTITY = {"tenant_id": "city", "key_id": "abcdefgh12", "scopes": ["billing:read"]}
CUSTOMER_KEY = "gt_abcdefgh34_" + "c" * 43
"""A key that is bound to the customer `c1`."""
OPEN_TO_CUSTOMERS = re.compile(
    r"/v1/(me|seller|agreements(/[^/]+(/preview)?)?"
    r"|customers/[^/]+(/(bills|balance|statement|offers|registers|prepayment(/days)?|calculations(/[^/]+)?))?"
    r"|invoices(/[^/]+(/(document|explanation))?)?|credit-notes(/[^/]+(/document)?)?"
    r"|invoice-documents|fleet/customers/[^/]+/cost(/[a-z-]+)?|(payment|budget)-plans(/[^/]+)?)"
)
"""What a service answers to a request that is bound to a customer; all else it refuses."""
OPEN_TO_CUSTOMERS_CHANGES = re.compile(r"/v1/(bills/calculate-and-store|customers/[^/]+/readings)")
"""What one that is bound to a customer may change: that customer's own."""
BOUND = {"code": "customer_bound", "detail": "this is not open to customers", "errors": []}
NOWHERE = {"code": "not_found", "detail": "no such thing", "errors": []}


class Service(httpx.AsyncBaseTransport):
    """Answers by path, where an answer may be a function of the query; with `is_away` it answers
    nothing. Knows one key of staff, and one of a customer. What is bound to a customer sees only
    that customer's rows, on routes that are open to customers. A function is handed the query, or
    what was posted."""

    def __init__(self, answers: Mapping[str, object]) -> None:
        self.answers = {"/v1/me": IDENTITY, **answers}
        self.is_away = False
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.is_away:
            raise httpx.ConnectError("refused")
        self.asked.append(request)
        key = request.headers["authorization"].removeprefix("Bearer ")
        if key not in {KEY, CUSTOMER_KEY}:
            return self._problem(401, {"code": "unauthorized", "detail": "a key is needed"})
        bound_to = "c1" if key == CUSTOMER_KEY else request.headers.get("gridtally-customer")
        path = request.url.path
        is_read = request.method == "GET"
        is_open = (OPEN_TO_CUSTOMERS if is_read else OPEN_TO_CUSTOMERS_CHANGES).fullmatch(path)
        if bound_to is not None and not is_open:
            return self._problem(403, BOUND)
        answer = self.answers.get(path)
        if callable(answer):
            posted = None if is_read or not request.content else json.loads(request.content)
            answer = answer(posted if isinstance(posted, dict) else dict(request.url.params))
        if answer is not None and bound_to is not None:
            answer = own_part(answer, path, bound_to)
        if answer is None:
            return self._problem(404, NOWHERE)
        if isinstance(answer, httpx.Response):
            return answer
        if isinstance(answer, bytes):
            return httpx.Response(200, content=answer, headers={"content-type": "text/html"})
        return httpx.Response(200, json=answer)

    def _problem(self, status: int, problem: dict[str, object]) -> httpx.Response:
        kind = {"content-type": "application/problem+json"}
        return httpx.Response(status, content=json.dumps(problem), headers=kind)


def own_part(answer: object, path: str, customer_id: str) -> object:
    """What a customer sees of an answer; None where it is another customer's."""
    if path == "/v1/me":
        return {**IDENTITY, "customer_id": customer_id}
    if not isinstance(answer, dict):
        return answer
    if "items" in answer:
        whose = answer.get("customer_id")
        own = [item for item in answer["items"] if item.get("customer_id", whose) == customer_id]
        return {**answer, "items": own}
    is_record = re.fullmatch(r"/v1/customers/[^/]+", path)
    owner = answer.get("id" if is_record else "customer_id", customer_id)
    return answer if owner == customer_id else None


def page(*items: dict[str, object]) -> dict[str, object]:
    """A listing of one page."""
    return {"items": list(items), "next_cursor": None}


def console(
    services: Mapping[str, Service], *, clock: Clock = utc_now, **settings: object
) -> httpx.AsyncClient:
    """The console over those services, as a browser that keeps cookies sees it."""
    urls = {f"{name}_url": f"http://{name}.test" for name in (*SERVICES, "simulation")}
    app, _ = build(
        Settings(**{**urls, "http_port": 0, **settings}),
        health=Health(),
        metrics=Metrics("console"),
        clock=clock,
        transports={"simulation": Service({}), **services},
    )
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://console.test",
        headers={"Sec-Fetch-Site": "same-origin"},
    )


def those_that(**answers: Mapping[str, object]) -> dict[str, Service]:
    """The four, of which the named ones have answers."""
    return {name: Service(answers.get(name, {})) for name in SERVICES}


async def seen(
    services: Mapping[str, Service],
    path: str,
    form: Mapping[str, str] | None = None,
    **settings: object,
) -> tuple[httpx.Response, str]:
    """What somebody who is signed in gets at a path, or for a form that is sent there, and its
    text."""
    async with console(services, **settings) as browser:
        await browser.post("/sign-in", data={"key": KEY})
        answer = await (browser.get(path) if form is None else browser.post(path, data=dict(form)))
    return answer, re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))
