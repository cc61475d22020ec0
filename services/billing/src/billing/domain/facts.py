"""Facts: billing's own copies of what others said, as far as a batch of work needs them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from billing.domain.agreements import Agreement
from billing.domain.prices import CopiedSeries, SeriesKey
from billing.domain.tariffs import InForce, cut_by_version
from kernel.errors import Rejected
from kernel.periods import Period
from rating.document import tariff_version
from rating.tariff import Part, TariffVersion, series_named

Key = tuple[str, UUID]
"""A tenant and an id of its own."""
VERSIONS_CACHED_MAX = 1024


@dataclass(frozen=True, slots=True)
class Meter:
    """The meter's connected load, and the flows that it measures."""

    connected_kw: Decimal | None
    flows: frozenset[str]


@dataclass(frozen=True, slots=True)
class Facts:
    """`agreements` and `meters` by their ids, `currencies` by customer, `versions` by tariff,
    `documents` (JSON) by version, `prices` by the code of their series.
    """

    agreements: Mapping[Key, Agreement]
    meters: Mapping[Key, Meter]
    currencies: Mapping[Key, str]
    versions: Mapping[Key, Sequence[InForce]]
    documents: Mapping[Key, str]
    prices: Mapping[SeriesKey, CopiedSeries] = field(default_factory=dict)

    def series_named(self) -> set[SeriesKey]:
        """The price series that the tariff versions speak of."""
        found: set[SeriesKey] = set()
        for (tenant_id, version_id), document in self.documents.items():
            try:
                version = read_version(version_id, document)
            except Rejected:
                continue  # whatever it is for is held, with this as the reason
            found |= {(tenant_id, name) for name in series_named(version)}
        return found

    def prices_for(self, tenant_id: str, parts: Sequence[Part]) -> dict[str, CopiedSeries]:
        """The series that these parts need, as far as they are known."""
        names = {name for part in parts for name in series_named(part.version)}
        known = {name: self.prices.get((tenant_id, name)) for name in sorted(names)}
        return {name: copied for name, copied in known.items() if copied is not None}

    def parts(self, tenant_id: str, tariff_id: UUID, period: Period) -> tuple[Part, ...]:
        """The period cut by the tariff's versions; Rejected where a day has none."""
        versions = self.versions.get((tenant_id, tariff_id), ())
        parts = []
        for part, version_id in cut_by_version(period, versions):
            if version_id is None:
                raise Rejected(
                    "tariff_missing",
                    f"tariff {tariff_id} has no published version from {part.start_on} "
                    f"to {part.end_on}",
                )
            document = self.documents[tenant_id, version_id]
            parts.append(Part(part, read_version(version_id, document)))
        return tuple(parts)


@lru_cache(maxsize=VERSIONS_CACHED_MAX)
def read_version(version_id: UUID, document: str) -> TariffVersion:
    """The version that a JSON document describes; Rejected where rating does not know it."""
    return tariff_version(version_id, json.loads(document))
