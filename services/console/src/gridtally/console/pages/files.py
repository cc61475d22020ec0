"""The files that pages need, under addresses that change with their content."""

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from gridtally.console.assets import Assets

router = APIRouter()
FOR_GOOD = "public, max-age=31536000, immutable"


@router.get("/assets/{digest}/{name:path}")
async def get_asset(request: Request, digest: str, name: str) -> Response:
    """A file; one of an older page is answered with its newest form, which is not kept."""
    assets: Assets = request.app.state.assets
    asset = assets.files.get(name)
    if asset is None:
        raise HTTPException(404)
    is_current = digest == assets.digest
    headers = {"Cache-Control": FOR_GOOD if is_current else "no-cache", "Vary": "Accept-Encoding"}
    if asset.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(asset.compressed, headers=headers, media_type=asset.media_type)
    return Response(asset.content, headers=headers, media_type=asset.media_type)


@router.get("/favicon.ico")
async def get_icon(request: Request) -> Response:
    """Where browsers look by themselves."""
    return RedirectResponse(request.app.state.assets.path("icon.svg"), 307)
