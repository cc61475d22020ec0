"""Tenants' defaults in requests and answers."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from gridtally.contracts import registry as contracts
from gridtally.contracts.customers import Country
from gridtally.contracts.model import Currency, Zone
from gridtally.http.resources import Body
from gridtally.ledger.registry.domain import meters, tenant_defaults
from gridtally.ledger.registry.schemas.meters import accepted, channels_of

Template = Annotated[list[contracts.TemplateMeter], Field(max_length=contracts.TEMPLATE_METERS_MAX)]


def template_of(template: Sequence[contracts.TemplateMeter]) -> tuple[meters.TemplateMeter, ...]:
    """The meters of a new property as the domain knows them; Rejected for impossible channels."""
    return tuple(
        meters.TemplateMeter(meter.meter_type, meter.name, channels_of(meter.channels))
        for meter in template
    )


class NewTenantDefaults(Body):
    """What new resources are to have; what is left out is none."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    zone: Zone | None = None
    """The IANA zone of properties that name none, and of days in lists over many of them."""
    currency: Currency | None = None
    """The currency of customers that name none, as ISO 4217 writes it."""
    country: Country | None = None
    """The country of customers' addresses that name none, as ISO 3166 writes it in two letters."""
    meters: Template | None = None
    """The meters of a property that names none; null for `gg`, `sg`, `total` and `unmetered`."""

    def to_domain(self) -> tenant_defaults.TenantDefaults:
        """The defaults as the domain knows them; Rejected for meters that no property can have."""
        template = None if self.meters is None else template_of(self.meters)
        return accepted(
            lambda: tenant_defaults.TenantDefaults(self.zone, self.currency, self.country, template)
        )


class TenantDefaults(BaseModel):
    """What the tenant's new resources have where nothing else is said; null for nothing."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    zone: str | None
    """The IANA zone of properties that name none, and of days in lists over many of them."""
    currency: str | None
    """The currency of customers that name none."""
    country: str | None
    """The country of customers' addresses that name none."""
    meters: list[contracts.TemplateMeter]
    """The meters of a property that names none."""

    @classmethod
    def of(cls, defaults: tenant_defaults.TenantDefaults) -> Self:
        """The defaults as the API shows them."""
        template = [contracts.TemplateMeter(**asdict(meter)) for meter in defaults.template]
        return cls(
            zone=defaults.zone,
            currency=defaults.currency,
            country=defaults.country,
            meters=template,
        )
