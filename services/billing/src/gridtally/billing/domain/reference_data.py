"""Reference data: billing's copies of what others publish, as far as a batch of work needs it."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.tariffs import InForce, cut_by_version
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.document import tariff_version
from gridtally.rating.price_days import VersionedSeries
from gridtally.rating.tariff import Part, TariffVersion, price_series_codes

Key = tuple[str, UUID]
"""A tenant and an id of its own."""
DayKey = tuple[str, UUID, date]
"""Tenant, meter and local day: what one daily cost belongs to."""
SeriesKey = tuple[str, str]
"""A tenant and the code under which its tariffs name a series."""
VERSIONS_CACHED_MAX = 1024


@dataclass(frozen=True, slots=True)
class Meter:
    """The meter's connected load, and the flows that it measures."""

    connected_kw: Decimal | None
    flows: frozenset[str]


@dataclass(frozen=True, slots=True)
class ReferenceData:
    """What is known of some agreements and meters, and of the tariffs and prices that they need.

    `agreements` and `meters` by their ids, `currencies` by customer, `versions` by tariff,
    `documents` (JSON) by version, `prices` by the code of their series.
    """

    agreements: Mapping[Key, Agreement]
    meters: Mapping[Key, Meter]
    currencies: Mapping[Key, str]
    versions: Mapping[Key, Sequence[InForce]]
    documents: Mapping[Key, str]
    prices: Mapping[SeriesKey, VersionedSeries] = field(default_factory=dict)

    def price_series_keys(self) -> set[SeriesKey]:
        """The price series that the tariff versions name."""
        keys: set[SeriesKey] = set()
        for (tenant_id, version_id), document in self.documents.items():
            try:
                version = read_version(version_id, document)
            except Rejected:
                continue  # whatever it is for is held, with this as the reason
            keys |= {(tenant_id, code) for code in price_series_codes(version)}
        return keys

    def prices_for(self, tenant_id: str, parts: Sequence[Part]) -> dict[str, VersionedSeries]:
        """The series that these parts need, by code, as far as they are known."""
        codes = {code for part in parts for code in price_series_codes(part.version)}
        known = {code: self.prices.get((tenant_id, code)) for code in sorted(codes)}
        return {code: versioned for code, versioned in known.items() if versioned is not None}

    def parts(self, tenant_id: str, tariff_id: UUID, period: Period) -> tuple[Part, ...]:
        """The period cut by the tariff's versions; Rejected where a day has none."""
        versions = self.versions.get((tenant_id, tariff_id), ())
        parts = []
        for days, version_id in cut_by_version(period, versions):
            if version_id is None:
                raise Rejected(
                    "tariff_missing",
                    f"tariff {tariff_id} has no published version from {days.start_on} "
                    f"to {days.end_on}",
                )
            document = self.documents[tenant_id, version_id]
            parts.append(Part(days, read_version(version_id, document)))
        return tuple(parts)

    def agreements_on(self, days: Collection[DayKey]) -> dict[DayKey, Agreement]:
        """The one agreement in force on each of these meters' days, where there is one."""
        agreements_of: dict[Key, list[Agreement]] = {}
        for (tenant_id, _), agreement in self.agreements.items():
            agreements_of.setdefault((tenant_id, agreement.meter_id), []).append(agreement)
        return {
            (tenant_id, meter_id, day): agreement
            for tenant_id, meter_id, day in days
            for agreement in agreements_of.get((tenant_id, meter_id), ())
            if day in agreement
        }


@lru_cache(maxsize=VERSIONS_CACHED_MAX)
def read_version(version_id: UUID, document: str) -> TariffVersion:
    """The version that a JSON document describes; Rejected where rating does not know it."""
    return tariff_version(version_id, json.loads(document))
