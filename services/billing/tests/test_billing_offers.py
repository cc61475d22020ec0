"""Which version of an offered tariff a customer may try on a day."""

from datetime import date
from uuid import UUID

import pytest

from gridtally.billing.domain.offers import Offer, offers_on
from gridtally.billing.domain.tariffs import InForce

SPRING, SUMMER = date(2025, 3, 1), date(2025, 6, 1)
FLAT, TIME = UUID(int=1), UUID(int=2)


def offer(tariff_id, code, number, since, until=None, currency="EUR"):
    version = InForce(UUID(int=tariff_id.int * 100 + number), number, since, until)
    return Offer(tariff_id, code, code.title(), currency, version)


KNOWN = [
    offer(FLAT, "flat", 1, date(2025, 1, 1)),
    offer(FLAT, "flat", 2, SUMMER),
    offer(TIME, "time", 1, date(2025, 1, 1), SUMMER),
    offer(UUID(int=3), "krona", 1, date(2025, 1, 1), currency="SEK"),
]


@pytest.mark.parametrize(
    ("day", "codes", "expected"),
    [
        (SPRING, ["time", "flat"], [("time", 1), ("flat", 1)]),  # in the seller's order
        (SUMMER, ["time", "flat"], [("flat", 2)]),  # the newest; one that has ended is none
        (SPRING, ["flat", "flat", "unknown"], [("flat", 1)]),
        (SPRING, ["krona"], []),  # another currency
        (SPRING, [], []),
        (date(2024, 1, 1), ["flat", "time"], []),
    ],
)
def test_the_version_in_force_of_each_offered_tariff_is_offered(day, codes, expected):
    chosen = offers_on(KNOWN, day, codes=codes, currency="EUR")
    assert [(made.code, made.version.number) for made in chosen] == expected
