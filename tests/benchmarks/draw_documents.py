"""Measures documents: invoices as HTML, PDF/A-3 and Factur-X, from their facts, on one core.

Each is another customer's, of another month's usage and amounts, since the compiler remembers what
it has drawn. No server is needed.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))  # what the tests of documents share

from script import Clock, Figures, Rate, arguments, peak_memory_mb, sized, tell

from document_facts import facts, lines, statement_facts, sums, usage
from gridtally.documents.composition import compose
from gridtally.documents.einvoice.cii import cii
from gridtally.documents.einvoice.invoice import einvoice
from gridtally.documents.facts import BandUsage, InvoiceFacts
from gridtally.documents.html import render_html
from gridtally.documents.pdf import render_pdf
from gridtally.documents.statement_facts import StatementFacts
from gridtally.documents.statements import compose_statement

DOCUMENTS = sized(500, least=10)
ROUNDS = 3
PDF = b"%PDF-"
HTML = b"<!doctype"


def invoice(number: int) -> InvoiceFacts:
    """One of many invoices, with a chart of its month."""
    charges = lines(peak=f"{50 + number % 400}.{number % 1000:03}", off_peak=f"{90 + number}.5")
    shown = usage()
    bands = tuple(
        BandUsage(band.band, [wh + (number * 37) % 900 for wh in band.energy_wh])
        for band in shown.bands
    )
    whole = facts(lines=charges, usage=replace(shown, bands=bands), **sums(charges))
    buyer = replace(whole.buyer, name=f"Anna Beispiel {number}")
    return replace(whole, number=f"INV-2025-{number:06}", buyer=buyer)


def statement(number: int) -> StatementFacts:
    """One of many statements."""
    whole = statement_facts()
    return replace(whole, buyer=replace(whole.buyer, name=f"Anna Beispiel {number}"))


def drawn(
    draw: Callable[[int], bytes | str], begins: bytes, numbers: range
) -> tuple[Rate, list[int]]:
    """How many a second, and the sizes; ends the benchmark where one is no such document."""
    clock = Clock()
    made = [draw(number) for number in numbers]
    rate = clock.rate(len(numbers))
    contents = [text.encode() if isinstance(text, str) else text for text in made]
    if not all(content.lower().startswith(begins.lower()) for content in contents):
        sys.exit("wrong: a document begins as none of its kind does")
    if len(set(contents)) != len(contents):
        sys.exit("wrong: two documents are the same")
    return rate, [len(content) for content in contents]


CASES: dict[str, tuple[Callable[[int], bytes | str], bytes]] = {
    "invoice, html": (lambda number: render_html(compose(invoice(number))), HTML),
    "invoice, pdf": (lambda number: render_pdf(compose(invoice(number))), PDF),
    "invoice, pdf with its e-invoice": (
        lambda number: render_pdf(compose(invoice(number)), cii(einvoice(invoice(number)))),
        PDF,
    ),
    "statement, pdf": (lambda number: render_pdf(compose_statement(statement(number))), PDF),
}


def main() -> None:
    """Measure each kind and tell."""
    parsed = arguments(__doc__).parse_args()
    figures: Figures = {}
    first = 0
    for case, (draw, begins) in CASES.items():
        rounds = []
        for _ in range(ROUNDS):
            rounds.append(drawn(draw, begins, range(first, first + DOCUMENTS)))
            first += DOCUMENTS
        figures[case] = {
            # By its processor time, which is that of one core: other processes do not move it.
            "per_s": round(median(1e6 / rate.cpu_us for rate, _ in rounds)),
            "process_us": round(median(rate.cpu_us for rate, _ in rounds)),
            "bytes": round(median(size for _, sizes in rounds for size in sizes)),
        }
    figures["the process"] = {"peak_memory_mb": peak_memory_mb()}
    tell(f"{DOCUMENTS} documents of each kind, {ROUNDS} rounds", figures, parsed.json)


if __name__ == "__main__":
    main()
