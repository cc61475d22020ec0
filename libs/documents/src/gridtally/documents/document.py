"""The document: what a reader sees, word for word, whatever it is drawn with.

    document = compose(facts)  # or compose_statement(facts)
    render_html(document); render_pdf(document)

Every text in it is written out in the reader's language. Templates only place it.
"""

from dataclasses import dataclass
from typing import Literal

RowStyle = Literal["plain", "group", "sum", "total"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table; `note` is small print below its first cell."""

    cells: tuple[str, ...]
    style: RowStyle = "plain"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows below a head; the first `texts` columns are words, the others numbers."""

    head: tuple[str, ...]
    rows: tuple[Row, ...]
    texts: int = 1


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the document: a title, then paragraphs, a chart (SVG) and a table, each optional.

    `chart_text` says in words what the chart shows.
    """

    name: str
    title: str
    paragraphs: tuple[str, ...] = ()
    chart: str = ""
    chart_text: str = ""
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """A value with what it is."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice, credit note or statement, ready to be drawn."""

    language: str
    title: str
    number: str
    accent: str
    logo: bytes | None
    seller_name: str
    seller_lines: tuple[str, ...]
    buyer_lines: tuple[str, ...]
    facts: tuple[Fact, ...]
    headline: Fact
    headline_note: str
    notices: tuple[str, ...]
    sections: tuple[Section, ...]
    footer: tuple[str, ...]
    page_words: tuple[str, str]
    """What stands before and after the number of a page: "Page 1 of 2"."""
    issued_on: str
    """The day of issue by ISO 8601, for the file's own date."""
