"""For how long the invoice of a period is corrected."""

from datetime import date
from uuid import UUID

import pytest

from gridtally.billing.domain.agreements import Agreement, corrected_until_on
from gridtally.kernel.periods import Period


@pytest.mark.parametrize(
    ("end_on", "months", "until_on"),
    [
        ("2025-04-01", 1, "2025-05-01"),
        ("2025-04-01", 12, "2026-04-01"),
        ("2025-12-01", 1, "2026-01-01"),
        ("2025-01-31", 1, "2025-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2025-03-31", 120, "2035-03-31"),
    ],
)
def test_a_period_is_corrected_until_the_day_so_many_months_after_its_end(end_on, months, until_on):
    period = Period(date(2024, 1, 1), date.fromisoformat(end_on))
    assert corrected_until_on(period, months) == date.fromisoformat(until_on)


@pytest.mark.parametrize("months", [0, -1, 121])
def test_an_agreement_has_no_such_back_billing_limit(months):
    with pytest.raises(ValueError, match="between 1 and 120"):
        Agreement(
            *[UUID(int=n) for n in range(4)], date(2025, 3, 1), None, "wait", 72, 1,
            back_billing_months=months,
        )  # fmt: skip
