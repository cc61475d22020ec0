"""Net metering: units given pay for units taken over the period, and what is left has its rule."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from rating.bands import Bands, Window, chosen_by_band
from rating.bank import CrossBand, draw, earned, gathered, still_good
from rating.batch import Batch
from rating.components.time_of_use import Band
from rating.exact import NOTHING
from rating.limits import check_component, check_rate
from rating.lines import Item
from rating.rates import bands_of, check_rates, named_rates
from rating.span import Span
from rating.state import Bank
from rating.steps import Charged, Step
from rating.surplus import CarryForward, Lost, Offset, Payout, reaches
from rating.usage import Flow

_FLOWS: tuple[Flow, Flow] = ("import", "export")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetMetering:
    """Import less export over a version's days in the period, at a `rate` or per band.

    Each band nets for itself; `cross_band` says whether the surplus of one then pays for units of
    none of the others, of those `later` in `bands` (the dearest comes first), or of `any`.
    `surplus` says what becomes of what is left; its worth is `surplus_rate` per kWh, the band's
    own rate where None. A tax class covers the charges, and the credit where that is taxed.
    """

    kind: ClassVar[str] = "net_metering"
    id: str
    surplus: Lost | Offset | CarryForward | Payout
    surplus_rate: Decimal | None = None
    rate: Decimal | None = None
    bands: tuple[Band, ...] = ()
    windows: tuple[Window, ...] = ()
    default_band: str | None = None
    cross_band: CrossBand = "none"
    payee: str | None = None
    tax_class: str | None = None

    def __post_init__(self) -> None:
        check_component(self.id, self.payee, self.tax_class)
        check_rates(self.rate, self.bands, self.windows, self.default_band)
        if self.surplus_rate is not None:
            check_rate(self.surplus_rate)
            if isinstance(self.surplus, Lost | CarryForward):
                raise ValueError("a surplus_rate is for a surplus that offsets or is paid out")
        if self.cross_band != "none" and len(self.bands) < 2:
            raise ValueError("units cross between two bands or more")

    @property
    def carries_state(self) -> bool:
        """Whether a bill hands units or credit to the next."""
        return self.surplus.carries_state

    @property
    def banded(self) -> Bands | None:
        """When each band is on."""
        return bands_of(self.bands, self.windows, self.default_band)


@dataclass(frozen=True, slots=True)
class Netting(Step):
    """The net import of each band that is on; leaves to the credit what is left of each."""

    net: tuple[Item, ...]
    columns: tuple[tuple[int, int], ...]
    """The sums of import and of export of each band that is on."""

    @property
    def items(self) -> tuple[Item, ...]:
        return self.net

    def charge(self, batch: Batch) -> list[Charged]:
        balances = self._balances(batch)
        first = self.net[0]
        batch.surplus[first.component_id, first.part] = [
            batch.kwh_in_parts([max(-balance, 0) for balance in row]) for row in balances
        ]
        return [
            Charged(batch.kwh_in_parts([max(balance, 0) for balance in row])) for row in balances
        ]

    def _balances(self, batch: Batch) -> list[list[int]]:
        """Import less export in the meters' units, by band and meter."""
        taken, given = batch.sums["import"], batch.sums["export"]
        return [
            [one - other for one, other in zip(taken[imported], given[exported], strict=True)]
            for imported, exported in self.columns
        ]


@dataclass(frozen=True, slots=True)
class CrossNetting(Netting):
    """Then what each band takes of the units of others and of the bank, as lines below nothing.

    `bands` are those that units may belong to, in their order, and `on` the places of those that
    are on. Leaves the bank, and to the credit what is left of each band or, at a true-up, of all.
    """

    taken: tuple[Item, ...]
    bands: tuple[str | None, ...]
    on: tuple[int, ...]
    cross_band: CrossBand
    bank: CarryForward | None

    @property
    def items(self) -> tuple[Item, ...]:
        return (*self.net, *self.taken)

    def charge(self, batch: Batch) -> list[Charged]:
        balances = self._balances(batch)
        taken: list[list[Decimal]] = [[] for _ in self.on]
        left: list[list[Decimal]] = [[] for _ in self.on]
        for meter, divisor in enumerate(batch.divisors):
            unit = Decimal(1).scaleb(-batch.usages[meter].kwh_decimals)
            balance = dict(zip(self.on, (row[meter] * unit for row in balances), strict=True))
            for rows, found in zip((taken, left), self._settle(batch, meter, balance), strict=True):
                for row, kwh in zip(rows, found, strict=True):
                    row.append(kwh * divisor)
        first = self.net[0]
        batch.surplus[first.component_id, first.part] = left
        net = [
            Charged(batch.kwh_in_parts([max(balance, 0) for balance in row])) for row in balances
        ]
        return net + [Charged([-kwh + NOTHING for kwh in row], hides_nothing=True) for row in taken]

    def _settle(
        self, batch: Batch, meter: int, balance: dict[int, Decimal]
    ) -> tuple[list[Decimal], list[Decimal]]:
        """What each band that is on takes, and what the credit gets of each, in kWh."""
        component_id, days = self.net[0].component_id, self.net[0].part
        every = [balance.get(place, NOTHING) for place in range(len(self.bands))]
        lots = earned([max(-one, NOTHING) for one in every], self.bands, days, self.bank)
        if self.bank is not None and (held := batch.take_state(meter, component_id, Bank)):
            lots = still_good(held.lots, days.start_on) + lots
        needs = [max(one, NOTHING) for one in every]
        taken, lots = draw(needs, lots, self.bands, self.cross_band)
        left = [NOTHING] * len(self.on)
        if self.bank is None:
            of_band = {lot.band: lot.kwh for lot in lots}
            left = [of_band.get(self.bands[place], NOTHING) for place in self.on]
        elif reaches(days, self.bank.true_up_month):
            left[0] = sum((lot.kwh for lot in lots), NOTHING)
        elif lots:
            batch.states[meter][component_id] = Bank(gathered(lots))
        return [taken[place] for place in self.on], left


@dataclass(frozen=True, slots=True)
class Leftover(Step):
    """What the netting of the same days left over, at what it is worth."""

    worth: tuple[Item, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        return self.worth

    @property
    def hides_nothing(self) -> bool:
        return True

    def charge(self, batch: Batch) -> list[Charged]:
        first = self.worth[0]
        rows = batch.surplus[first.component_id, first.part]
        return [Charged(row) for row, _ in zip(rows, self.worth, strict=False)]


def plan(metering: NetMetering, span: Span) -> list[Netting]:
    """A line for each band that is on, and one for what it takes of other units."""
    rates = named_rates(metering.rate, metering.bands)
    chosen_of = chosen_by_band(metering.banded, metering.id, span)
    on = tuple(place for place, _ in chosen_of)
    net, taken = (
        tuple(
            span.item(
                metering.id,
                "energy",
                band=rates[place][0],
                flow=flow,
                unit="kWh",
                rate=rates[place][1],
                payee=metering.payee,
                tax_class=metering.tax_class,
            )
            for place in on
        )
        for flow in _FLOWS
    )
    columns = tuple(
        (span.columns.place("import", chosen), span.columns.place("export", chosen))
        for _, chosen in chosen_of
    )
    bank = metering.surplus if isinstance(metering.surplus, CarryForward) else None
    if bank is None and metering.cross_band == "none":
        return [Netting(net, columns)]
    bands = tuple(band for band, _ in rates)
    return [CrossNetting(net, columns, taken, bands, on, metering.cross_band, bank)]


def plan_credit(metering: NetMetering, span: Span) -> list[Leftover]:
    """What is left over where it is worth money: by band, or of all the bank at its true-up."""
    lines = tuple(
        span.item(
            metering.id,
            "credit",
            band=band,
            flow="export",
            unit="kWh",
            rate=-rate,
            payee=metering.payee,
            tax_class=metering.tax_class if metering.surplus.taxed else None,
        )
        for band, rate in _worth(metering, span)
    )
    return [Leftover(lines)] if lines else []


def _worth(metering: NetMetering, span: Span) -> list[tuple[str | None, Decimal]]:
    """What a kWh that is left over is worth, by band."""
    surplus = metering.surplus
    if isinstance(surplus, Lost):
        return []
    if isinstance(surplus, CarryForward):
        if surplus.true_up_rate is None or not reaches(span.part, surplus.true_up_month):
            return []
        return [(None, surplus.true_up_rate)]
    rates = named_rates(metering.rate, metering.bands)
    own = metering.surplus_rate
    return [
        (band, rate if own is None else own)
        for band, rate in (
            rates[place] for place, _ in chosen_by_band(metering.banded, metering.id, span)
        )
    ]
