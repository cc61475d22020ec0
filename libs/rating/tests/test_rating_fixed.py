"""Fixed charges: the working stands beside each figure."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import rate
from gridtally.rating.tariff import Part

DAILY = {"per": "day", "rate": "0.41"}
MONTHLY = {"per": "month", "rate": "12.50"}
ACTUAL = MONTHLY | {"proration": "actual_days"}
THIRTY = MONTHLY | {"proration": "thirty_days"}
YEAR = MONTHLY | {"proration": "year_over_twelve"}
NONE = MONTHLY | {"proration": "none"}
PERIOD = {"per": "period", "rate": "12.50"}
YEARLY = {"per": "year", "rate": "150"}
TWELFTHS = YEARLY | {"proration": "twelfths"}


@pytest.mark.parametrize(
    ("charge", "start_on", "end_on", "quantity", "amount"),
    [
        (DAILY, "2025-03-01", "2025-04-01", "31", "12.71"),  # 31 × 0.41, a day of 23 h counts 1
        (DAILY, "2025-03-30", "2025-03-31", "1", "0.41"),
        (MONTHLY, "2025-03-01", "2025-04-01", "1", "12.50"),  # actual days unless said otherwise
        (ACTUAL, "2025-02-01", "2025-03-01", "1", "12.50"),
        (ACTUAL, "2025-03-15", "2025-04-01", "0.54838709677419354839", "6.85"),  # 17/31
        (
            ACTUAL,
            "2025-03-15",
            "2025-05-16",
            "2.03225806451612903226",
            "25.40",
        ),  # 17/31 + 1 + 15/31
        (THIRTY, "2025-03-15", "2025-04-01", "0.56666666666666666667", "7.08"),  # 17/30
        (THIRTY, "2025-03-01", "2025-04-01", "1.03333333333333333333", "12.92"),  # 31/30
        (YEAR, "2025-03-15", "2025-04-01", "0.55890410958904109589", "6.99"),  # 17 × 12/365
        (NONE, "2025-03-15", "2025-04-01", "1", "12.50"),
        (NONE, "2025-03-15", "2025-05-02", "3", "37.50"),  # March, April and May are each begun
        (PERIOD, "2025-03-15", "2025-04-01", "1", "12.50"),
        (PERIOD, "2025-03-15", "2025-05-02", "1", "12.50"),
        (YEARLY, "2025-03-15", "2025-04-01", "0.04657534246575342466", "6.99"),  # 17/365
        (YEARLY, "2024-01-01", "2025-01-01", "1", "150.00"),
        (
            YEARLY,
            "2024-12-22",
            "2025-01-11",
            "0.05471966464555730219",
            "8.21",
        ),  # 10/366 + 10/365
        (YEARLY | {"proration": "year_over_twelve"}, "2024-01-01", "2024-03-14", "0.2", "30.00"),
        (YEARLY | {"proration": "thirty_days"}, "2025-03-01", "2025-04-06", "0.1", "15.00"),
        (TWELFTHS, "2024-02-01", "2024-03-01", "0.08333333333333333333", "12.50"),
        (TWELFTHS, "2025-04-16", "2025-05-01", "0.04166666666666666667", "6.25"),  # 15/30/12
    ],
)
def test_fixed_charge(line_of, usage_of, charge, start_on, end_on, quantity, amount):
    charge = {"kind": "fixed", "id": "standing"} | charge
    shown = line_of(charge, usage_of(start_on, end_on))
    assert (shown[0], shown[1], shown[3]) == (quantity, charge["per"], amount)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        (MONTHLY | {"proration": "twelfths"}, "is for a rate per year"),
        (YEARLY | {"proration": "none"}, "would charge it on every bill"),
        ({"per": "week", "rate": "1"}, "none of day, month, period, year"),
    ],
)
def test_a_proration_that_does_not_fit_is_refused(version_of, fields, fault):
    with pytest.raises(Rejected, match=fault):
        version_of({"kind": "fixed", "id": "standing"} | fields)


def test_a_charge_per_period_is_shared_by_days_where_the_version_changes(version_of, usage_of):
    old, new = (
        version_of({"kind": "fixed", "id": "f", "rate": amount, "per": "period"})
        for amount in ("30", "60")
    )
    tenth = date(2025, 4, 11)
    parts = [
        Part(Period(date(2025, 4, 1), tenth), old),
        Part(Period(tenth, date(2025, 5, 1)), replace(new, id=UUID(int=2))),
    ]
    bill = rate(parts, [usage_of("2025-04-01", "2025-05-01")])[0]
    assert [str(line.amount) for line in bill.lines] == ["10.00", "40.00"]  # 30/3 and 60 × 2/3
