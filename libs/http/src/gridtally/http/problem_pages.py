"""The pages that problems' types name: what a code means, and what to do."""

from html import escape

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from gridtally.http.problem_types import problem_type
from gridtally.http.problems import HttpRefusal

POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{code}</title></head>
<body><h1>{code}</h1><p>{meaning}</p></body>
</html>
"""


def problem_pages() -> APIRouter:
    """The route of all of them; nobody needs a key to read one."""
    router = APIRouter(include_in_schema=False)

    @router.get("/problems/{code}")
    async def page(code: str) -> HTMLResponse:
        known = problem_type(code)
        if known is None:
            raise HttpRefusal(404, "not_found", "no problem has this code")
        html = PAGE.format(code=escape(known.code), meaning=escape(known.meaning))
        return HTMLResponse(html, headers={"Content-Security-Policy": POLICY})

    return router
