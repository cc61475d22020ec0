"""Offers: which versions a customer may try, by the tariffs that the seller names."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from gridtally.billing.domain.tariffs import InForce, version_on


@dataclass(frozen=True, slots=True)
class Offer:
    """A published version of a tariff, and what people call that."""

    tariff_id: UUID
    code: str
    name: str
    currency: str
    version: InForce


def offers_on(
    candidates: Iterable[Offer], day: date, *, codes: Sequence[str], currency: str
) -> list[Offer]:
    """The version of each offered tariff that is in force on a day, in the order of `codes`.

    A tariff in another currency than the customer's is none of them: nobody could compare it.
    """
    of_code: dict[str, list[Offer]] = {}
    for offer in candidates:
        if offer.currency == currency:
            of_code.setdefault(offer.code, []).append(offer)
    chosen = []
    for code in dict.fromkeys(codes):
        known = of_code.get(code, [])
        version_id = version_on((offer.version for offer in known), day)
        chosen += [offer for offer in known if offer.version.version_id == version_id]
    return chosen
