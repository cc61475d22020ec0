"""Power factor: a surcharge or discount as a percentage of other components, by a table.

Owns the table and how a meter's factor is rounded before it is looked up. Refuses a table that
leaves a factor out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, ClassVar

import numpy as np

from gridtally.rating.components.charge import Charge, check_charge
from gridtally.rating.components.percent import FRACTION_MAX
from gridtally.rating.engine.batch import Batch
from gridtally.rating.engine.exact import ZERO
from gridtally.rating.engine.lines import Item, Kind, PlannedLine, selected
from gridtally.rating.engine.steps import Step, StepResult, subtotals
from gridtally.rating.field_types import Between, DecimalForm, Length, Name, Rate, check_rate
from gridtally.rating.plan.span import Span, chosen_slots
from gridtally.rating.reactive import FLOWS_OF, Reactive, combined, power_factor
from gridtally.rating.usage import ActiveFlow

ROWS_MAX = 101
"""One for each hundredth."""
DECIMALS_MAX = 4
FACTOR_FORM = DecimalForm(digits_max=1, decimals_max=DECIMALS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerFactorRow:
    """What meters pay whose power factor is at least a number, and below that of the row before."""

    at_least: Annotated[Decimal, FACTOR_FORM]
    """The least power factor of the row, from 0 to 1."""
    rate: Rate
    """The fraction of the components' amounts: 0.05 is 5 % more, -0.01 is 1 % off."""

    def __post_init__(self) -> None:
        if not (FACTOR_FORM.fits(self.at_least) and self.at_least <= 1):
            raise ValueError(
                f"a power factor of {self.at_least} must lie between 0 and 1, with at most "
                f"{DECIMALS_MAX} decimals"
            )
        check_rate(self.rate)
        if abs(self.rate) > FRACTION_MAX:
            raise ValueError(f"a rate of {self.rate}: 0.05 is 5 %, at most {FRACTION_MAX}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerFactor(Charge):
    """A percentage of the unrounded amounts of earlier components, by the meter's power factor.

    The factor is kWh / √(kWh² + kvarh²) over the days of the version in the billed period, and 1
    where there is no energy. Taxes come later and are never in it.
    """

    kind: ClassVar[str] = "power_factor"
    table: Annotated[tuple[PowerFactorRow, ...], Length(1, ROWS_MAX)]
    """From the highest power factor to the lowest, which is 0; a row of rate 0 charges nothing."""
    component_ids: tuple[Name, ...] = ()
    """The components it is taken of; all before it where neither these nor kinds are named."""
    kinds: tuple[Kind, ...] = ()
    """The kinds of lines it is taken of."""
    decimals: Annotated[int, Between(1, DECIMALS_MAX)] = 2
    """To so many decimals the power factor is rounded, half up, before the table is read."""
    flow: ActiveFlow = "import"
    """Whose kWh they are."""
    reactive: Reactive = "import"
    """Whose kvarh: what is drawn (`import`), what is fed in (`export`), their difference (`net`) or
    the `higher` of the two over the period."""

    def __post_init__(self) -> None:
        check_charge(self)
        if not 1 <= self.decimals <= DECIMALS_MAX:
            raise ValueError(f"decimals must lie between 1 and {DECIMALS_MAX}")
        if not 1 <= len(self.table) <= ROWS_MAX:
            raise ValueError(f"a table has 1 to {ROWS_MAX} rows")
        factors = [row.at_least for row in self.table]
        if any(below >= above for above, below in pairwise(factors)):
            raise ValueError(f"the table's factors must fall: {', '.join(map(str, factors))}")
        if factors[-1]:
            raise ValueError(f"the table says nothing of factors below {factors[-1]}: end it at 0")
        step = Decimal(1).scaleb(-self.decimals)
        for factor in factors:
            if factor % step:
                raise ValueError(f"{factor} is finer than the {self.decimals} decimals that count")


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentByFactor(Step):
    """The amounts of earlier lines, on the line of the row that a meter's power factor lies in."""

    lines: tuple[Item, ...]
    line_indexes: tuple[int, ...]
    rows: tuple[int | None, ...]
    """For each row of the table, which of the lines is its own; None for a rate of 0."""
    least: tuple[int, ...]
    """The least factor of each row, × 10^`decimals`."""
    decimals: int
    reactive: Reactive
    flow: ActiveFlow
    column: int
    reactive_columns: tuple[int, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        return self.lines

    @property
    def omits_zero_lines(self) -> bool:
        return True

    def charge(self, batch: Batch) -> list[StepResult]:
        amounts = subtotals(batch, self.line_indexes)
        quantities = [[ZERO] * len(amounts) for _ in self.lines]
        for meter, (amount, factor) in enumerate(zip(amounts, self._factors(batch), strict=True)):
            row = next(index for index, least in enumerate(self.least) if factor >= least)
            if (line := self.rows[row]) is not None:
                quantities[line][meter] = amount
        return [StepResult(line) for line in quantities]

    def _factors(self, batch: Batch) -> list[int]:
        """Each meter's power factor, × 10^`decimals`."""
        reactive = [
            np.array(batch.sums[flow][column], np.int64)
            for flow, column in zip(FLOWS_OF[self.reactive], self.reactive_columns, strict=True)
        ]
        return [
            power_factor(active, kvarh, self.decimals)
            for active, kvarh in zip(
                batch.sums[self.flow][self.column],
                combined(self.reactive, reactive).tolist(),
                strict=True,
            )
        ]


def plan(charge: PowerFactor, span: Span, lines: Sequence[PlannedLine]) -> list[PercentByFactor]:
    """A line for each row of a rate, on the span's earlier `lines`; no step where there are none.

    The factor is of all days of the version, also where taxes divide them.
    """
    line_indexes = selected(lines, charge.component_ids, charge.kinds)
    charged = [row for row in charge.table if row.rate]
    if not line_indexes or not charged:
        return []
    chosen = chosen_slots(span.zone, span.period, span.minutes, span.within)
    return [
        PercentByFactor(
            lines=tuple(
                span.item(
                    charge.id,
                    "adjustment",
                    band=f"from-{row.at_least}",
                    unit=span.currency,
                    rate=row.rate,
                    payee=charge.payee,
                    tax_class=charge.tax_class,
                )
                for row in charged
            ),
            line_indexes=line_indexes,
            rows=tuple(charged.index(row) if row.rate else None for row in charge.table),
            least=tuple(int(row.at_least.scaleb(charge.decimals)) for row in charge.table),
            decimals=charge.decimals,
            reactive=charge.reactive,
            flow=charge.flow,
            column=span.columns.column_of(charge.flow, chosen),
            reactive_columns=tuple(
                span.columns.column_of(flow, chosen) for flow in FLOWS_OF[charge.reactive]
            ),
        )
    ]
