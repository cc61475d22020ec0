"""What settling a payee posts, and what it refuses."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from gridtally.kernel.errors import Conflict, Rejected
from gridtally.ledger.accounts.domain import chart
from gridtally.ledger.accounts.domain.payees import Settlement, account_of, require_owed, settle
from gridtally.ledger.accounts.domain.reversals import Reason, reverse_settlement

AT = datetime(2025, 5, 2, tzinfo=UTC)
SETTLEMENT = Settlement(
    UUID(int=1), "t", chart.payable("EUR", "Grid"), Decimal("12.50"), "April", "transfer", AT, "c"
)


def amounts(posted):
    return {p.account.code: p.amount for p in posted.postings}


@pytest.mark.parametrize("payee", [chart.payable("EUR", "Grid"), chart.tax("EUR")])
def test_a_settlement_pays_a_payee_out_of_cash(payee):
    posted = settle(replace(SETTLEMENT, payee=payee))
    assert amounts(posted) == {payee.code: Decimal("12.50"), "cash": Decimal("-12.50")}
    assert (posted.kind, posted.customer_id, account_of(posted)) == ("settlement", None, payee)
    with pytest.raises(ValueError, match="about no customer"):
        _ = posted.owner_id


def test_the_digest_knows_what_was_asked_for():
    asked = [
        SETTLEMENT,
        replace(SETTLEMENT, amount=Decimal(12)),
        replace(SETTLEMENT, payee=chart.payable("EUR", "Town")),
        replace(SETTLEMENT, payee=chart.payable("USD", "Grid")),
        replace(SETTLEMENT, reference="May"),
        replace(SETTLEMENT, memo="cash"),
        replace(SETTLEMENT, occurred_at=AT + timedelta(days=1)),
    ]
    assert len({settlement.digest for settlement in asked}) == len(asked)
    spelled = replace(SETTLEMENT, amount=Decimal("12.5"), correlation_id="d")
    assert spelled.digest == SETTLEMENT.digest
    moments = [replace(SETTLEMENT, occurred_at=AT + timedelta(s), is_dated=False) for s in (0, 9)]
    assert moments[0].digest == moments[1].digest


@pytest.mark.parametrize(
    ("amount", "owed", "in_advance", "code"),
    [
        ("12.50", "12.50", False, None),
        ("12.51", "12.50", False, "more_than_owed"),
        ("12.51", "12.50", True, None),
        ("0.01", "0", False, "more_than_owed"),
        ("0.01", "-5", False, "more_than_owed"),
        ("0.01", "-5", True, None),
        ("12.505", "99", False, "finer_than_currency"),
        ("12.505", "99", True, "finer_than_currency"),
    ],
)
def test_more_than_is_owed_is_refused_unless_it_is_said(amount, owed, in_advance, code):
    settlement = replace(SETTLEMENT, amount=Decimal(amount))
    if code is None:
        require_owed(settlement, Decimal(owed), in_advance=in_advance)
        return
    with pytest.raises(Rejected) as refused:
        require_owed(settlement, Decimal(owed), in_advance=in_advance)
    assert (refused.value.code, refused.value.faults[0].path) == (code, "/amount")


def test_a_reversal_mirrors_its_settlement_and_is_none_itself():
    posted = settle(SETTLEMENT)
    reversal = reverse_settlement(posted, Reason("bounced", AT + timedelta(days=1), "d"))
    assert amounts(reversal) == {"payable:Grid": Decimal("-12.50"), "cash": Decimal("12.50")}
    assert (reversal.kind, reversal.reverses_id, reversal.customer_id) == (
        "reversal", posted.id, None,
    )  # fmt: skip
    with pytest.raises(Conflict, match="not reversed"):
        reverse_settlement(reversal, Reason("again", AT + timedelta(days=2), "e"))
    with pytest.raises(Rejected, match="had not occurred"):
        reverse_settlement(posted, Reason("too early", AT - timedelta(days=1), "d"))
