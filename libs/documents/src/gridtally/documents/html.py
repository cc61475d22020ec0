"""The document as a page: one file without any request elsewhere, everything in it escaped."""

import base64
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gridtally.documents.document import Document
from gridtally.documents.images import image_format


def render_html(document: Document) -> bytes:
    """The page in UTF-8; what a console embeds is its `<main>`."""
    logo = document.logo
    page = (
        _environment()
        .get_template("document.html.j2")
        .render(
            document=document,
            logo=None if logo is None else _data_url(logo),
            charts={section.name: Markup(section.chart) for section in document.sections},  # noqa: S704 - our own SVG
        )
    )
    return page.encode()


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("gridtally.documents"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _data_url(logo: bytes) -> str:
    return f"data:image/{image_format(logo)};base64,{base64.b64encode(logo).decode()}"
