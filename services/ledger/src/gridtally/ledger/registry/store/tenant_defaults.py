"""Each tenant's defaults; their meters as the event has them, in JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from gridtally.contracts.registry import TemplateMeter, TenantDefaultsChanged
from gridtally.database import ReadConnection, WriteConnection
from gridtally.ledger.registry.domain import meters
from gridtally.ledger.registry.domain.tenant_defaults import TenantDefaults

_FETCH = "SELECT zone, currency, country, meters FROM tenant_defaults WHERE tenant_id = $1"


async def fetch_defaults(read: ReadConnection, tenant_id: str) -> TenantDefaults:
    """What the tenant has set; nothing until then."""
    row = await read.raw.fetchrow(_FETCH, tenant_id)
    if row is None:
        return TenantDefaults()
    template = template_of(row["meters"])
    return TenantDefaults(row["zone"], row["currency"], row["country"], template)


def template_of(stored: Sequence[object] | None) -> tuple[meters.TemplateMeter, ...] | None:
    """The meters of a new property, as the domain knows them."""
    if stored is None:
        return None
    parsed = [TemplateMeter.model_validate(meter) for meter in stored]
    return tuple(
        meters.TemplateMeter(
            meter.meter_type,
            meter.name,
            tuple(meters.Channel(**dict(channel)) for channel in meter.channels),
        )
        for meter in parsed
    )


def published_template(defaults: TenantDefaults) -> list[TemplateMeter] | None:
    """The meters of a new property, as the event has them."""
    if defaults.meters is None:
        return None
    return [TemplateMeter.model_validate(asdict(meter)) for meter in defaults.meters]


# Each change counts the version up.
_UPSERT = """
INSERT INTO tenant_defaults AS d (tenant_id, zone, currency, country, meters)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id) DO UPDATE
   SET zone = excluded.zone, currency = excluded.currency, country = excluded.country,
       meters = excluded.meters, version = d.version + 1, updated_at = now()
RETURNING version, updated_at
"""


async def upsert_defaults(
    tx: WriteConnection, tenant_id: str, defaults: TenantDefaults
) -> tuple[int, datetime]:
    """Have these defaults from now on. Returns their version, and since when it is."""
    template = published_template(defaults)
    [row] = await tx.raw.fetch(
        _UPSERT, tenant_id, defaults.zone, defaults.currency, defaults.country, _json_of(template)
    )
    return row["version"], row["updated_at"]


_ADOPT = """
INSERT INTO tenant_defaults AS d
       (tenant_id, zone, currency, country, meters, version, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (tenant_id) DO UPDATE
   SET zone = excluded.zone, currency = excluded.currency, country = excluded.country,
       meters = excluded.meters, version = excluded.version, updated_at = excluded.updated_at
 WHERE d.version < excluded.version
"""


async def adopt_defaults(
    tx: WriteConnection, tenant_id: str, event: TenantDefaultsChanged, at: datetime
) -> None:
    """Have the defaults that were published before a restore, unless newer ones are there."""
    await tx.raw.execute(
        _ADOPT,
        tenant_id,
        event.zone,
        event.currency,
        event.country,
        _json_of(event.meters),
        event.version,
        at,
    )


def _json_of(template: Sequence[TemplateMeter] | None) -> str | None:
    if template is None:
        return None
    return json.dumps([meter.model_dump(mode="json") for meter in template])
