"""Which tariffs are asked for, also by their versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tariff.domain.versions import Status
from tariff.store.rows import equal, holding
from tariff.store.versions import in_force_on
from tariff.tables import tariff, version


@dataclass(frozen=True, slots=True)
class TariffFilter:
    """Which tariffs are asked for: whose columns are `equal`, and whose versions meet the rest."""

    equal: Mapping[str, Any] = field(default_factory=dict)
    text: str | None = None
    status: Status | None = None
    in_force_on: date | None = None
    region_ids: Sequence[UUID] | None = None

    def clauses(self) -> list[sa.ColumnElement[bool]]:
        """What they must all meet."""
        clauses = equal(tariff, self.equal) + holding(tariff, self.text)
        if self.region_ids is not None:
            clauses.append(tariff.c.region_id.in_(self.region_ids))
        if self.status is not None:
            clauses.append(_has_version(version.c.status == self.status))
        if self.in_force_on is not None:
            clauses.append(_has_version(*in_force_on(self.in_force_on)))
        return clauses


def _has_version(*clauses: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        version.c.tenant_id == tariff.c.tenant_id, version.c.tariff_id == tariff.c.id, *clauses
    )
