"""The console's composition root: the pages, within what answers to a browser must carry.

Owns the headers of every answer, and that a request which changes something comes from a page of
ours.
"""

from collections.abc import Mapping
from types import MappingProxyType

import httpx
import structlog
from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridtally.console.assets import Assets
from gridtally.console.content_policy import content_policy
from gridtally.console.documentation import Documentation
from gridtally.console.pages import ROUTERS, refusals
from gridtally.console.pages.sign_in import Tries
from gridtally.console.sessions import Sessions
from gridtally.console.settings import Settings
from gridtally.console.template_environment import environment
from gridtally.console.upstream import PageRefusal, PortalOnly, SignInNeeded, Upstream
from gridtally.http.access_log import AccessLog
from gridtally.http.api import build_operations_app
from gridtally.http.context import utc_now
from gridtally.kernel.periods import Clock
from gridtally.observability.health import Health
from gridtally.observability.metrics import Metrics

HEADERS = {
    "Content-Security-Policy": content_policy(),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
SAFE = {"GET", "HEAD", "OPTIONS"}
BODY_BYTES_MAX = 256 * 1024
"""Forms are short; files go to the services themselves."""


CRASHED = PlainTextResponse("This page failed. The console's log has the reason.\n", 500)

log = structlog.get_logger(__name__)


def build(
    settings: Settings,
    *,
    health: Health,
    metrics: Metrics,
    clock: Clock = utc_now,
    transports: Mapping[str, httpx.AsyncBaseTransport] = MappingProxyType({}),
) -> tuple[FastAPI, Upstream]:
    """The application, and its connections to the services, which whoever serves it closes."""
    upstream = Upstream(
        settings.urls,
        limit_s=settings.upstream_limit_s,
        trusted=settings.services_trusted,
        transports=transports,
    )
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    assets = Assets.load()
    app.state.clock = clock
    app.state.upstream = upstream
    app.state.assets = assets
    directory = settings.documentation_dir
    app.state.documentation = None if directory is None else Documentation.read(directory)
    app.state.templates = environment(assets)
    app.state.is_behind_tls = settings.is_behind_tls
    app.state.public_url = str(settings.public_url).rstrip("/") if settings.public_url else None
    app.state.portal_link_limit_s = settings.portal_link_limit_s
    app.state.tries = Tries()
    app.state.sessions = Sessions(
        settings.console_secrets.get_secret_value().split(","),
        ticket_limit_s=settings.ticket_limit_s,
        link_limit_s=settings.portal_link_limit_s,
    )
    for router in ROUTERS:
        app.include_router(router)
    if settings.health_port is None:
        app.include_router(build_operations_app(health=health, metrics=metrics).router)
    app.add_exception_handler(SignInNeeded, refusals.sign_in_needed)
    app.add_exception_handler(PortalOnly, refusals.portal_only)
    app.add_exception_handler(PageRefusal, refusals.refused)
    app.add_exception_handler(HTTPException, refusals.not_here)
    app.add_middleware(BrowserRules, strict_transport=settings.is_behind_tls)
    app.add_middleware(AccessLog, metrics=metrics)  # the last one added is the outermost
    return app, upstream


class BrowserRules:
    """Headers of every answer; refuses changes that no page of ours asked for, and long bodies."""

    def __init__(self, app: ASGIApp, *, strict_transport: bool) -> None:
        self._app = app
        self._headers = dict(HEADERS)
        if strict_transport:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "private, no-store")
                cookie = scope.get("state", {}).get("renewed_cookie")
                if cookie is not None and "set-cookie" not in headers:
                    headers.append("Set-Cookie", cookie)
            await send(message)

        answer = _refusal(scope) or self._app
        try:
            await answer(scope, receive, send_marked)
        except Exception:  # the last resort: logged, and answered as a page
            log.exception("page crashed", path=scope["path"])
            await CRASHED(scope, receive, send_marked)


def _refusal(scope: Scope) -> Response | None:
    if scope["method"] in SAFE:
        return None
    headers = Headers(scope=scope)
    length = headers.get("content-length", "")
    if not length.isdigit() or int(length) > BODY_BYTES_MAX:
        return PlainTextResponse("this form is too long, or does not say how long it is\n", 413)
    if "authorization" in headers and "cookie" not in headers:
        return None  # a program with a key of its own: no browser adds that by itself
    return None if _is_of_ours(headers) else PlainTextResponse("not from a page of ours\n", 403)


def _is_of_ours(headers: Headers) -> bool:
    """Whether a page of this origin sent it: browsers say so, and pages cannot lie about it."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin", "")
    return origin.partition("://")[2] == headers.get("host", "") != ""
