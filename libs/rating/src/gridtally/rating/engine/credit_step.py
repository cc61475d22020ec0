"""Credit step: what earlier bills left of a credit and this one adds, offset against charges.

A credit that offsets never pays more than the bill has come to; what is left is lost or carried
forward, up to a limit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from gridtally.kernel.periods import Period
from gridtally.rating.engine.batch import Batch
from gridtally.rating.engine.exact import ZERO, exact_number
from gridtally.rating.engine.lines import Item
from gridtally.rating.engine.steps import Step, StepResult, prorated_by_days, subtotals
from gridtally.rating.state import Credit
from gridtally.rating.surplus import Offset


@dataclass(frozen=True, slots=True)
class CreditOffset(Step):
    """Two lines for each cut: credit of earlier bills that pays here, and what is unused.

    Reads the amounts of the credit's own lines at `own` (line indexes, for each of the cuts), of
    the charges that it may pay at `payable`, and of all lines `so_far`; leaves the meter's
    `Credit`. What was brought forward is prorated over the cuts by days. What is unused is of the
    credits that were earned last.
    """

    component_id: str
    lines: tuple[Item, ...]
    cuts: tuple[Period, ...]
    offset: Offset
    own: tuple[tuple[int, ...], ...]
    payable: tuple[int, ...]
    so_far: tuple[int, ...]
    trues_up: bool
    most_added: Fraction | None
    """The most money that these days add to what is carried forward; None for any amount."""
    most_kept: Decimal | None
    """The most money that is carried forward from them; None for any amount."""

    @property
    def items(self) -> tuple[Item, ...]:
        return self.lines

    @property
    def omits_zero_lines(self) -> bool:
        return True

    @property
    def denominator(self) -> int:
        return 1 if self.most_added is None else self.most_added.denominator

    def charge(self, batch: Batch) -> list[StepResult]:
        brought: list[Decimal] = []
        unused: list[list[Decimal]] = [[] for _ in self.cuts]
        amounts_by_meter = zip(
            zip(*(subtotals(batch, line_indexes) for line_indexes in self.own), strict=True),
            subtotals(batch, self.payable),
            subtotals(batch, self.so_far),
            strict=True,
        )
        for meter, (own_by_cut, payable, so_far) in enumerate(amounts_by_meter):
            own = sum(own_by_cut, ZERO)
            before = batch.take_state(meter, self.component_id, Credit)
            balance = ZERO if before is None else before.amount * batch.divisors[meter]
            paid, kept = self._paid_and_kept(
                balance, -own, max(min(payable, so_far), ZERO), batch.divisors[meter]
            )
            brought.append(max(paid + own, ZERO))
            left = _of_the_last(max(-own - paid, ZERO), own_by_cut)
            for unused_of_cut, amount in zip(unused, left, strict=True):
                unused_of_cut.append(amount)
            if amount := exact_number(kept, batch.divisors[meter]):
                batch.states[meter][self.component_id] = Credit(amount)
        results = []
        whole = Period(self.cuts[0].start_on, self.cuts[-1].end_on)
        for cut, unused_of_cut in zip(self.cuts, unused, strict=True):
            prorated = prorated_by_days(brought, cut, whole)
            results.append(StepResult(prorated, [-amount + ZERO for amount in prorated]))
            results.append(StepResult(unused_of_cut))
        return results

    def _paid_and_kept(
        self, balance: Decimal, earned: Decimal, payable: Decimal, divisor: int
    ) -> tuple[Decimal, Decimal]:
        """What the bill is lessened by, and what of the rest is carried forward.

        The first is below zero where what was earned is a cost.
        """
        offset = self.offset
        ready = balance + (earned if offset.from_bill == "this" else min(earned, ZERO))
        paid = min(ready, payable)
        left = balance + earned - paid
        if offset.unused == "lost":
            return paid, ZERO
        kept = left
        if self.most_added is not None:
            added = earned if offset.from_bill == "next" else earned - paid
            limit = Decimal(self.most_added.numerator * (divisor // self.most_added.denominator))
            kept -= max(min(added, left) - limit, ZERO)
        if self.most_kept is not None:
            kept = min(kept, self.most_kept * divisor)
        if offset.excess == "payout":
            paid += left - kept
        if not self.trues_up:
            return paid, kept
        return paid + (kept if offset.true_up == "payout" else ZERO), ZERO


def _of_the_last(unused: Decimal, own_by_cut: Sequence[Decimal]) -> list[Decimal]:
    """How much of what each cut's own lines credit is unused, where the last is used last."""
    unused_by_cut: list[Decimal] = []
    for credited in reversed(own_by_cut):
        unused_by_cut.append(min(unused, max(-credited, ZERO)))
        unused -= unused_by_cut[-1]
    return unused_by_cut[::-1]
