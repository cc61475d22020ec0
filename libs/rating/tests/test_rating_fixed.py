"""Fixed charges: the working stands beside each figure."""

import pytest

DAILY = {"per": "day", "rate": "0.41"}
MONTHLY = {"per": "month", "rate": "12.50"}
ACTUAL = MONTHLY | {"proration": "actual_days"}
THIRTY = MONTHLY | {"proration": "thirty_days"}
YEAR = MONTHLY | {"proration": "year_over_twelve"}
NONE = MONTHLY | {"proration": "none"}


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
    ],
)
def test_fixed_charge(line_of, usage_of, charge, start_on, end_on, quantity, amount):
    charge = {"kind": "fixed", "id": "standing"} | charge
    shown = line_of(charge, usage_of(start_on, end_on))
    assert (shown[0], shown[1], shown[3]) == (quantity, charge["per"], amount)
