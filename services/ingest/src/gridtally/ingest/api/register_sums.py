"""Sums of intervals against registers over HTTP: what agrees, what differs, what is not judged."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from gridtally.database import snapshot
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.http.resources import AnswerModel
from gridtally.ingest.api.callers import Archived, Reader
from gridtally.ingest.api.meters import From, To, check_days, known_channel, known_meter
from gridtally.ingest.domain import register_sums as domain
from gridtally.ingest.domain.meters import Flow
from gridtally.ingest.domain.register_sums import CheckedRegister
from gridtally.ingest.domain.validation_rules import ChannelRules
from gridtally.ingest.handlers.register_sums import sums_between
from gridtally.ingest.store.registers import has_more_readings
from gridtally.ingest.store.validation_rules import fetch_rules
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import midnight_utc
from gridtally.metering.validation.register_sums import SumCheck

router = Router(prefix="/v1/meters", tags=["meters"])

READINGS_MAX = 10_000
"""Readings that are compared in one answer; a register that is read each hour has 8 784 a year."""


class RegisterSum(AnswerModel):
    """What a register counted from one reading to the next, and the intervals of that time."""

    start_at: datetime
    """When the register was read first, UTC."""
    end_at: datetime
    """When it was read next, UTC."""
    counted_wh: float
    """What the register counted, through its multiplier, in Wh (varh)."""
    intervals_wh: float
    """The sum of the measured intervals; of one that a reading divides, its part by time."""
    missing: int
    """How many intervals have no measured value."""
    tolerance_wh: float
    """What the register's last decimal, and intervals that a reading divides, leave open."""
    percent: float | None
    """How far the two are apart beyond that, of the greater one; null where none is judged."""
    outcome: Literal["agrees", "differs", "not_judged"]
    """`differs` from the limit on; `not_judged` where an interval is missing, or there is too
    little energy to say anything."""


class RegisterSums(AnswerModel):
    """A channel's intervals against its register."""

    meter_id: UUID
    """The meter."""
    flow: Flow
    """What is measured."""
    limit: float
    """From how many percent on the two differ: the tenant's limit, or the usual one."""
    least_wh: float
    """The energy below which nothing is judged."""
    sums: list[RegisterSum]
    """The time between readings of the register, in order."""


@router.get("/{meter_id}/register-sums")
async def get_register_sums(
    meter_id: UUID, db: Db, archive: Archived, caller: Reader, flow: Flow, from_: From, to: To
) -> RegisterSums:
    """What the register counted between its readings, and the sum of the intervals, from the last
    reading before the local days to the first after them. The rule `register_sum` flags what
    differs; this says the same whether it is on or off. For at most 10 000 readings."""
    check_days(from_, to)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        meter = await known_meter(read, caller, meter_id)
        channel = known_channel(meter, flow, "native")
        bounds = (midnight_utc(meter.zone, from_), midnight_utc(meter.zone, to))
        checked = CheckedRegister((caller.tenant_id, meter_id, flow), *bounds)
        if await has_more_readings(read, checked.key, *bounds, READINGS_MAX):
            raise Rejected(
                "window",
                f"the register was read more than {READINGS_MAX} times in these days: ask for fewer"
                " days",
            )
        compared = await sums_between(read, archive, checked, meter, channel)
        rule_set = await fetch_rules(read, caller.tenant_id)
    rules = domain.with_usual_limit(rule_set.of_channel(meter.meter_type, flow))
    return RegisterSums(
        meter_id=meter_id,
        flow=flow,
        limit=domain.limit_of(rules),
        least_wh=domain.least_of(rules),
        sums=[_sum(check, rules) for check in compared],
    )


def _sum(check: SumCheck, rules: ChannelRules) -> RegisterSum:
    return RegisterSum(
        start_at=check.span.start_at,
        end_at=check.span.end_at,
        counted_wh=check.span.counted_wh,
        intervals_wh=check.intervals_wh,
        missing=check.missing,
        tolerance_wh=check.tolerance_wh,
        percent=check.percent,
        outcome=domain.outcome_of(check, rules),
    )
