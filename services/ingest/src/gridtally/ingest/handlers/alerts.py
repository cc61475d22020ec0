"""Alerts: looking at meters that something happened to, or that have been silent for too long.

Claim → observe → decide → save and publish, in the caller's transaction, so that an alert and its
event are committed together. What is stored decides, not what came: so a meter may be looked at as
often as anybody likes.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from gridtally.database import WriteConnection
from gridtally.ingest.domain import alerts as domain
from gridtally.ingest.domain.adoption import PublishedDay
from gridtally.ingest.domain.alert_rules import AlertRules, AlertSetting
from gridtally.ingest.domain.meters import MeterKey
from gridtally.ingest.domain.usage import ChangedDay
from gridtally.ingest.events.alerts import alert_cleared, alert_raised
from gridtally.ingest.handlers.validation_rules import clear_verdicts
from gridtally.ingest.store import alert_checks, alert_rules, alerts, validation_rules
from gridtally.ingest.store.alert_checks import DueMeter
from gridtally.ingest.store.meters import fetch_meters
from gridtally.kernel.errors import Conflict, NotFound
from gridtally.messaging import enqueue

MARKS_MAX = 500
"""Marks of meters that are looked at in one transaction, so no more meters."""


async def check_due_meters(tx: WriteConnection, now: datetime) -> int:
    """Look at some meters that are due; how many."""
    due = await alert_checks.claim_due(tx, now, MARKS_MAX)
    if not due:
        return 0
    keys: list[MeterKey] = [(mark.tenant_id, mark.meter_id) for mark in due]
    rules = await alert_rules.fetch_rules(tx, {mark.tenant_id for mark in due})
    meters = await fetch_meters(tx, keys)
    latest = domain.newest_of(await alerts.fetch_latest(tx, keys))
    observed = await alert_checks.observe(tx, due, meters, latest, now)
    changed: list[domain.Changes] = []
    looks: list[tuple[DueMeter, datetime]] = []
    for mark, key in zip(due, keys, strict=True):
        known = latest.get(key, {})
        results = domain.findings(observed[key], rules[key[0]], known, now)
        changed.append(
            domain.changes(
                key, observed[key].meter, rules[key[0]], known, results, now, mark.correlation_id
            )
        )
        if results.look_at is not None:
            looks.append((mark._replace(correlation_id=None), results.look_at))
    await _save(tx, changed)
    await alert_checks.schedule(tx, looks)
    return len(due)


async def _save(tx: WriteConnection, changed: Sequence[domain.Changes]) -> None:
    raised = [alert for own in changed for alert in own.raised]
    cleared = [alert for own in changed for alert in own.cleared]
    touched = [alert for own in changed for alert in own.touched]
    await alerts.insert_alerts(tx, raised)
    await alerts.update_alerts(tx, [*touched, *cleared])
    await enqueue(tx, [*map(alert_raised, raised), *map(alert_cleared, cleared)])


async def mark_days(
    tx: WriteConnection, days: Sequence[ChangedDay | PublishedDay], now: datetime
) -> None:
    """These days have changed: their meters are to be looked at, where the tenant has alerts on."""
    causes = {(day.tenant_id, day.meter_id): day.correlation_id for day in days}
    await _mark(tx, [(*key, cause) for key, cause in causes.items()], now)


async def mark_causes(
    tx: WriteConnection, causes: Sequence[tuple[str, UUID, str | None]], now: datetime
) -> None:
    """Something has happened to these meters (tenant, meter, correlation id)."""
    await _mark(tx, causes, now)


async def mark_meters(tx: WriteConnection, keys: Collection[MeterKey], now: datetime) -> None:
    """These meters have changed, or are there no more."""
    await _mark(tx, [(*key, None) for key in keys], now)


async def _mark(
    tx: WriteConnection, causes: Sequence[tuple[str, UUID, str | None]], now: datetime
) -> None:
    tenants = await alert_rules.fetch_tenants(tx)
    if tenants:
        wanted = [cause for cause in causes if cause[0] in tenants]
        await alert_checks.mark_meters(tx, wanted, now)


async def replace_rules(
    tx: WriteConnection,
    tenant_id: str,
    rules: AlertRules,
    settings: tuple[AlertSetting, ...],
    now: datetime,
) -> AlertRules:
    """Give a tenant other rules than the locked ones; returns them in their next version. All of
    its meters are looked at by them."""
    replaced = AlertRules(settings, rules.version + 1)
    await alert_rules.upsert_rules(tx, tenant_id, replaced, now)
    of_readings = await validation_rules.fetch_rules(tx, tenant_id)
    await clear_verdicts(tx, tenant_id, of_readings, now)
    if not replaced.is_off:
        await alert_checks.mark_tenant(tx, tenant_id, now)
    return replaced


async def acknowledge(
    tx: WriteConnection, tenant_id: str, alert_id: UUID, key_id: str, note: str, now: datetime
) -> None:
    """Somebody has seen the alert. NotFound where there is none; Conflict where somebody had."""
    row = await alerts.lock_alert(tx, tenant_id, alert_id)
    if row is None:
        raise NotFound("alert_unknown", "no alert has this id")
    if row["acknowledged_at"] is not None:
        raise Conflict("alert_acknowledged", "the alert is acknowledged already")
    await alerts.update_acknowledged(tx, tenant_id, alert_id, (now, key_id, note))
