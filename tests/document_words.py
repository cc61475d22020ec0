"""The words that a reader sees in a document, of either form."""

import io
import re
from html import unescape

import pypdf

WORD = re.compile(r"[^\s ]+")


def words_of_html(page):
    """The words of a page's `<main>`, with those of its chart."""
    main = re.search(r"<main>(.*)</main>", page.decode(), re.DOTALL)[1]
    return WORD.findall(unescape(re.sub(r"<[^>]+>", " ", main)))


def words_of_pdf(pdf):
    """The words of all pages."""
    return WORD.findall(
        " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    )
