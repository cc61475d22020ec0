"""The document as PDF/A-3, tagged for those who listen to it; typst draws it within the process.

The same document makes the same bytes: fonts are the package's own, and the file's date is the day
of issue. Data reaches the template as JSON and is never read as code.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

import typst

from gridtally.documents.document import Document, Fact
from gridtally.documents.einvoice.xmp import with_facturx
from gridtally.documents.images import check_pixels, image_format

ARCHIVE: Literal["a-3a"] = "a-3a"
"""PDF/A-3, level A: every letter can be shown for ever, and read out."""


def render_pdf(document: Document, einvoice: bytes | None = None) -> bytes:
    """The PDF, with the e-invoice (CII) within it where there is one: Factur-X.

    It is a plain one where a text has letters that no font of ours has, since the archive's
    standard promises them all.
    """
    try:
        pdf = _compiled(document, einvoice, is_archived=True)
        return pdf if einvoice is None else with_facturx(pdf)
    except typst.TypstError as refused:
        if "PDF/A" not in str(refused) and "could not be displayed" not in str(refused):
            raise
        return _compiled(document, None, is_archived=False)


def check_logo(logo: bytes) -> None:
    """ValueError unless the image can be drawn: a PNG or JPEG of reasonable size, and whole."""
    check_pixels(logo)
    nothing = Fact("", "")
    specimen = Document(
        language="en",
        title="Logo",
        number="",
        accent="#000000",
        logo=logo,
        seller_name="Logo",
        seller_lines=("",),
        buyer_lines=("",),
        facts=(nothing,),
        headline=nothing,
        headline_note="",
        notices=(),
        sections=(),
        footer=("",),
        page_words=("", ""),
        issued_on="2000-01-01",
    )
    try:
        _compiled(specimen, None, is_archived=True)
    except typst.TypstError:
        raise ValueError("the logo's image is broken") from None


def _compiled(document: Document, einvoice: bytes | None, *, is_archived: bool) -> bytes:
    pdf = _compiler().compile(
        format="pdf",
        sys_inputs={"document": _json(document), "einvoice": (einvoice or b"").decode()},
        pdf_standards=[ARCHIVE] if is_archived else [],
        timestamp=datetime.fromisoformat(document.issued_on).replace(tzinfo=UTC),
    )
    if not isinstance(pdf, bytes):
        raise TypeError("typst made no single PDF")
    return pdf


def _json(document: Document) -> str:
    fields = asdict(document)
    if document.logo is not None:
        fields["logo"] = list(document.logo)
        fields["logo_format"] = {"png": "png", "jpeg": "jpg"}[image_format(document.logo)]
    return json.dumps(fields)


# A compiler that stays reads fonts and template once.
@cache
def _compiler() -> typst.Compiler:
    package = Path(str(resources.files("gridtally.documents")))
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[package / "fonts"])
    return typst.Compiler(package / "templates" / "document.typ", font_paths=fonts)
