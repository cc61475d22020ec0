"""Policies: the usual ways to bill houses that export, as the native tariffs that they stand for.

Owns what each parameter becomes in a tariff document. The document names no zone: a policy's local
times are those of the house that is billed. Credit pays the energy charges first, by kWh (net
metering) or by money (the others); what is left of it has the policy's `credit_policy`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar, Literal
from uuid import UUID

from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.ids import derive_id
from gridtally.kernel.money import NO_CURRENCY, minor_decimals, plain
from gridtally.rating.document import tariff_version

MINUTES_PER_DAY = 1440
FIXED, ENERGY, EXPORT, FUEL, TAX, ARREARS = "fixed", "energy", "export", "fac", "tax", "arrears"
"""The ids of the components of every policy's tariff."""
CreditPolicy = Literal["lost", "offset_fixed", "carry_forward", "payout"]
Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Charges:
    """What all policies but `TARIFF` have: money in `currency`, rates per kW and kWh."""

    fixed_charge_tariff_rate_per_kw: Decimal = Decimal(0)
    fac_charge_per_kwh_imported: Decimal = Decimal(0)
    tax_rate_on_energy_charges: Decimal = Decimal(0)
    arrears: Decimal = Decimal(0)
    credit_policy: CreditPolicy = "offset_fixed"
    currency: str = NO_CURRENCY


@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleNet(Charges):
    """Exported kWh pay for imported ones over the month; the rest has the retail price."""

    type: ClassVar[str] = "SIMPLE_NET"
    retail_price_per_kwh: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class GrossMetering(Charges):
    """Every imported kWh at the retail price, every exported one credited at the wholesale one."""

    type: ClassVar[str] = "GROSS_METERING"
    import_retail_price_per_kwh: Decimal
    export_wholesale_price_per_kwh: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TouPeriod:
    """Rates from a local minute of the day to another, also across midnight; where both are the
    same, all day."""

    label: str
    start_minute: int
    end_minute: int
    import_retail_rate_per_kwh: Decimal
    export_wholesale_rate_per_kwh: Decimal

    def minutes(self) -> list[int]:
        """The minutes of the local day that it covers."""
        end = self.end_minute
        if end <= self.start_minute:
            end += MINUTES_PER_DAY
        return [minute % MINUTES_PER_DAY for minute in range(self.start_minute, end)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TouRate(Charges):
    """Import and export have a rate for each period of the local day."""

    type: ClassVar[str] = "TOU_RATE"
    tou_periods: tuple[TouPeriod, ...]

    def __post_init__(self) -> None:
        """Rejected where periods overlap or leave a gap, with the path of the fault."""
        if faults := tuple(_period_faults(self.tou_periods)):
            detail = "; ".join(f"{fault.path}: {fault.detail}" for fault in faults)
            raise Rejected("invalid_policy", detail, faults)


@dataclass(frozen=True, slots=True)
class TariffPolicy:
    """A version of a tariff, published or still a draft, by its id."""

    type: ClassVar[str] = "TARIFF"
    tariff_version_id: UUID


Policy = SimpleNet | GrossMetering | TouRate | TariffPolicy
OwnPolicy = SimpleNet | GrossMetering | TouRate
"""The policies that are tariffs by themselves."""


@dataclass(frozen=True, slots=True)
class NamedPolicy:
    """A policy that is stored under a name; `policy` is its JSON form."""

    id: UUID
    name: str
    policy: Json = field(hash=False)


def tariff_document(policy: OwnPolicy) -> Json:
    """The native tariff that a policy stands for, without a zone.

    Charges of nothing are left out, so that a house without a connected load can be billed where
    no charge is per kW.
    """
    components = [
        *_fixed_charges(policy),
        *_energy_charges(policy),
    ]
    return {
        "currency": policy.currency,
        "rounding": {"decimals": minor_decimals(policy.currency)},
        "components": components,
    }


def _fixed_charges(policy: Charges) -> list[Json]:
    charges: list[Json] = []
    if rate := policy.fixed_charge_tariff_rate_per_kw:
        charges.append({"kind": "capacity", "id": FIXED, "rate": plain(rate)})
    if policy.arrears:
        charges.append(
            {"kind": "fixed", "id": ARREARS, "rate": plain(policy.arrears), "per": "month"}
        )
    return charges


def _energy_charges(policy: OwnPolicy) -> list[Json]:
    fuel: list[Json] = []
    if rate := policy.fac_charge_per_kwh_imported:
        fuel.append({"kind": "adjustment", "id": FUEL, "rate": plain(rate)})
    tax: list[Json] = []
    if rate := policy.tax_rate_on_energy_charges:
        tax.append({"kind": "tax", "id": TAX, "rate": plain(rate), "component_ids": [ENERGY]})
    match policy:
        case SimpleNet():
            energy: Json = {
                "kind": "net_metering",
                "id": ENERGY,
                "rate": plain(policy.retail_price_per_kwh),
                "surplus": _surplus_of_kwh(policy),
            }
            return [energy, *fuel, *tax]
        case GrossMetering():
            energy = {
                "kind": "energy",
                "id": ENERGY,
                "rate": plain(policy.import_retail_price_per_kwh),
            }
            price = policy.export_wholesale_price_per_kwh
            export: Json = {"rate": plain(price)} if price else {}
        case TouRate():
            energy = {"kind": "time_of_use", "id": ENERGY, **_bands(policy.tou_periods, "import")}
            rates = [period.export_wholesale_rate_per_kwh for period in policy.tou_periods]
            export = _bands(policy.tou_periods, "export") if any(rates) else {}
    credit: list[Json] = []
    if export:
        surplus = _surplus_of_money(policy, [ENERGY, *(item["id"] for item in fuel)])
        credit.append({"kind": "export_credit", "id": EXPORT, "surplus": surplus, **export})
    return [energy, *fuel, *credit, *tax]


def _surplus_of_kwh(policy: Charges) -> Json:
    """Units that no import has used up."""
    match policy.credit_policy:
        case "lost":
            return {"kind": "none"}
        case "offset_fixed":
            if not policy.fixed_charge_tariff_rate_per_kw:
                return {"kind": "none"}  # there is nothing that it could pay
            return {"kind": "offset", "component_ids": [FIXED], "unused": "lost"}
        case "carry_forward":
            return {"kind": "carry_forward"}
        case "payout":
            return {"kind": "payout"}


def _surplus_of_money(policy: Charges, energy_ids: Sequence[object]) -> Json:
    """Credit for exported energy: it pays what energy costs, and then what the policy says."""
    match policy.credit_policy:
        case "lost":
            return {"kind": "offset", "component_ids": [*energy_ids], "unused": "lost"}
        case "offset_fixed":
            fixed = [FIXED] if policy.fixed_charge_tariff_rate_per_kw else []
            return {"kind": "offset", "component_ids": [*energy_ids, *fixed], "unused": "lost"}
        case "carry_forward":
            return {"kind": "offset", "component_ids": [*energy_ids], "unused": "carry_forward"}
        case "payout":
            return {"kind": "payout"}


def band_name(index: int) -> str:
    """What a period is called in the tariff: labels are for people, and may come twice."""
    return f"period-{index + 1}"


def _bands(periods: Sequence[TouPeriod], flow: Literal["import", "export"]) -> Json:
    bands, windows = [], []
    for index, period in enumerate(periods):
        rate = (
            period.import_retail_rate_per_kwh
            if flow == "import"
            else period.export_wholesale_rate_per_kwh
        )
        bands.append({"name": band_name(index), "rate": plain(rate)})
        is_whole = period.start_minute == period.end_minute
        start, end = (0, 0) if is_whole else (period.start_minute, period.end_minute)
        windows.append(
            {"band": band_name(index), "from_time": clock_text(start), "to_time": clock_text(end)}
        )
    return {"bands": bands, "windows": windows}


def clock_text(minute: int) -> str:
    """A minute of the day as `HH:MM`; the last midnight is the first."""
    hour, minute = divmod(minute % MINUTES_PER_DAY, 60)
    return f"{hour:02}:{minute:02}"


def _period_faults(periods: Sequence[TouPeriod]) -> list[Fault]:
    owner: list[int | None] = [None] * MINUTES_PER_DAY
    faults: list[Fault] = []
    for index, period in enumerate(periods):
        overlapped = [
            (minute, other) for minute in period.minutes() if (other := owner[minute]) is not None
        ]
        if overlapped:
            minute, other = overlapped[0]
            faults.append(
                Fault(
                    f"/tou_periods/{index}/start_time",
                    f"overlaps with period {other} ({periods[other].label}) at "
                    f"{clock_text(minute)}",
                )
            )
        for minute in period.minutes():
            if owner[minute] is None:
                owner[minute] = index
    if not faults and None in owner:
        first = owner.index(None)
        left = [index for index in owner[first:] if index is not None]
        end = owner.index(left[0], first) if left else MINUTES_PER_DAY
        faults.append(
            Fault("/tou_periods", f"no period covers {clock_text(first)} to {clock_text(end)}")
        )
    return faults


def check_tariff(policy: OwnPolicy) -> None:
    """Rejected where the policy makes no tariff, with the paths of its document."""
    tariff_version(derive_id("simulation tariff"), {**tariff_document(policy), "zone": "UTC"})
