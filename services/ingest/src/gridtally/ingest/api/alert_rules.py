"""A tenant's rules for alerts over HTTP: what there is, what is on, and from which limit."""

from typing import Annotated

from fastapi import Response
from pydantic import Field

from gridtally.contracts.model import Amount
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.etags import OptionalMatch, tag
from gridtally.http.json_bodies import Router
from gridtally.http.resources import AnswerModel, Body
from gridtally.ingest.api.callers import Reader, Writer
from gridtally.ingest.domain import alert_rules as domain
from gridtally.ingest.domain.meters import Flow
from gridtally.ingest.handlers.alerts import replace_rules
from gridtally.ingest.store import alert_rules as store
from gridtally.kernel.errors import Rejected
from gridtally.metering.validation.rules import RuleName

router = Router(prefix="/v1/alert-rules", tags=["alerts"])

SETTINGS_MAX = 200
Limit = Annotated[Amount, Field(gt=0, le=1_000_000_000)]
MeterType = Annotated[str, Field(min_length=1, max_length=50)]


class AlertSetting(Body):
    """Whether alerts of a kind are raised, and from which limit on.

    Of the settings of one kind the one counts that names most of a channel.
    """

    kind: domain.AlertKind
    """The kind."""
    action: domain.AlertAction
    """`raise`: an alert is raised when the limit is reached; `off`: none is."""
    limit: Limit | None = None
    """From where on, in the kind's unit; the usual limit where it is left out."""
    meter_type: MeterType | None = None
    """Only for meters of this type."""
    flow: Flow | None = None
    """Only for this flow; without it, for those that the kind is meant for."""


class AlertKindDescription(AnswerModel):
    """A kind of alerts that there is."""

    kind: domain.AlertKind
    """The kind."""
    meaning: str
    """What it measures."""
    unit: domain.AlertUnit
    """What its limit is in."""
    limit: Amount
    """The usual limit: an alert is raised from there on."""
    flows: list[Flow]
    """The flows that it is meant for; none where it is about whole meters."""
    rules: list[RuleName]
    """The rules for readings whose verdicts it follows from."""


class AlertRules(AnswerModel):
    """A tenant's rules for alerts."""

    version: int
    """The ETag: how often they were changed."""
    settings: list[AlertSetting]
    """What the tenant has said. A kind that is not named is off."""
    kinds: list[AlertKindDescription]
    """All kinds that there are."""


class NewAlertRules(Body):
    """A tenant's rules for alerts from now on, instead of those before."""

    settings: Annotated[list[AlertSetting], Field(max_length=SETTINGS_MAX)]
    """What is on, off and limited otherwise than usual."""


def _answer(response: Response, rules: domain.AlertRules) -> AlertRules:
    tag(response, rules.version)
    return AlertRules(
        version=rules.version,
        settings=[
            AlertSetting.model_validate(setting, from_attributes=True) for setting in rules.settings
        ],
        kinds=[
            AlertKindDescription(
                kind=kind.name,
                meaning=kind.meaning,
                unit=kind.unit,
                limit=kind.limit,
                flows=list(kind.flows),
                rules=list(kind.rules),
            )
            for kind in domain.KINDS.values()
        ],
    )


@router.get("")
async def get_alert_rules(response: Response, db: Db, caller: Reader) -> AlertRules:
    """The kinds of alerts that there are, and which of them the tenant has on."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rules = await store.fetch_rules(read, [caller.tenant_id])
    return _answer(response, rules[caller.tenant_id])


@router.put("")
async def put_alert_rules(
    body: NewAlertRules,
    response: Response,
    db: Db,
    caller: Writer,
    now: Now,
    if_match: OptionalMatch,
) -> AlertRules:
    """Replace the tenant's rules for alerts. All meters are looked at by them; alerts of kinds that
    are on no more are cleared."""
    settings = tuple(domain.AlertSetting(**setting.model_dump()) for setting in body.settings)
    if said := domain.flaws(settings):
        raise Rejected("alert_setting", "; ".join(said[:10]))
    async with transaction(db, tenant=caller.tenant_id) as tx:
        rules = await store.lock_rules(tx, caller.tenant_id)
        if_match.check(rules.version)
        rules = await replace_rules(tx, caller.tenant_id, rules, settings, now)
    return _answer(response, rules)
