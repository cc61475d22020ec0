"""Tariffs as rows, and which of them a list is to hold, also by their versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from gridtally.tariff.domain.catalogue import code_taken, in_use
from gridtally.tariff.domain.regions import unknown_region
from gridtally.tariff.domain.tariffs import Tariff
from gridtally.tariff.domain.versions import Status
from gridtally.tariff.store.catalogue import ResourceTable, matching
from gridtally.tariff.store.tariff_versions import in_force_on
from gridtally.tariff.tables import tariff, tariff_version

TARIFFS = ResourceTable(
    noun="tariff",
    kind=Tariff,
    table=tariff,
    changeable=("name", "region_id"),
    write_answers={
        "tariff_code": code_taken("tariff"),
        "tariff_region": unknown_region("/region_id"),
    },
    delete_answers={"tariff_version_tenant_id_tariff_id_fkey": in_use("tariff", "versions")},
)


@dataclass(frozen=True, slots=True)
class TariffFilter:
    """Which tariffs a list is to hold: those that have `columns` with these values, `text` in code
    or name, lie in one of the regions, and have a version of the status, or in force on the day.

    What is None does not matter.
    """

    columns: Mapping[str, Any] = field(default_factory=dict)
    text: str | None = None
    status: Status | None = None
    in_force_on: date | None = None
    region_ids: Sequence[UUID] | None = None

    def clauses(self) -> list[sa.ColumnElement[bool]]:
        """What the tariffs must all meet."""
        clauses = matching(tariff, self.columns, self.text)
        if self.region_ids is not None:
            clauses.append(tariff.c.region_id.in_(self.region_ids))
        if self.status is not None:
            clauses.append(_has_version(tariff_version.c.status == self.status))
        if self.in_force_on is not None:
            clauses.append(_has_version(*in_force_on(self.in_force_on)))
        return clauses


def _has_version(*clauses: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        tariff_version.c.tenant_id == tariff.c.tenant_id,
        tariff_version.c.tariff_id == tariff.c.id,
        *clauses,
    )
