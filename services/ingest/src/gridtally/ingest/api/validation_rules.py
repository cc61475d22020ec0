"""A tenant's rules for its readings over HTTP: what there is, what is on, and with which limits."""

from typing import Annotated

from fastapi import Response
from pydantic import Field

from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.etags import OptionalMatch, tag
from gridtally.http.json_bodies import Router
from gridtally.http.resources import AnswerModel, Body
from gridtally.ingest.api.callers import Reader, Writer
from gridtally.ingest.domain import validation_rules as domain
from gridtally.ingest.domain.meters import Flow
from gridtally.ingest.handlers.validation_rules import replace_rules
from gridtally.ingest.store import validation_rules as store
from gridtally.kernel.errors import Rejected
from gridtally.metering.validation.rules import RULES, RuleName

router = Router(prefix="/v1/validation-rules", tags=["validation rules"])

SETTINGS_MAX = 200
LIMIT_MAX = 1e9
Number = Annotated[float, Field(ge=0, le=LIMIT_MAX, allow_inf_nan=False)]
MeterType = Annotated[str, Field(min_length=1, max_length=50)]


class RuleSetting(Body):
    """What becomes of readings of which a rule speaks, and from which limit on it does.

    Of the settings of one rule the one counts that names most of a channel.
    """

    rule: RuleName
    """The rule."""
    action: domain.Action
    """`off`; `flag`: stored, with a verdict; `quarantine`: its blocks go there."""
    limit: Number | None = None
    """From where on it speaks, in the rule's unit; the usual limit where it is left out."""
    least: Number | None = None
    """The energy in Wh (or varh) below which it does not look; the rule's own where left out."""
    meter_type: MeterType | None = None
    """Only for meters of this type."""
    flow: Flow | None = None
    """Only for this flow; without it, for those that the rule is meant for."""


class ValidationRule(AnswerModel):
    """A rule that there is."""

    rule: RuleName
    """The rule."""
    meaning: str
    """What it measures."""
    unit: str
    """What its limit is in."""
    limit: float
    """The usual limit: it speaks from there on."""
    least: float
    """The energy in Wh (or varh) below which it does not look."""
    flows: list[Flow]
    """The flows that it is meant for."""


class ValidationRules(AnswerModel):
    """A tenant's rules."""

    version: int
    """The ETag: how often they were changed."""
    settings: list[RuleSetting]
    """What the tenant has said. A rule that is not named is off."""
    rules: list[ValidationRule]
    """All rules that there are."""


class NewValidationRules(Body):
    """A tenant's rules from now on, instead of those before."""

    settings: Annotated[list[RuleSetting], Field(max_length=SETTINGS_MAX)]
    """What is on, off and limited otherwise than usual."""


def _answer(response: Response, rules: domain.RuleSet) -> ValidationRules:
    tag(response, rules.version)
    return ValidationRules(
        version=rules.version,
        settings=[
            RuleSetting.model_validate(setting, from_attributes=True) for setting in rules.settings
        ],
        rules=[
            ValidationRule(
                rule=rule.name,
                meaning=rule.meaning,
                unit=rule.unit,
                limit=rule.limit,
                least=rule.least,
                flows=list(rule.flows),
            )
            for rule in RULES.values()
        ],
    )


@router.get("")
async def get_validation_rules(response: Response, db: Db, caller: Reader) -> ValidationRules:
    """The rules that there are, and which of them the tenant has on."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rules = await store.fetch_rules(read, caller.tenant_id)
    return _answer(response, rules)


@router.put("")
async def put_validation_rules(
    body: NewValidationRules,
    response: Response,
    db: Db,
    caller: Writer,
    now: Now,
    if_match: OptionalMatch,
) -> ValidationRules:
    """Replace the tenant's rules. They count for what comes from now on; verdicts of rules that are
    on no more are cleared."""
    settings = tuple(domain.RuleSetting(**setting.model_dump()) for setting in body.settings)
    if said := domain.flaws(settings):
        raise Rejected("validation_setting", "; ".join(said[:10]))
    async with transaction(db, tenant=caller.tenant_id) as tx:
        rules = await store.lock_rules(tx, caller.tenant_id)
        if_match.check(rules.version)
        rules = await replace_rules(tx, caller.tenant_id, rules, settings, now)
    return _answer(response, rules)
