"""The documentation site, served as it was built, to whoever can reach the console."""

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, RedirectResponse, Response

from gridtally.console.documentation import FIRST_PAGE, Documentation

router = APIRouter()
DOCUMENTATION_PATH = f"/documentation/{FIRST_PAGE}"


@router.get("/documentation")
@router.get("/documentation/")
async def open_documentation() -> Response:
    """Where somebody begins who types the address."""
    return RedirectResponse(DOCUMENTATION_PATH, 307)


@router.get("/documentation/{name:path}")
async def get_document(request: Request, name: str) -> Response:
    """A file of the site; 404 where it has none of that name, or there is no site."""
    site: Documentation | None = request.app.state.documentation
    path = site.files.get(name) if site is not None else None
    if site is None or path is None or not path.is_file():  # it may have been built anew since
        raise HTTPException(404)
    headers = {"Content-Security-Policy": site.content_policy, "Cache-Control": "no-cache"}
    answer = FileResponse(path, headers=headers, stat_result=path.stat())
    tag = answer.headers["etag"]  # of when it was built, and how long it is
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers | {"ETag": tag})
    return answer
