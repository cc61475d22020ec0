"""What a tenant's new customers have where nothing else is said."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TenantDefaults:
    """The currency of customers and the country of addresses that name none; None for none."""

    currency: str | None = None
    country: str | None = None
