"""Which invoices a payment is for, by what the payer wrote.

Exact: the text names invoices of one customer, by their whole numbers. People write a number with
blanks, or without its dashes, so what separates its parts does not count; but a number is never a
part of another word. Everything else is a suggestion, which a person decides.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from gridtally.kernel.money import EXACT
from gridtally.ledger.accounts.domain.commands import RequestedAllocation

PARTS_MAX = 4
"""Of an invoice's number, between blanks, dashes and the like."""
WORDS_MAX = 60
"""Of a text that are looked at."""
SUGGESTIONS_MAX = 5
KEY_CHARS_MIN = 4
_WORDS = re.compile(r"[0-9A-Za-z]+")
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class NamedInvoice:
    """An invoice that a text may mean: `key` is its number without what separates its parts."""

    id: UUID
    customer_id: UUID
    number: str
    key: str
    open: Decimal


@dataclass(frozen=True, slots=True)
class Match:
    """Whose payment it is, and what it pays first; what is left follows the rule for payments."""

    customer_id: UUID
    invoices: tuple[NamedInvoice, ...]

    def allocations(self, amount: Decimal) -> tuple[RequestedAllocation, ...] | None:
        """What of the payment goes to the invoices that it names, in their order; None, the oldest
        due first, where none of them has anything open."""
        left, allocations = amount, []
        for invoice in self.invoices:
            if (part := min(left, invoice.open)) > 0:
                allocations.append(RequestedAllocation(invoice.id, part))
                left = EXACT.subtract(left, part)
        return tuple(allocations) or None


def keys_of(text: str) -> list[str]:
    """What in a text may be an invoice's number, in the order of the text."""
    words = [word.upper() for word in _WORDS.findall(text)[:WORDS_MAX]]
    return list(dict.fromkeys(_runs(words)))


def _runs(words: Sequence[str]) -> Iterator[str]:
    for start in range(len(words)):
        for length in range(1, PARTS_MAX + 1):
            key = "".join(words[start : start + length])
            if start + length <= len(words) and len(key) >= KEY_CHARS_MIN and _has_digit(key):
                yield key


def _has_digit(key: str) -> bool:
    return any(character.isdigit() for character in key)


def exact_match(text: str, named: Sequence[NamedInvoice]) -> Match | None:
    """The customer whose invoices a text names; None where it names none, or those of two.

    `named` are invoices with a key of the text, in the payment's currency.
    """
    order = {key: position for position, key in enumerate(keys_of(text))}
    invoices = sorted(
        (invoice for invoice in named if invoice.key in order),
        key=lambda invoice: (order[invoice.key], invoice.id),
    )
    customers = {invoice.customer_id for invoice in invoices}
    if len(customers) != 1:
        return None
    return Match(customers.pop(), tuple(invoices))


def suggest(
    text: str, named: Sequence[NamedInvoice], same_amount: Sequence[NamedInvoice]
) -> tuple[NamedInvoice, ...]:
    """Invoices that a payment may be for: those that it names, then those with just its amount
    open, of which those come first whose number ends in something of the text."""
    keys = [key for key in keys_of(text) if key.isdigit()]
    order = {key: position for position, key in enumerate(keys_of(text))}
    by_name = sorted(
        (invoice for invoice in named if invoice.key in order),
        key=lambda invoice: (order[invoice.key], invoice.id),
    )
    by_amount = sorted(
        same_amount,
        key=lambda invoice: (not any(invoice.key.endswith(key) for key in keys), invoice.number),
    )
    return tuple(dict.fromkeys((*by_name, *by_amount)))[:SUGGESTIONS_MAX]
