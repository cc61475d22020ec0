"""Surplus: what becomes of energy, or of its worth, that a customer gave and did not take.

Owns the policies that metering kinds declare, and the settlement of credit against charges. A
credit that offsets never pays more than the bill has come to; what is left is lost or carried.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar, Literal, Protocol

from kernel.periods import Period, month_of, months_between
from rating.batch import Batch
from rating.exact import NOTHING, whole
from rating.limits import check_rate
from rating.lines import Item, Kind, Placed, selected
from rating.span import Span
from rating.state import Credit
from rating.steps import Charged, Step, shared_by_days, subtotals

EXPIRY_MONTHS_MAX = 120
BROUGHT_BAND, UNUSED_BAND = "brought-forward", "unused"
"""What a credit's own lines are told apart by: of earlier bills, and not paid out on this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """What is left over is worth nothing."""

    kind: ClassVar[str] = "none"
    carries_state: ClassVar[bool] = False
    after_tax: ClassVar[bool] = False
    taxed: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """What is left over is paid at once, also where the bill falls below nothing.

    A credit that is `taxed` lessens what the taxes on its component are taken of.
    """

    kind: ClassVar[str] = "payout"
    carries_state: ClassVar[bool] = False
    after_tax: bool = False
    taxed: bool = False

    def __post_init__(self) -> None:
        _check_taxed(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """The worth of what is left over pays other charges, and no more than they come to.

    It pays those named by `component_ids` or `kinds`, all before it where neither is named, and
    with `after_tax` the taxes too. `from_bill` `next` pays later bills only. What it cannot pay
    is `lost`, or is carried forward without end, or until the first day of `true_up_month`: the
    bill that reaches this day loses the rest, or pays it out.
    """

    kind: ClassVar[str] = "offset"
    unused: Literal["lost", "carry_forward"]
    component_ids: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    from_bill: Literal["this", "next"] = "this"
    true_up_month: int | None = None
    true_up: Literal["lost", "payout"] = "lost"
    after_tax: bool = False
    taxed: bool = False

    def __post_init__(self) -> None:
        _check_taxed(self)
        if self.unused == "lost" and self.from_bill == "next":
            raise ValueError("a credit that pays from the next bill on must be carried forward")
        if self.true_up_month is None:
            if self.true_up != "lost":
                raise ValueError("true_up needs its true_up_month")
        elif self.unused == "lost":
            raise ValueError("a true_up_month is for a credit that is carried forward")
        else:
            check_month(self.true_up_month)
        if "tax" in self.kinds and not self.after_tax:
            raise ValueError("a credit pays taxes only after_tax")

    @property
    def carries_state(self) -> bool:
        """Whether a bill hands credit to the next."""
        return self.unused == "carry_forward"


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryForward:
    """Units go to a bank of kWh and pay for units of later bills, oldest first.

    They are lost to bills that begin `expires_after_months` or more after the end of the period
    in which they were earned. The bill that reaches the first day of `true_up_month` empties the
    bank: for `true_up_rate` per kWh, or for nothing.
    """

    kind: ClassVar[str] = "carry_forward"
    carries_state: ClassVar[bool] = True
    after_tax: ClassVar[bool] = False
    taxed: ClassVar[bool] = False
    expires_after_months: int | None = None
    true_up_month: int | None = None
    true_up_rate: Decimal | None = None

    def __post_init__(self) -> None:
        months = self.expires_after_months
        if months is not None and not 1 <= months <= EXPIRY_MONTHS_MAX:
            raise ValueError(f"units expire after 1 to {EXPIRY_MONTHS_MAX} months, not {months}")
        if self.true_up_month is not None:
            check_month(self.true_up_month)
        if self.true_up_rate is not None:
            check_rate(self.true_up_rate)
            if self.true_up_month is None:
                raise ValueError("a true_up_rate needs its true_up_month")


Surplus = Lost | Payout | Offset | CarryForward


@dataclass(frozen=True, slots=True)
class Settlement(Step):
    """What earlier bills left and this one adds against what it may pay.

    Reads the amounts of the credit's own lines at `own`, for each of the cuts, of the charges at
    `places`, and of all lines `so_far`; leaves the meter's `Credit`. What was brought is shared
    over the cuts by days. What is unused is of the last credits earned.
    """

    component_id: str
    lines: tuple[Item, ...]
    cuts: tuple[Period, ...]
    offset: Offset
    own: tuple[tuple[int, ...], ...]
    places: tuple[int, ...]
    so_far: tuple[int, ...]
    trues_up: bool

    @property
    def items(self) -> tuple[Item, ...]:
        return self.lines

    @property
    def hides_nothing(self) -> bool:
        return True

    def charge(self, batch: Batch) -> list[Charged]:
        brought: list[Decimal] = []
        unused: list[list[Decimal]] = [[] for _ in self.cuts]
        rows = zip(
            zip(*(subtotals(batch, own) for own in self.own), strict=True),
            subtotals(batch, self.places),
            subtotals(batch, self.so_far),
            strict=True,
        )
        for meter, (own_lines, payable, so_far) in enumerate(rows):
            own = sum(own_lines, NOTHING)
            before = batch.take_state(meter, self.component_id, Credit)
            balance = NOTHING if before is None else before.amount * batch.divisors[meter]
            paid = self._paid(balance, -own, max(min(payable, so_far), NOTHING))
            brought.append(max(paid + own, NOTHING))
            left = _of_the_last(max(-own - paid, NOTHING), own_lines)
            for column, of_cut in zip(unused, left, strict=True):
                column.append(of_cut)
            self._leave(batch, meter, balance - own - paid)
        charged = []
        for cut, column in zip(self.cuts, unused, strict=True):
            part = shared_by_days(brought, cut, self.cuts)
            charged += [Charged(part, [-one + NOTHING for one in part]), Charged(column)]
        return charged

    def _paid(self, balance: Decimal, earned: Decimal, payable: Decimal) -> Decimal:
        """What the bill is lessened by; below nothing where what was earned is a cost."""
        if self.trues_up and self.offset.true_up == "payout":
            return balance + earned
        ready = balance + (earned if self.offset.from_bill == "this" else min(earned, NOTHING))
        return min(ready, payable)

    def _leave(self, batch: Batch, meter: int, left: Decimal) -> None:
        kept = not self.trues_up and self.offset.unused == "carry_forward"
        if kept and (amount := whole(left, batch.divisors[meter])):
            batch.states[meter][self.component_id] = Credit(amount)


def _of_the_last(unused: Decimal, own: Sequence[Decimal]) -> list[Decimal]:
    """How much of what each cut's own lines credit is unused, where the last is used last."""
    shares: list[Decimal] = []
    for credited in reversed(own):
        shares.append(min(unused, max(-credited, NOTHING)))
        unused -= shares[-1]
    return shares[::-1]


class Crediting(Protocol):
    """A component that credits what it is given."""

    @property
    def id(self) -> str: ...
    @property
    def surplus(self) -> Surplus: ...
    @property
    def payee(self) -> str | None: ...
    @property
    def tax_class(self) -> str | None: ...


def plan(
    component: Crediting, span: Span, cuts: Sequence[Span], lines: Sequence[Placed]
) -> list[Settlement]:
    """Two lines for each cut: credit of earlier bills, and what is unused; never both on a bill.

    None where nothing limits the credit. `lines` are all before it, its own with them.
    """
    offset = component.surplus
    if not isinstance(offset, Offset):
        return []
    own = [
        line
        for line in lines
        if line.item.component_id == component.id and line.item.kind == "credit"
    ]
    others = [line for line in lines if line not in own]
    items = tuple(
        cut.item(
            component.id,
            "credit",
            band=band,
            unit=span.currency,
            rate=Decimal(rate),
            payee=component.payee,
            tax_class=component.tax_class if offset.taxed else None,
        )
        for cut in cuts
        for band, rate in ((BROUGHT_BAND, -1), (UNUSED_BAND, 1))
    )
    settlement = Settlement(
        component_id=component.id,
        lines=items,
        cuts=tuple(cut.part for cut in cuts),
        offset=offset,
        own=tuple(tuple(line.place for line in own if line.item.part == cut.part) for cut in cuts),
        places=selected(others, offset.component_ids, offset.kinds),
        so_far=tuple(line.place for line in others),
        trues_up=reaches(span.part, offset.true_up_month),
    )
    return [settlement]


def check_credit(surplus: Surplus, tax_class: str | None) -> None:
    """ValueError where a tax class is declared for a component whose credit is not taxed."""
    if tax_class is not None and not surplus.taxed:
        raise ValueError("a credit that is not taxed has no tax class")


def only_pays(surplus: Surplus, days: Period) -> bool:
    """Whether a credit of the bill of these days pays charges, and nothing is paid out."""
    if not isinstance(surplus, Offset):
        return False
    return surplus.true_up == "lost" or not reaches(days, surplus.true_up_month)


def reaches(days: Period, month: int | None) -> bool:
    """Whether the first day of the calendar month follows one of these days."""
    if month is None:
        return False
    return any(
        piece.end_on.day == 1 and piece.end_on.month == month
        for piece in months_between(days.start_on, days.end_on)
    )


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or that month's last."""
    years, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + years, month + 1, 1)
    return first.replace(day=min(day.day, month_of(first).days))


def _check_taxed(surplus: Payout | Offset) -> None:
    if surplus.after_tax and surplus.taxed:
        raise ValueError("a credit that comes after the taxes is not taxed")


def check_month(month: int) -> None:
    """ValueError for what is no month of the year."""
    if not 1 <= month <= 12:
        raise ValueError(f"a month is 1 to 12, not {month}")
