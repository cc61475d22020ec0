"""What a tenant's new resources have where nothing else is said."""

from dataclasses import dataclass

from gridtally.ledger.registry.domain.meters import OWN_TEMPLATE, TemplateMeter, check_template


@dataclass(frozen=True, slots=True)
class TenantDefaults:
    """The zone and the meters of new properties, the currency of new customers, and the country of
    addresses. ValueError for `meters` of which one property cannot have all."""

    zone: str | None = None
    currency: str | None = None
    country: str | None = None
    meters: tuple[TemplateMeter, ...] | None = None

    def __post_init__(self) -> None:
        if self.meters is not None:
            check_template(self.meters)

    @property
    def template(self) -> tuple[TemplateMeter, ...]:
        """The meters of a new property: `gg`, `sg`, `total` and `unmetered` unless others are
        set."""
        return OWN_TEMPLATE if self.meters is None else self.meters
