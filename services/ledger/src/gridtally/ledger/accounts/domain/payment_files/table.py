"""Payments in a table (CSV), for banks and programs that write no camt.053."""

import re
from datetime import date
from decimal import Decimal

from gridtally.files.formats import decode
from gridtally.files.header import Columns
from gridtally.files.numbers import not_a_number
from gridtally.files.table import read_table
from gridtally.ledger.accounts.domain.payment_files.bank_payments import (
    PAYMENTS_MAX,
    BankPayment,
    PaymentFile,
    PaymentFileError,
    payment_file,
)

COLUMNS = Columns(
    "a file of payments",
    (("booked_on",), ("amount",), ("currency",), ("reference",)),
    ("payer", "account", "bank_reference"),
)
_AMOUNT = re.compile(r"[0-9]{1,18}(\.[0-9]{1,8})?")
_CURRENCY = re.compile(r"[A-Z]{3}")


def read_payment_table(content: bytes) -> PaymentFile:
    """The payments of a table; PaymentFileError with the row at fault."""
    try:
        table = read_table(decode(content, "csv"), COLUMNS, rows_max=PAYMENTS_MAX)
    except ValueError as error:
        raise PaymentFileError(str(error)) from None
    texts = {name: table.column(name) for name in table.columns}
    payments = []
    for index, line in enumerate(table.lines):
        row = {name: column[index].strip() for name, column in texts.items()}
        payments.append(
            BankPayment(
                line,
                row.get("account", ""),
                row.get("bank_reference", ""),
                _day(row["booked_on"], line),
                _amount(row["amount"], line),
                _currency(row["currency"], line),
                row.get("payer", ""),
                row["reference"],
            )
        )
    return payment_file(payments)


def _amount(text: str, line: int) -> Decimal:
    if not _AMOUNT.fullmatch(text):
        reason = not_a_number(text) if not text.startswith("-") else "is no money that came in"
        raise PaymentFileError(f"row {line}: amount {reason}")
    return Decimal(text)


def _currency(text: str, line: int) -> str:
    if not _CURRENCY.fullmatch(text):
        raise PaymentFileError(f"row {line}: currency {text[:40]!r} is no code such as EUR")
    return text


def _day(text: str, line: int) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise PaymentFileError(
            f"row {line}: booked_on {text[:40]!r} is no date: write 2025-03-01"
        ) from None
