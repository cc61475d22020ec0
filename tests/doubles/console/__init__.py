"""Four small services that answer what they are given to, and count what they are asked."""

import json
import re
from collections.abc import Mapping

import httpx

from gridtally.console.app import build
from gridtally.console.settings import Settings
from gridtally.observability.health import Health
from gridtally.observability.metrics import Metrics

KEY = "gt_abcdefgh12_" + "k" * 43
SERVICES = ("ingest", "tariff", "billing", "ledger")
IDENTITY = {"tenant_id": "city", "key_id": "abcdefgh12", "scopes": ["billing:read"]}
NOWHERE = {"code": "not_found", "detail": "no such thing", "errors": []}


class Service(httpx.AsyncBaseTransport):
    """Answers by path; with `is_away` it answers nothing. Knows one key."""

    def __init__(self, answers: Mapping[str, object]) -> None:
        self.answers = {"/v1/me": IDENTITY, **answers}
        self.is_away = False
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.is_away:
            raise httpx.ConnectError("refused")
        self.asked.append(request)
        if request.headers["authorization"] != f"Bearer {KEY}":
            return self._problem(401, {"code": "unauthorized", "detail": "a key is needed"})
        answer = self.answers.get(request.url.path)
        if answer is None:
            return self._problem(404, NOWHERE)
        return httpx.Response(200, json=answer)

    def _problem(self, status: int, problem: dict[str, object]) -> httpx.Response:
        kind = {"content-type": "application/problem+json"}
        return httpx.Response(status, content=json.dumps(problem), headers=kind)


def page(*items: dict[str, object]) -> dict[str, object]:
    """A listing of one page."""
    return {"items": list(items), "next_cursor": None}


def console(services: Mapping[str, Service], **settings: object) -> httpx.AsyncClient:
    """The console over those services, as a browser that keeps cookies sees it."""
    urls = {f"{name}_url": f"http://{name}.test" for name in (*SERVICES, "simulation")}
    app, _ = build(
        Settings(**{**urls, "http_port": 0, **settings}),
        health=Health(),
        metrics=Metrics("console"),
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
    services: Mapping[str, Service], path: str, form: Mapping[str, str] | None = None
) -> tuple[httpx.Response, str]:
    """What somebody who is signed in gets at a path, or for a form that is sent there, and its
    text."""
    async with console(services) as browser:
        await browser.post("/sign-in", data={"key": KEY})
        answer = await (browser.get(path) if form is None else browser.post(path, data=dict(form)))
    return answer, re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))
