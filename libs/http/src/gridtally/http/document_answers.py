"""Documents that browsers show: a page or a PDF, in which nothing runs."""

from hashlib import sha256

from fastapi import Response

HTML = "text/html; charset=utf-8"
PDF = "application/pdf"
_HARMLESS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-cache",
}
"""Names in a page are escaped; a browser runs nothing in it even if one were not."""


def document_response(content: bytes, media_type: str, filename: str) -> Response:
    """The document, to be shown in place; `filename` has letters, digits, dashes and dots."""
    headers = {
        "Content-Disposition": f'inline; filename="{filename}"',
        "ETag": f'"{sha256(content).hexdigest()}"',
    }
    return Response(content, media_type=media_type, headers=headers | _HARMLESS)
