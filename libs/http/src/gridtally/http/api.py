"""The HTTP application of a service: its routers within what all services share.

Owns health, metrics, the keys endpoints, the form of errors and the OpenAPI document. Refuses to
know what a service does.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Protocol

from fastapi import APIRouter, Depends, FastAPI, Response
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from gridtally.database import Database
from gridtally.http import identity, keys, problems
from gridtally.http.access_log import AccessLog
from gridtally.http.adoption_gate import AdoptionGate
from gridtally.http.body_limits import BodyLimit
from gridtally.http.body_work import BodyReader
from gridtally.http.charges import ChargeHeaders
from gridtally.http.context import utc_now
from gridtally.http.exports import Exporter
from gridtally.http.key_quota import KeyQuota
from gridtally.http.keys import Keyring
from gridtally.http.openapi import NOT_DESCRIBED, ApiDescription, document_of, operation_id
from gridtally.http.problem_pages import problem_pages
from gridtally.http.rate_limit import RateLimit
from gridtally.http.request_checks import RequestChecks
from gridtally.http.swagger import swagger
from gridtally.kernel.errors import Rejected, Transient
from gridtally.kernel.periods import Clock
from gridtally.observability.health import Health, Report
from gridtally.observability.metrics import CONTENT_TYPE, Metrics


class HttpSettings(Protocol):
    """What an application needs to be told; the names are those of a service's settings."""

    @property
    def body_bytes_max(self) -> int:
        """The most that a request's body may hold once decompressed."""

    @property
    def bodies_bytes_max(self) -> int:
        """The most memory that all bodies at hand may take together, once taken apart."""

    @property
    def export_scratch_bytes_max(self) -> int:
        """The most that the exports under way may hold on disk together."""

    @property
    def idempotency_key_hours(self) -> int:
        """How long the answer to an Idempotency-Key is stored."""

    @property
    def idempotency_keys_max(self) -> int:
        """The most such answers that are stored of one tenant."""

    @property
    def idempotency_key_bytes_max(self) -> int:
        """The most that their bodies may hold together."""

    @property
    def key_cache_ttl_s(self) -> float:
        """How long a revoked API key may still be let in."""

    @property
    def operator_token_sha256(self) -> str | None:
        """The hash of the token that may register and revoke API keys; None for nobody."""

    @property
    def service_token_sha256(self) -> str | None:
        """The hash of the token with which our own services read; None where none may."""

    @property
    def rate_limit_per_s(self) -> float:
        """Points per second that one API key may spend for long."""

    @property
    def tenant_rate_limit_per_s(self) -> float:
        """Points per second that all keys of a tenant together may spend for long."""

    @property
    def calculations_of_tenant_max(self) -> int:
        """The most calculations of a tenant that are at work at once."""


def build_app(
    *,
    title: str,
    version: str,
    routers: Sequence[APIRouter],
    database: Database,
    health: Health,
    metrics: Metrics,
    settings: HttpSettings,
    clock: Clock = utc_now,
    state: Mapping[str, Any] = MappingProxyType({}),
    description: ApiDescription = NOT_DESCRIBED,
    has_operations: bool = True,
    adoption_gate: AdoptionGate | None = None,
) -> FastAPI:
    """The application; whoever serves it owns `database` and closes it.

    Without `has_operations` health and metrics are those of `build_operations_app`, elsewhere.
    `state` is what the routers' own dependencies find at `request.app.state`, by name;
    `adoption_gate` holds writes back while the service adopts what it had published.
    """
    # A redirect would name whatever host the caller did, and lose the body of a POST.
    app = FastAPI(
        title=title,
        version=version,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
    )
    equip(
        app,
        database=database,
        settings=settings,
        clock=clock,
        state=state,
        adoption_gate=adoption_gate,
    )
    checked = [Depends(RequestChecks())]
    for router in (*routers, identity.router, keys.router):
        app.include_router(router, dependencies=checked)
    if has_operations:
        app.include_router(_operations(health, metrics))
    app.include_router(swagger(title))
    app.include_router(problem_pages())
    _handle_failures(app)
    app.add_middleware(
        BodyLimit,
        body_bytes_max=settings.body_bytes_max,
        work_bytes_max=settings.bodies_bytes_max,
    )
    app.add_middleware(ChargeHeaders)
    app.add_middleware(AccessLog, metrics=metrics)  # the last one added is the outermost
    app.openapi = partial(_openapi, app, description)  # type: ignore[method-assign] # FastAPI's way
    return app


def equip(
    app: FastAPI,
    *,
    database: Database,
    settings: HttpSettings,
    clock: Clock = utc_now,
    state: Mapping[str, Any] = MappingProxyType({}),
    adoption_gate: AdoptionGate | None = None,
) -> None:
    """Give the application what requests find at `request.app.state`, in place of what it had."""
    app.state = State(dict(state))
    app.state.adoption_gate = adoption_gate
    app.state.database = database
    app.state.clock = clock
    _set_limits(app.state, database, settings)


def _set_limits(state: State, database: Database, settings: HttpSettings) -> None:
    """Who is let in, and how much of everything there may be."""
    state.keyring = Keyring(database, ttl_s=settings.key_cache_ttl_s)
    state.rate_limit = RateLimit(
        key_per_s=settings.rate_limit_per_s,
        tenant_per_s=settings.tenant_rate_limit_per_s,
        calculations_of_tenant_max=settings.calculations_of_tenant_max,
    )
    state.body_reader = BodyReader()
    state.exporter = Exporter(settings.export_scratch_bytes_max)
    state.idempotency_key_hours = settings.idempotency_key_hours
    state.key_quota = KeyQuota(settings.idempotency_keys_max, settings.idempotency_key_bytes_max)
    state.operator_token_sha256 = settings.operator_token_sha256
    state.service_token_sha256 = settings.service_token_sha256


def build_operations_app(*, health: Health, metrics: Metrics) -> FastAPI:
    """Health and metrics alone, for a port of their own that callers of the API do not reach."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.include_router(_operations(health, metrics))
    _handle_failures(app)
    app.add_middleware(AccessLog, metrics=metrics)
    return app


def _handle_failures(app: FastAPI) -> None:
    for kind in (
        Rejected,
        Transient,
        RequestValidationError,
        WebSocketRequestValidationError,
        HTTPException,
    ):
        app.add_exception_handler(kind, problems.handle)


def _operations(health: Health, metrics: Metrics) -> APIRouter:
    router = APIRouter(tags=["operations"])

    @router.get("/health/live")
    async def live() -> Response:
        """Whether this process should continue to run."""
        return _answer(health.live())

    @router.get("/health/ready")
    async def ready() -> Response:
        """Whether this process can do its work now."""
        return _answer(await health.ready())

    @router.get("/metrics", include_in_schema=False)
    async def expose() -> Response:
        return Response(metrics.expose(), media_type=CONTENT_TYPE)

    return router


def _answer(report: Report) -> Response:
    body = {"status": "ok" if report.ok else "unwell", "checks": report.checks}
    return JSONResponse(body, 200 if report.ok else 503)


def _openapi(app: FastAPI, description: ApiDescription) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = document_of(app, description)
    return app.openapi_schema
