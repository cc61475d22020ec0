"""What a bank says came in: the payments of a file, whatever its format."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from gridtally.kernel.ids import SEPARATOR, derive_id
from gridtally.kernel.money import is_payable

PAYMENTS_MAX = 5_000
"""Of one file: the statement of a day, even of the day on which most customers pay."""
TEXT_CHARS_MAX = 1_000
_DEBIT = re.compile(r"[0-9a-fA-F]{32}")
POSTED_MAX = Decimal(10) ** 13
"""Above what one payment may be; the same bound as of payments by hand."""


class PaymentFileError(ValueError):
    """A file that cannot be read, with its place and what is wrong."""


@dataclass(frozen=True, slots=True)
class BankPayment:
    """A payment as the bank shows it.

    entry           the number of its entry in the file, from 1; of a table, of its row
    account         the account that it came to (IBAN); empty where the file does not say
    bank_reference  the bank's own name of it, which no other has; empty where there is none
    booked_on       the day on which the bank booked it
    payer           who paid, for people
    text            what the payer wrote: references and remarks
    repetition      how many payments before it in the file are the same in every field
    end_to_end_id   what the one who asked for the payment called it; empty where nobody did
    """

    entry: int
    account: str
    bank_reference: str
    booked_on: date
    amount: Decimal
    currency: str
    payer: str
    text: str
    repetition: int = 0
    end_to_end_id: str = ""

    @property
    def debit_id(self) -> UUID | None:
        """The direct debit that brought it, if it is called as ours are."""
        return debit_id(self.end_to_end_id)

    def id_for(self, tenant_id: str) -> UUID:
        """The id of the payment, the same in every file that has it: by the bank's reference, else
        by all that the bank says."""
        if self.bank_reference:
            what: tuple[object, ...] = (self.bank_reference, f"{self.amount:f}")
        else:
            what = (self.booked_on, f"{self.amount:f}", self.payer, self.text)
        return derive_id(
            "bank_payment", tenant_id, self.account, self.currency, *what, self.repetition
        )


@dataclass(frozen=True, slots=True)
class BankReturn:
    """A direct debit that came back.

    entry      the number of its entry in the file, from 1
    booked_on  the day on which the bank took the money back
    debit_id   the debit
    reason     the bank's code for why
    """

    entry: int
    booked_on: date
    debit_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentFile:
    """The payments of a file, and the direct debits that came back; `passed_over` counts what is
    neither: other debits, bookings that are not final, and payments that were taken back."""

    payments: tuple[BankPayment, ...]
    passed_over: int = 0
    returns: tuple[BankReturn, ...] = ()


def debit_id(end_to_end_id: str) -> UUID | None:
    """The direct debit that is called so from end to end; None where none of ours is."""
    return UUID(end_to_end_id) if _DEBIT.fullmatch(end_to_end_id) else None


def payment_file(
    payments: Iterable[BankPayment], passed_over: int = 0, returns: Sequence[BankReturn] = ()
) -> PaymentFile:
    """A file of these payments; PaymentFileError where one cannot be booked, or there are too many.

    Payments that are the same in every field are counted, so that each has an id of its own.
    """
    seen: Counter[BankPayment] = Counter()
    numbered: list[BankPayment] = []
    for payment in payments:
        if len(numbered) == PAYMENTS_MAX:
            raise PaymentFileError(f"more than {PAYMENTS_MAX} payments in one file: divide it")
        _check(payment)
        same = replace(payment, entry=0)
        numbered.append(replace(payment, repetition=seen[same]))
        seen[same] += 1
    if len(returns) > PAYMENTS_MAX:
        raise PaymentFileError(f"more than {PAYMENTS_MAX} debits that came back: divide the file")
    return PaymentFile(tuple(numbered), passed_over, tuple(returns))


def _check(payment: BankPayment) -> None:
    where = f"entry {payment.entry}"
    if not 0 < payment.amount < POSTED_MAX:
        raise PaymentFileError(f"{where}: the amount {payment.amount:f} is no payment")
    if not is_payable(payment.amount, payment.currency):
        raise PaymentFileError(
            f"{where}: the amount {payment.amount:f} is finer than {payment.currency} has units"
        )
    for text in (
        payment.account, payment.bank_reference, payment.payer, payment.text,
        payment.end_to_end_id,
    ):  # fmt: skip
        if len(text) > TEXT_CHARS_MAX:
            raise PaymentFileError(f"{where}: a text of more than {TEXT_CHARS_MAX} characters")
        if SEPARATOR in text or "\0" in text:
            raise PaymentFileError(f"{where}: a text with control characters")
