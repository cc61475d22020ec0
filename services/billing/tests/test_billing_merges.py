"""When customers cannot be merged, and what of a duplicate stays what it was."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.customers import Customer
from gridtally.billing.domain.merges import (
    merge_of,
    moved_agreement,
    require_mergeable,
    require_unmerged,
)
from gridtally.kernel.errors import Conflict, Rejected
from gridtally.kernel.resources import Cause

NOW = datetime(2026, 4, 2, tzinfo=UTC)
ADA, BO = (Customer(UUID(int=n), "Ada", None, "EUR", number=f"C-{n}") for n in (1, 2))
OTHER = UUID(int=3)
AGREEMENT = Agreement(
    UUID(int=7), ADA.id, UUID(int=8), UUID(int=9), date(2026, 1, 1), None, "wait", 0, 4
)


@pytest.mark.parametrize(
    ("duplicate", "survivor", "code", "names"),
    [
        (ADA, ADA, "merged_into_itself", "/into"),
        (replace(ADA, merged_into=OTHER), BO, "customer_merged", None),
        (ADA, replace(BO, merged_into=OTHER), "customer_merged", "/into"),
        (replace(ADA, erased_at=NOW), BO, "customer_erased", None),
        (ADA, replace(BO, erased_at=NOW), "customer_erased", None),
        (ADA, replace(BO, currency="CHF"), "currencies_differ", "/into"),
    ],
)
def test_two_customers_are_merged_or_it_is_said_what_is_in_the_way(
    duplicate, survivor, code, names
):
    with pytest.raises(Rejected) as refused:
        require_mergeable(duplicate, survivor)
    assert refused.value.code == code
    assert [fault.path for fault in refused.value.faults] == ([names] if names else [])


def test_a_merged_customer_names_who_goes_on():
    require_unmerged(ADA)
    require_mergeable(ADA, BO)
    with pytest.raises(Conflict, match=str(OTHER)) as refused:
        require_unmerged(replace(ADA, merged_into=OTHER), "/0/customer_id")
    (fault,) = refused.value.faults
    assert (fault.path, str(OTHER) in fault.detail) == ("/0/customer_id", True)
    with pytest.raises(ValueError, match="another one"):
        replace(ADA, merged_into=ADA.id)


def test_what_is_erased_stays_merged():
    erased = replace(ADA, merged_into=BO.id).erased(NOW)
    assert (erased.name, erased.number, erased.merged_into) == ("erased", "C-1", BO.id)


def test_an_agreement_goes_over_as_it_is_in_its_next_version():
    moved = moved_agreement(AGREEMENT, BO.id)
    assert moved == replace(AGREEMENT, customer_id=BO.id, version=5)
    merge = merge_of(Cause("t", "k", "c"), ADA.id, BO.id, "the same person", [moved], NOW)
    again = merge_of(Cause("t", "k2", "c2"), ADA.id, OTHER, "", [], NOW)
    assert merge.agreement_ids == (AGREEMENT.id,)
    assert merge.id == again.id, "a customer is merged once"
