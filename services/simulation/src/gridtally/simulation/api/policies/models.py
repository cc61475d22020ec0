"""The form of a policy in JSON: four types, told apart by their `type`."""

from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from gridtally.contracts.model import (
    READ_EXACTLY,
    SHOWN_AS_DECIMAL,
    WRITTEN_PLAINLY,
    Currency,
    Text,
)
from gridtally.http.resources import Body
from gridtally.kernel.errors import Rejected
from gridtally.kernel.money import NO_CURRENCY
from gridtally.simulation.domain import policies as domain

PERIODS_MAX = 48
RATE_BELOW = Decimal(10) ** 9
_EXACT = (READ_EXACTLY, WRITTEN_PLAINLY, SHOWN_AS_DECIMAL)
Rate = Annotated[Decimal, Field(gt=-RATE_BELOW, lt=RATE_BELOW, decimal_places=12), *_EXACT]
"""Money per kWh or kW; below zero where energy costs less than nothing."""
Charge = Annotated[Decimal, Field(ge=0, lt=RATE_BELOW, decimal_places=12), *_EXACT]
"""Money that is never below zero."""
Share = Annotated[Decimal, Field(ge=0, le=1, decimal_places=12, examples=["0.09"]), *_EXACT]
"""A fraction: 0.09 is 9 %."""
LocalTime = Annotated[
    str,
    StringConstraints(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9](:00)?|24:00(:00)?)$"),
    Field(examples=["17:00"]),
]
"""A time of the local day, `HH:MM`; `24:00` is its end."""


class Charges(Body):
    """What all policies but `TARIFF` have."""

    fixed_charge_tariff_rate_per_kw: Charge = Decimal(0)
    """Money per kW of connected load and month."""
    fac_charge_per_kwh_imported: Rate = Decimal(0)
    """The fuel adjustment: money per imported kWh."""
    tax_rate_on_energy_charges: Share = Decimal(0)
    """The tax on energy charges as a fraction: 0.09 is 9 %."""
    arrears: Charge = Decimal(0)
    """Money that each house owes from before, added to its bill."""
    credit_policy: domain.CreditPolicy = "offset_fixed"
    """What becomes of credit that the month's energy charges do not use up: it is lost, pays fixed
    charges and is lost then, is carried forward to the next bill, or is paid out."""
    currency: Currency = NO_CURRENCY
    """The currency of all rates and amounts (ISO 4217); `XXX` is none."""


class SimpleNet(Charges):
    """Exported kWh pay for imported ones over the month; the rest is charged at one price."""

    type: Literal["SIMPLE_NET"]
    """Which policy it is."""
    retail_price_per_kwh: Rate
    """Money per kWh of import less export; what is left over is worth the same."""

    def to_domain(self) -> domain.SimpleNet:
        """The policy."""
        return domain.SimpleNet(**_fields(self))


class GrossMetering(Charges):
    """Every imported kWh is charged at one price, every exported one credited at another."""

    type: Literal["GROSS_METERING"]
    """Which policy it is."""
    import_retail_price_per_kwh: Rate
    """Money per imported kWh."""
    export_wholesale_price_per_kwh: Rate
    """Money per exported kWh that is credited."""

    def to_domain(self) -> domain.GrossMetering:
        """The policy."""
        return domain.GrossMetering(**_fields(self))


class TouPeriod(Body):
    """Rates for a part of the local day, which may cross midnight."""

    label: Text
    """What people call it."""
    start_time: LocalTime
    """When it begins, on the house's clock."""
    end_time: LocalTime
    """When it ends; where that is when it begins, it is all day."""
    import_retail_rate_per_kwh: Rate
    """Money per imported kWh."""
    export_wholesale_rate_per_kwh: Rate = Decimal(0)
    """Money per exported kWh that is credited."""

    def to_domain(self) -> domain.TouPeriod:
        """The period."""
        return domain.TouPeriod(
            label=self.label,
            start_minute=minute_of_day(self.start_time),
            end_minute=minute_of_day(self.end_time),
            import_retail_rate_per_kwh=self.import_retail_rate_per_kwh,
            export_wholesale_rate_per_kwh=self.export_wholesale_rate_per_kwh,
        )


class TouRate(Charges):
    """Import and export have a rate for each period of the local day; the periods fill it."""

    type: Literal["TOU_RATE"]
    """Which policy it is."""
    tou_periods: Annotated[list[TouPeriod], Field(min_length=1, max_length=PERIODS_MAX)]
    """The periods, in any order; they neither overlap nor leave a gap."""

    def to_domain(self) -> domain.TouRate:
        """The policy; Rejected where periods overlap or leave a gap."""
        periods = tuple(period.to_domain() for period in self.tou_periods)
        return domain.TouRate(**_fields(self, "tou_periods"), tou_periods=periods)


class TariffPolicy(Body):
    """A version of a tariff, published or still a draft, as it is when the run is started."""

    type: Literal["TARIFF"]
    """Which policy it is."""
    tariff_version_id: UUID
    """The version's id."""

    def to_domain(self) -> domain.TariffPolicy:
        """The policy."""
        return domain.TariffPolicy(self.tariff_version_id)


AnyPolicy = Annotated[
    SimpleNet | GrossMetering | TouRate | TariffPolicy, Field(discriminator="type")
]
"""How the houses are billed."""


def policy_json(policy: SimpleNet | GrossMetering | TouRate | TariffPolicy) -> dict[str, Any]:
    """The policy as it is stored, decimals as texts; Rejected where it makes no tariff, with the
    path below `/policy`."""
    try:
        made = policy.to_domain()
        if not isinstance(made, domain.TariffPolicy):
            domain.check_tariff(made)
    except Rejected as refused:
        raise refused.relocated("", "/policy") from None
    return policy.model_dump(mode="json")


def _fields(policy: Body, *left_out: str) -> dict[str, Any]:
    names = type(policy).model_fields.keys() - {"type", *left_out}
    return {name: getattr(policy, name) for name in names}


def minute_of_day(text: str) -> int:
    """The minute of the day of a `LocalTime`; its end is its begin."""
    hours, minutes, *_ = text.split(":")
    return (int(hours) * 60 + int(minutes)) % domain.MINUTES_PER_DAY
