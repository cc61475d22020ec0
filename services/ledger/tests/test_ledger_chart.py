"""The chart of accounts: one list of classes, from which balances, events and the API follow."""

from decimal import Decimal
from uuid import UUID

import pytest

from gridtally.contracts.accounts import CurrencyBalance
from gridtally.ledger.accounts.domain import chart
from gridtally.ledger.accounts.domain.balances import CustomerBalance
from gridtally.ledger.accounts.domain.chart import CUSTOMER_CLASSES, OWNED_CLASSES, AccountClass

CUSTOMER = UUID(int=7)


@pytest.mark.parametrize(
    ("account", "code"),
    [
        (chart.receivable("EUR", CUSTOMER), f"receivable:{CUSTOMER}"),
        (chart.prepaid("EUR", CUSTOMER), f"prepaid:{CUSTOMER}"),
        (chart.export_payable("EUR", CUSTOMER), f"export_payable:{CUSTOMER}"),
        (chart.deposit("EUR", CUSTOMER), f"deposit:{CUSTOMER}"),
        (chart.budget("EUR", CUSTOMER, UUID(int=8)), f"budget:{CUSTOMER}:{UUID(int=8)}"),
        (chart.payable("EUR", "Grid: North"), "payable:Grid: North"),
        (chart.revenue("EUR", "energy"), "revenue:energy"),
        (chart.tax("EUR"), "tax"),
        (chart.cash("EUR"), "cash"),
        (chart.opening_balance("EUR"), "opening_balance"),
        (chart.rounding("EUR"), "rounding"),
        (chart.write_off("EUR"), "write_off"),
        (chart.suspense("EUR"), "suspense"),
    ],
)
def test_an_account_is_named_after_its_class(account, code):
    assert account.code == code
    assert account.code.partition(":")[0] == account.account_class
    assert (account.customer_id is not None) == (account.account_class in OWNED_CLASSES)


def test_every_class_of_a_customer_s_accounts_is_published():
    """Without one of them the fields of an event would not add up to its balance."""
    names = {account_class.value for account_class in CUSTOMER_CLASSES}
    assert CurrencyBalance.model_fields.keys() == names | {
        "currency", "balance", "arrears", "invoiced_total",
    }  # fmt: skip


def test_a_balance_is_stated_on_the_normal_side_of_each_class():
    held = {AccountClass.RECEIVABLE: Decimal("59.5"), AccountClass.PREPAID: Decimal("-40.5")}
    balance = CustomerBalance.of(
        "EUR", held, arrears=Decimal("20.00000000"), invoiced_total=Decimal(119)
    )
    event = CurrencyBalance.model_validate(balance.by_name())
    assert event.model_dump(mode="json") == {
        "currency": "EUR", "balance": "19.00", "receivable": "59.50", "arrears": "20.00",
        "prepaid": "40.50", "export_payable": "0.00", "invoiced_total": "119.00",
    }  # fmt: skip


@pytest.mark.parametrize("account_class", AccountClass)
def test_nothing_has_no_sign_on_either_side(account_class):
    assert str(account_class.on_normal_side(Decimal(0))) == "0"
    assert account_class.on_normal_side(account_class.on_normal_side(Decimal(-3))) == -3
