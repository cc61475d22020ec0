"""Swagger UI at `/docs`, from files that we serve: it works without the internet.

The files are Swagger UI's own, as the package fastapi-offline ships them. The page runs no script
but those, and loads nothing from anywhere else: its content security policy says so to the browser.
"""

from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from gridtally.http.problems import HttpRefusal

ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}
CACHE_S = 86_400
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # Swagger UI sets style attributes
        "img-src 'self' data:",  # its icons
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="docs/favicon.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
START = """SwaggerUIBundle({
  url: new URL("openapi.json", document.baseURI).href,
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  validatorUrl: null
});
"""


def swagger(title: str) -> APIRouter:
    """The routes of the page and of its files."""
    router = APIRouter(include_in_schema=False)
    headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}

    @router.get("/docs")
    async def page() -> HTMLResponse:
        return HTMLResponse(PAGE.format(title=title), headers=headers)

    @router.get("/docs/start.js")
    async def start() -> Response:
        return Response(START, media_type="text/javascript", headers=headers)

    @router.get("/docs/{name}")
    async def asset(name: str) -> Response:
        if name not in ASSETS:
            raise HttpRefusal(404, "not_found", "this page has no such file")
        cached = headers | {"Cache-Control": f"public, max-age={CACHE_S}"}
        return Response(_read(name), media_type=ASSETS[name], headers=cached)

    return router


@cache
def _read(name: str) -> bytes:
    return files("fastapi_offline").joinpath("static", name).read_bytes()
