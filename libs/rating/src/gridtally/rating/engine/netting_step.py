"""Netting step: import less export over a version's days, and what it takes of other units.

Owns which units pay for which band's, of other bands and of the bank, and what is left to the
credit. Refuses a true-up that would pay for units without a price.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from gridtally.kernel.errors import Rejected
from gridtally.rating.carry_forward import (
    CrossBand,
    capped_to_add,
    capped_to_keep,
    draw_lots,
    earned_lots,
    merged_lots,
    total_kwh,
    usable_lots,
)
from gridtally.rating.engine.batch import Batch
from gridtally.rating.engine.exact import ZERO
from gridtally.rating.engine.lines import Item
from gridtally.rating.engine.steps import Step, StepResult
from gridtally.rating.state import Bank, Lot
from gridtally.rating.surplus import CarryForward, reaches
from gridtally.rating.usage import Summed


@dataclass(frozen=True, slots=True)
class BandNetting(Step):
    """The net import of each band in force; leaves to the credit what is left over of each."""

    net: tuple[Item, ...]
    counted: tuple[Summed, Summed]
    """Import and export, as they are or rounded within each interval."""
    columns: tuple[tuple[int, int], ...]
    """The columns of the sums of import and of export, for each band in force."""

    @property
    def items(self) -> tuple[Item, ...]:
        return self.net

    def charge(self, batch: Batch) -> list[StepResult]:
        balances = self._balances(batch)
        first = self.net[0]
        batch.surplus[first.component_id, first.part] = [
            batch.kwh_in_parts([max(-balance, 0) for balance in of_band]) for of_band in balances
        ]
        return _net_import(batch, balances)

    def _balances(self, batch: Batch) -> list[list[int]]:
        """Import less export in the meters' units, by band and meter."""
        imports, exports = (batch.sums[flow] for flow in self.counted)
        return [
            [
                imported - exported
                for imported, exported in zip(
                    imports[import_column], exports[export_column], strict=True
                )
            ]
            for import_column, export_column in self.columns
        ]


@dataclass(frozen=True, slots=True)
class CrossBandNetting(BandNetting):
    """Then what each band takes of the units of others and of the bank, as lines below zero.

    `bands` are those that units may belong to, in their order, and `in_force` the indexes of those
    that are. Leaves the bank, and to the credit what is left of each band in force; with a bank the
    units that are paid out: of each of the `true_up_bands` (None is all together) where this bill
    empties the bank, then those above its limits.
    """

    taken: tuple[Item, ...]
    bands: tuple[str | None, ...]
    in_force: tuple[int, ...]
    cross_band: CrossBand
    bank: CarryForward | None
    true_up_bands: tuple[str | None, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        return (*self.net, *self.taken)

    def divisors(self, batch: Batch) -> list[int] | None:
        if batch.rehearsal is not None:
            self.charge(batch.rehearsal)
        return None

    def charge(self, batch: Batch) -> list[StepResult]:
        """The lines of net import by band, then those of units taken.

        Lots differ from meter to meter, so that this goes meter by meter: arrays hold only the sums
        that it starts from. Lists by band in force are filled column by column.
        """
        balances = self._balances(batch)
        taken: list[list[Decimal]] = [[] for _ in self.in_force]
        credited = len(self.in_force) if self.bank is None else len(self.true_up_bands) + 1
        left: list[list[Decimal]] = [[] for _ in range(credited)]
        for meter, divisor in enumerate(batch.divisors):
            unit = Decimal(1).scaleb(-batch.usages[meter].kwh_decimals)
            balance = dict(
                zip(self.in_force, (of_band[meter] * unit for of_band in balances), strict=True)
            )
            taken_kwh, left_kwh = self._draw_units(batch, meter, balance)
            for by_band, kwh_by_band in ((taken, taken_kwh), (left, left_kwh)):
                for of_band, kwh in zip(by_band, kwh_by_band, strict=True):
                    of_band.append(kwh * divisor)
        first = self.net[0]
        batch.surplus[first.component_id, first.part] = left
        return _net_import(batch, balances) + [
            StepResult([-kwh + ZERO for kwh in of_band], omits_zero_lines=True) for of_band in taken
        ]

    def _draw_units(
        self, batch: Batch, meter: int, balance: dict[int, Decimal]
    ) -> tuple[list[Decimal], list[Decimal]]:
        """What each band in force takes, and what the credit gets, in kWh."""
        component_id, days = self.net[0].component_id, self.net[0].part
        balances = [balance.get(band_index, ZERO) for band_index in range(len(self.bands))]
        lots = earned_lots([max(-kwh, ZERO) for kwh in balances], self.bands, days, self.bank)
        if self.bank is not None and (before := batch.take_state(meter, component_id, Bank)):
            lots = usable_lots(before.lots, days.start_on) + lots
        needed = [max(kwh, ZERO) for kwh in balances]
        taken, lots = draw_lots(needed, lots, self.bands, self.cross_band)
        if self.bank is None:
            of_band = {lot.band: lot.kwh for lot in lots}
            left = [of_band.get(self.bands[band_index], ZERO) for band_index in self.in_force]
        else:
            kept = capped_to_add(lots, days, self.bank)
            trues_up = reaches(days, self.bank.true_up_month)
            if not trues_up and days.end_on == batch.usages[meter].period.end_on:
                kept = capped_to_keep(kept, self.bank)
            left = [*self._emptied(kept), total_kwh(lots) - total_kwh(kept)]
            if kept and not trues_up:
                batch.states[meter][component_id] = Bank(merged_lots(kept))
        return [taken[band_index] for band_index in self.in_force], left

    def _emptied(self, lots: Sequence[Lot]) -> list[Decimal]:
        """The kWh of each of the bands that a true-up pays for; Rejected where it pays not all."""
        bands = self.true_up_bands
        if bands and None not in bands:
            for lot in lots:
                if lot.band not in bands:
                    raise Rejected(
                        "state_mismatch",
                        f"{self.net[0].component_id}: the bank holds units of "
                        f"{'no band' if lot.band is None else f'the band {lot.band!r}'}, for which "
                        "true_up_rates have no price",
                    )
        return [
            total_kwh([lot for lot in lots if band is None or lot.band == band]) for band in bands
        ]


def _net_import(batch: Batch, balances: list[list[int]]) -> list[StepResult]:
    """What of each band's balance is import."""
    return [
        StepResult(batch.kwh_in_parts([max(balance, 0) for balance in of_band]))
        for of_band in balances
    ]


@dataclass(frozen=True, slots=True)
class SurplusCredit(Step):
    """What the netting of the same days left over, at what it is worth."""

    worth: tuple[Item, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        return self.worth

    @property
    def omits_zero_lines(self) -> bool:
        return True

    def charge(self, batch: Batch) -> list[StepResult]:
        first = self.worth[0]
        left = batch.surplus[first.component_id, first.part]
        return [StepResult(of_band) for of_band, _ in zip(left, self.worth, strict=False)]
