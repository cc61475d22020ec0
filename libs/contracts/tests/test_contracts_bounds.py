"""What no service could keep is refused by the contract, so that it becomes a dead letter."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts.commerce import AgreementChanged
from contracts.model import Instant

INSTANT = TypeAdapter(Instant)


@pytest.mark.parametrize(
    "sent",
    [
        "0001-01-01T00:00:00Z",
        "9999-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59.999999-01:00",
        "0001-01-01T00:59:59+01:00",
        "2025-03-30T02:30:00",
    ],
)
def test_an_instant_of_the_first_or_last_year_is_refused(sent):
    with pytest.raises(ValidationError):
        INSTANT.validate_python(sent)


def test_the_years_between_are_kept():
    for at in (
        datetime(2, 1, 1, tzinfo=UTC),
        datetime(9998, 12, 31, 23, 59, 59, 999_999, UTC),
    ):
        assert INSTANT.validate_python(at.isoformat()) == at


@pytest.mark.parametrize(
    ("end_on", "taken"),
    [(None, True), (date(2025, 1, 2), True), (date(2025, 1, 1), False), (date(2024, 1, 1), False)],
)
def test_an_agreement_ends_after_it_began(end_on, taken):
    thing = UUID(int=1)
    fields = {
        "agreement_id": thing, "customer_id": thing, "meter_id": thing, "tariff_id": thing,
        "start_on": date(2025, 1, 1), "end_on": end_on, "version": 1,
    }  # fmt: skip
    if taken:
        assert AgreementChanged.model_validate(fields).end_on == end_on
    else:
        with pytest.raises(ValidationError, match="ends after"):
            AgreementChanged.model_validate(fields)
