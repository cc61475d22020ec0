"""Validation by a tenant's rules, within the transaction that stores the readings.

Load → judge → save: the histories of a batch's channels are read in one statement, all days are
judged in numpy, and verdicts and histories are written in one statement each. A tenant without
rules costs a look into a dictionary.
"""

from collections.abc import Mapping
from datetime import datetime

from gridtally.database import ReadConnection, WriteConnection
from gridtally.ingest.domain.validation_rules import (
    JudgedBatch,
    MergedBatch,
    RuleSet,
    RuleSetting,
    choose_days,
    columns,
)
from gridtally.ingest.store import alert_checks, channel_histories, verdicts
from gridtally.ingest.store.meters import Meters
from gridtally.ingest.store.validation_rules import fetch_rule_sets, upsert_rules
from gridtally.metering.validation.judge import judge
from gridtally.metering.validation.rules import RULE_NAMES

_NOTHING = JudgedBatch()


async def replace_rules(
    tx: WriteConnection,
    tenant_id: str,
    rules: RuleSet,
    settings: tuple[RuleSetting, ...],
    now: datetime,
) -> RuleSet:
    """Give a tenant other rules than the locked ones; returns them in their next version.

    Verdicts of rules that are off for all channels are cleared: nobody looks at their days again.
    """
    replaced = RuleSet(settings, rules.version + 1, rules.of_alerts)
    await upsert_rules(tx, tenant_id, replaced, now)
    await clear_verdicts(tx, tenant_id, replaced, now)
    return replaced


async def clear_verdicts(
    tx: WriteConnection, tenant_id: str, rules: RuleSet, now: datetime
) -> None:
    """Clear the verdicts of rules that are off by now for all channels of the tenant; alerts that
    follow from them are looked at again."""
    off = [name for name in RULE_NAMES if name not in rules.names_on]
    await verdicts.clear_rules(tx, tenant_id, off, now)
    await alert_checks.mark_open_alerts(tx, tenant_id, now)


class Validator:
    """The rules of tenants in memory, as of the last change that any process made; one per
    process."""

    def __init__(self) -> None:
        self._changes = -1
        self._rule_sets: Mapping[str, RuleSet] = {}

    async def judge(self, tx: WriteConnection, meters: Meters, batch: MergedBatch) -> JudgedBatch:
        """What the rules say of the days that a batch changes; nothing is written.

        `meters` has fetched those of the batch in the same transaction.
        """
        rule_sets = await self._fetch(tx, meters)
        if not rule_sets or not batch.changed.size:
            return _NOTHING
        days = choose_days(batch, meters.known, rule_sets)
        if days is None:
            return _NOTHING
        histories = await channel_histories.fetch_histories(tx, days.history_keys)
        exchanged = await channel_histories.fetch_exchanges(tx, days.history_keys)
        channel_days, limits = columns(days, batch, exchanged)
        judgement = judge(channel_days, histories, limits)
        return JudgedBatch(days, judgement.verdicts, judgement.histories)

    async def save(self, tx: WriteConnection, judged: JudgedBatch, now: datetime) -> None:
        """Store verdicts and what is remembered of the channels; verdicts on these days that do not
        hold any more are cleared."""
        if judged.days is None or judged.histories is None:
            return
        await verdicts.replace_verdicts(tx, judged.days.keys, judged.verdicts, now)
        keys = judged.days.history_keys[: judged.histories.size]
        await channel_histories.upsert_histories(tx, keys, judged.histories)

    async def _fetch(self, read: ReadConnection, meters: Meters) -> Mapping[str, RuleSet]:
        if meters.changes != self._changes:
            self._rule_sets = await fetch_rule_sets(read)
            self._changes = meters.changes
        return self._rule_sets
