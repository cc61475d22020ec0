"""The HTTP application of a service: its routers within the edge that all services share.

Owns health, metrics, the keys endpoints, the form of errors and the OpenAPI document. Refuses to
know what a service does.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from contracts.problem import Problem
from database import Database
from kernel.errors import Rejected, Transient
from observability.health import Health, Report
from observability.metrics import CONTENT_TYPE, Metrics
from serving import keys, problems
from serving.bodies import BodyLimit
from serving.edge import Edge
from serving.exports import Exporter
from serving.keys import Keyring
from serving.pace import RateLimit
from serving.settings import ServiceSettings
from serving.strict import Strictness


def build_app(
    *,
    title: str,
    version: str,
    routers: Sequence[APIRouter],
    database: Database,
    health: Health,
    metrics: Metrics,
    settings: ServiceSettings,
) -> FastAPI:
    """The application; whoever serves it owns `database` and closes it."""
    # A redirect would name whatever host the caller did, and lose the body of a POST.
    app = FastAPI(title=title, version=version, redoc_url=None, redirect_slashes=False)
    app.state.database = database
    app.state.keyring = Keyring(database, ttl_s=settings.key_cache_ttl_s)
    app.state.rate_limit = RateLimit(settings.rate_limit_per_s)
    app.state.exporter = Exporter(settings.export_scratch_bytes_max)
    app.state.operator_token_sha256 = settings.operator_token_sha256
    strict = [Depends(Strictness())]
    for router in (*routers, keys.router):
        app.include_router(router, dependencies=strict)
    app.include_router(_operations(health, metrics))
    for kind in (Rejected, Transient, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, problems.handle)
    app.add_middleware(BodyLimit, body_bytes_max=settings.body_bytes_max)
    app.add_middleware(Edge, metrics=metrics)  # the last one added is the outermost
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign] # as FastAPI says to
    return app


def _operations(health: Health, metrics: Metrics) -> APIRouter:
    router = APIRouter(tags=["operations"])

    @router.get("/health/live")
    async def live() -> Response:
        """Whether this process should go on running."""
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


def _openapi(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document, with every error told as the problem that it is."""
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(title=app.title, version=app.version, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs") | {"Problem": problem}
    answer = {
        "description": "No, and why",
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = answer
    app.openapi_schema = document
    return document
