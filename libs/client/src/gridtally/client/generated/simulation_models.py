"""What simulation takes and answers. Generated from docs/openapi/simulation.json by `make docs`."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field

from gridtally.client.model import Model


class Affected(Model):
    """A house and what a scenario changes for it."""

    house_node_id: UUID
    """The house."""

    house_name: str
    """What people called it when the comparison was started."""

    amount: Decimal
    """What it pays by the scenario over all months."""

    difference: Decimal
    """That less what it pays by the baseline."""


class BillTotals(Model):
    """What the bills that were asked for come to together."""

    status: Literal["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"] | str
    """The run's status; there are bills of a COMPLETED one only."""

    houses: int
    """How many bills there are."""

    total_energy_imported_kwh: Decimal
    """What all took."""

    total_energy_exported_kwh: Decimal
    """What all fed in."""

    net_energy_balance_kwh: Decimal
    """Taken less fed in."""

    total_amount: Decimal
    """What all would pay."""

    least_amount: Decimal | None
    """The lowest bill; null where there is none."""

    greatest_amount: Decimal | None
    """The highest bill; null where there is none."""

    currency: str | None
    """The currency of all amounts; null where there is no bill."""


class Bin(Model):
    """The houses whose difference lies in a part of the histogram."""

    from_difference: Decimal
    """Its lower end, which belongs to it."""

    to_difference: Decimal
    """Its upper end, which belongs to the next one; that of the last one to itself."""

    houses: int
    """How many houses lie in it."""


class ComparedHouse(Model):
    """A house by one scenario, over all months."""

    house_node_id: UUID
    """The house."""

    house_name: str
    """What people called it when the comparison was started."""

    scenario: int
    """The scenario's number, from 0: the baseline."""

    total_energy_imported_kwh: Decimal
    """What it took from the grid."""

    total_energy_exported_kwh: Decimal
    """What it fed in."""

    peak_kw: Decimal
    """The highest mean of what it took over an interval."""

    load_factor: Decimal | None
    """The mean load as a share of the peak; null where nothing was taken."""

    amount: Decimal
    """What it pays; below zero where it is paid."""

    difference: Decimal
    """That less what it pays by the baseline; below zero where it gains."""

    shifted_energy_imported_kwh: Decimal | None
    """What it takes after use has moved; null where it has not."""

    shifted_peak_kw: Decimal | None
    """The highest mean of what it takes then."""

    shifted_amount: Decimal | None
    """What it pays then."""

    shifted_difference: Decimal | None
    """That less what it pays by the baseline, use as it was measured."""

    currency: str
    """The currency of all amounts; `XXX` for none."""

    readings_sha256: str
    """The digest of its readings: the same for the same readings."""


class ComponentRevenue(Model):
    """What a component of the tariff brings."""

    component_id: str
    """The component."""

    kind: (
        Literal["fixed", "energy", "demand", "adjustment", "credit", "tax", "minimum_top_up"] | str
    )
    """What sort of charge its lines are."""

    amount: Decimal
    """What it brings; below zero where it credits."""


class DeadLetter(Model):
    """A message that a consumer could not understand or store."""

    id: UUID
    """The resource's id (UUID)"""

    tenant_id: str | None
    """The tenant that the message names; null where it names none."""

    consumer: str
    """The consumer that gave it up: its service and topic."""

    topic: str
    """The topic that the message is on."""

    partition: int
    """The topic's partition that it is in."""

    offset: int
    """Its offset in the partition."""

    reason: str
    """Why it was given up, for people."""

    value_bytes: int
    """The length of its value, in bytes."""

    dead_at: AwareDatetime
    """When it was given up, UTC."""

    status: Literal["open", "replayed", "discarded"] | str
    """`open` until it is `replayed` or `discarded`."""

    replays: int
    """How often it was replayed, with success or without."""

    refused_because: str | None
    """Why the last replay that failed did."""

    resolved_at: AwareDatetime | None
    """When it was replayed or discarded, UTC."""

    resolved_by: str | None
    """The API key that did so, or `operator`."""

    discarded_because: str | None
    """The reason that was given for discarding it."""


class DeadLetterCount(Model):
    """Letters of one topic."""

    tenant_id: str
    """The tenant that they name, `-` where they name none."""

    topic: str
    """The topic that the messages are on."""

    open: int
    """Letters that nobody has replayed or discarded yet."""

    bytes: int
    """The length of their values together."""

    dropped: int
    """Letters that were never stored, because the tenant's quota was full."""

    expired: int
    """Letters that were deleted unresolved, because they were too old."""


class DeadLetterCounts(Model):
    """Letters by topic, as far as there are any."""

    items: list[DeadLetterCount]
    """The page's items"""


class DeadLetterWithValue(Model):
    """The same with all that the message has; a letter that is resolved has no value any more."""

    id: UUID
    """The resource's id (UUID)"""

    tenant_id: str | None
    """The tenant that the message names; null where it names none."""

    consumer: str
    """The consumer that gave it up: its service and topic."""

    topic: str
    """The topic that the message is on."""

    partition: int
    """The topic's partition that it is in."""

    offset: int
    """Its offset in the partition."""

    reason: str
    """Why it was given up, for people."""

    value_bytes: int
    """The length of its value, in bytes."""

    dead_at: AwareDatetime
    """When it was given up, UTC."""

    status: Literal["open", "replayed", "discarded"] | str
    """`open` until it is `replayed` or `discarded`."""

    replays: int
    """How often it was replayed, with success or without."""

    refused_because: str | None
    """Why the last replay that failed did."""

    resolved_at: AwareDatetime | None
    """When it was replayed or discarded, UTC."""

    resolved_by: str | None
    """The API key that did so, or `operator`."""

    discarded_because: str | None
    """The reason that was given for discarding it."""

    key: str | None
    """The message's key, as text."""

    headers: list[list[Any]]
    """The names and contents of the message's headers, as text."""

    value: Decimal | None
    """The message's value as text; what is not UTF-8 in it is replaced."""

    value_base64: str | None
    """The message's value, byte for byte, in Base64."""


class Decile(Model):
    """A tenth of the houses, in the order of their differences."""

    decile: int
    """Which tenth, from 1: those that gain most."""

    houses: int
    """How many houses it has."""

    least: Decimal
    """The least difference among them."""

    greatest: Decimal
    """The greatest difference among them."""

    difference: Decimal
    """What they pay more together."""


class Discard(Model):
    """Giving a letter up."""

    model_config = ConfigDict(
        extra="forbid",
    )
    reason: str
    """Why it is given up, for whoever looks later."""


class ElasticBand(Model):
    """How use at some times follows its price."""

    model_config = ConfigDict(
        extra="forbid",
    )
    start_time: str
    """When it begins, on the house's clock."""

    end_time: str
    """When it ends; where that is when it begins, it is all day."""

    label: str
    """What people call it."""

    elasticity: Decimal
    """−0.2: where a kWh costs 10 % more than by the first scenario, 2 % less is used."""


class Elasticity(Model):
    """What is imported follows the price of its interval, against that of the first scenario."""

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["elasticity"]
    """Which kind it is."""

    bands: list[ElasticBand]
    """The elasticity of parts of the local day, which do not overlap; elsewhere use stays."""


class GrossMetering(Model):
    """Every imported kWh is charged at one price, every exported one credited at another."""

    model_config = ConfigDict(
        extra="forbid",
    )
    fixed_charge_tariff_rate_per_kw: Decimal = Decimal("0")
    """Money per kW of connected load and month."""

    fac_charge_per_kwh_imported: Decimal = Decimal("0")
    """The fuel adjustment: money per imported kWh."""

    tax_rate_on_energy_charges: Decimal = Decimal("0")
    """The tax on energy charges as a fraction: 0.09 is 9 %."""

    arrears: Decimal = Decimal("0")
    """Money that each house owes from before, added to its bill."""

    credit_policy: Literal["lost", "offset_fixed", "carry_forward", "payout"] = "offset_fixed"
    """
    What becomes of credit that the month's energy charges do not use up: it is lost, pays fixed
    charges and is lost then, is carried forward to the next bill, or is paid out.
    """

    currency: str = "XXX"
    """The currency of all rates and amounts (ISO 4217); `XXX` is none."""

    type: Literal["GROSS_METERING"]
    """Which policy it is."""

    import_retail_price_per_kwh: Decimal
    """Money per imported kWh."""

    export_wholesale_price_per_kwh: Decimal
    """Money per exported kWh that is credited."""


class Group(Model):
    """Houses, and what they pay more than by the baseline, together."""

    houses: int
    """How many they are."""

    difference: Decimal
    """What they pay more; below zero where they pay less."""


class HouseBill(Model):
    """What a house would pay for the month."""

    house_node_id: UUID
    """The house."""

    house_name: str
    """What people called it when the run was started."""

    total_energy_imported_kwh: Decimal
    """What it took from the grid."""

    total_energy_exported_kwh: Decimal
    """What it fed in."""

    net_energy_balance_kwh: Decimal
    """Taken less fed in; below zero where it fed in more."""

    calculated_bill_amount: Decimal
    """What it would pay; below zero where it would be paid."""

    currency: str
    """The currency of all amounts; `XXX` for none."""

    bill_details: dict[str, Any]
    """
    Every line with quantity, rate and amount before and after rounding; totals by kind; the
    charges, credit and tax by name; of a time-of-use policy each period's energy and amounts.
    """


class Identity(Model):
    """The key that a request shows, as this service knows it."""

    tenant_id: str
    """The tenant that it belongs to"""

    key_id: str
    """The middle part of the API key `gt_<id>_<secret>`"""

    scopes: list[str]
    """What the key may do: `<service>:read` or `<service>:write`"""

    customer_id: UUID | None
    """The customer whose rows alone this request sees; null for all rows"""


class Key(Model):
    """A key as answers have it: without its hash."""

    tenant_id: str
    """The tenant that it belongs to"""

    key_id: str
    """The middle part of the API key `gt_<id>_<secret>`"""

    scopes: list[str]
    """What the key may do: `<service>:read` or `<service>:write`"""

    name: str
    """Name, for people"""

    customer_id: UUID | None
    """The customer whose rows alone the key sees; null for all rows"""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    revoked_at: AwareDatetime | None
    """When the key was revoked, UTC; null while it works"""


class MonthRevenue(Model):
    """What a month brings."""

    month_on: date
    """The first of the month."""

    amount: Decimal
    """What all houses pay for it."""


class NewKey(Model):
    """A key to register."""

    model_config = ConfigDict(
        extra="forbid",
    )
    tenant_id: str
    """The tenant that it belongs to"""

    key_id: str
    """The middle part of the API key `gt_<id>_<secret>`"""

    secret_sha256: str
    """SHA-256 of the key's secret, in hexadecimal"""

    scopes: list[str]
    """What the key may do: `<service>:read` or `<service>:write`"""

    name: str
    """Name, for people"""

    customer_id: UUID | None = None
    """The customer whose rows alone the key sees; null for all rows"""


class Outcome(Model):
    """What a scenario comes to, with use as it was measured or as it has moved."""

    houses: int
    """How many houses there are."""

    total_energy_imported_kwh: Decimal
    """What all took from the grid."""

    total_energy_exported_kwh: Decimal
    """What all fed in."""

    revenue: Decimal
    """What all pay."""

    difference: Decimal
    """That less what all pay by the baseline."""

    winners: Group
    losers: Group
    unchanged: int
    """How many houses pay the same."""

    deciles: list[Decile]
    """The tenths of the houses by what they pay more."""

    histogram: list[Bin]
    """How many houses pay how much more, in parts of equal width."""

    most_gaining: list[Affected]
    """The houses that gain most."""

    most_losing: list[Affected]
    """The houses that lose most."""

    by_component: list[ComponentRevenue]
    """The revenue by component."""

    by_month: list[MonthRevenue]
    """The revenue by month."""

    peak_kw: Decimal | None
    """The highest mean load of all houses together over an hour (UTC)."""

    peak_at: AwareDatetime | None
    """When that hour began, in UTC."""

    load_factor: Decimal | None
    """The mean load as a share of the peak; null where nothing was taken."""


class PageOfComparedHouse(Model):
    items: list[ComparedHouse]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfDeadLetter(Model):
    items: list[DeadLetter]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfHouseBill(Model):
    items: list[HouseBill]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfKey(Model):
    items: list[Key]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class ProblemError(Model):
    """One thing that is wrong with a request: where, and what is expected there."""

    detail: str
    """What is expected."""

    pointer: str | None = None
    """Where in the body: a JSON pointer in a URI fragment, `#/components/3/rate`."""

    parameter: str | None = None
    """Where outside the body: `query/limit`, `path/meter_id` or `header/If-Match`."""


class ProfileTerms(Model):
    """A profile; what is null is said elsewhere: a run's profile holds for all its houses."""

    model_config = ConfigDict(
        extra="forbid",
    )
    latitude: Decimal | None = None
    """Degrees north of the equator."""

    longitude: Decimal | None = None
    """Degrees east of Greenwich."""

    tilt_degrees: Decimal | None = None
    """The panels' tilt; 0 lies flat."""

    azimuth_degrees: Decimal | None = None
    """Where the panels face: 0 is north, 90 east, 180 south."""

    kwp: Decimal | None = None
    """The panels' peak power in kW; 0 or null for none."""

    annual_kwh: Decimal | None = None
    """What the house uses in a year, in kWh."""


class Repeated(Model):
    """What has changed since the comparison that this one repeats."""

    repeat_of: UUID
    """The one that is repeated."""

    houses_changed: int
    """How many houses have other readings than then."""

    changed_house_ids: list[UUID]
    """The first of them."""


class Repetition(Model):
    """How a comparison is made again."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str | None = None
    """Its name; null for that of the one that is repeated."""

    readings: Literal["now", "as_then"] = "now"
    """
    The readings that are there now, or those that had been received when the other was
    started.
    """


class RunCopy(Model):
    """What the copy is called."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str | None = None
    """Its name; null for that of the run."""


class RunError(Model):
    """Why a run failed."""

    code: str
    """For programs; as problems have them."""

    detail: str
    """For people: what is wrong and what to do."""


class RunProgress(Model):
    """How far a run is."""

    houses: int
    """How many houses it has, once it is started."""

    houses_done: int
    """How many of them are rated."""


class ScenarioResult(Model):
    """What a scenario comes to with use as it was measured, and as it has moved."""

    houses: int
    """How many houses there are."""

    total_energy_imported_kwh: Decimal
    """What all took from the grid."""

    total_energy_exported_kwh: Decimal
    """What all fed in."""

    revenue: Decimal
    """What all pay."""

    difference: Decimal
    """That less what all pay by the baseline."""

    winners: Group
    losers: Group
    unchanged: int
    """How many houses pay the same."""

    deciles: list[Decile]
    """The tenths of the houses by what they pay more."""

    histogram: list[Bin]
    """How many houses pay how much more, in parts of equal width."""

    most_gaining: list[Affected]
    """The houses that gain most."""

    most_losing: list[Affected]
    """The houses that lose most."""

    by_component: list[ComponentRevenue]
    """The revenue by component."""

    by_month: list[MonthRevenue]
    """The revenue by month."""

    peak_kw: Decimal | None
    """The highest mean load of all houses together over an hour (UTC)."""

    peak_at: AwareDatetime | None
    """When that hour began, in UTC."""

    load_factor: Decimal | None
    """The mean load as a share of the peak; null where nothing was taken."""

    label: str
    """What people call it."""

    shifted: Outcome | None
    """
    The same after use has moved, still held against the baseline as it was measured; null for
    the baseline and where the comparison has no shift.
    """


class SimpleNet(Model):
    """Exported kWh pay for imported ones over the month; the rest is charged at one price."""

    model_config = ConfigDict(
        extra="forbid",
    )
    fixed_charge_tariff_rate_per_kw: Decimal = Decimal("0")
    """Money per kW of connected load and month."""

    fac_charge_per_kwh_imported: Decimal = Decimal("0")
    """The fuel adjustment: money per imported kWh."""

    tax_rate_on_energy_charges: Decimal = Decimal("0")
    """The tax on energy charges as a fraction: 0.09 is 9 %."""

    arrears: Decimal = Decimal("0")
    """Money that each house owes from before, added to its bill."""

    credit_policy: Literal["lost", "offset_fixed", "carry_forward", "payout"] = "offset_fixed"
    """
    What becomes of credit that the month's energy charges do not use up: it is lost, pays fixed
    charges and is lost then, is carried forward to the next bill, or is paid out.
    """

    currency: str = "XXX"
    """The currency of all rates and amounts (ISO 4217); `XXX` is none."""

    type: Literal["SIMPLE_NET"]
    """Which policy it is."""

    retail_price_per_kwh: Decimal
    """Money per kWh of import less export; what is left over is worth the same."""


class TariffPolicy(Model):
    """A version of a tariff, published or still a draft, as it is when the run is started."""

    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["TARIFF"]
    """Which policy it is."""

    tariff_version_id: UUID
    """The version's id."""


class Times(Model):
    """A part of the local day, which may cross midnight; of each day its own intervals."""

    model_config = ConfigDict(
        extra="forbid",
    )
    start_time: str
    """When it begins, on the house's clock."""

    end_time: str
    """When it ends; where that is when it begins, it is all day."""


class TouPeriod(Model):
    """Rates for a part of the local day, which may cross midnight."""

    model_config = ConfigDict(
        extra="forbid",
    )
    label: str
    """What people call it."""

    start_time: str
    """When it begins, on the house's clock."""

    end_time: str
    """When it ends; where that is when it begins, it is all day."""

    import_retail_rate_per_kwh: Decimal
    """Money per imported kWh."""

    export_wholesale_rate_per_kwh: Decimal = Decimal("0")
    """Money per exported kWh that is credited."""


class TouRate(Model):
    """Import and export have a rate for each period of the local day; the periods fill it."""

    model_config = ConfigDict(
        extra="forbid",
    )
    fixed_charge_tariff_rate_per_kw: Decimal = Decimal("0")
    """Money per kW of connected load and month."""

    fac_charge_per_kwh_imported: Decimal = Decimal("0")
    """The fuel adjustment: money per imported kWh."""

    tax_rate_on_energy_charges: Decimal = Decimal("0")
    """The tax on energy charges as a fraction: 0.09 is 9 %."""

    arrears: Decimal = Decimal("0")
    """Money that each house owes from before, added to its bill."""

    credit_policy: Literal["lost", "offset_fixed", "carry_forward", "payout"] = "offset_fixed"
    """
    What becomes of credit that the month's energy charges do not use up: it is lost, pays fixed
    charges and is lost then, is carried forward to the next bill, or is paid out.
    """

    currency: str = "XXX"
    """The currency of all rates and amounts (ISO 4217); `XXX` is none."""

    type: Literal["TOU_RATE"]
    """Which policy it is."""

    tou_periods: list[TouPeriod]
    """The periods, in any order; they neither overlap nor leave a gap."""


class UsedPrices(Model):
    """The prices of a series that it bills by, as they were when it was started."""

    code: str
    """The code under which tariffs name the series."""

    currency: str
    """The currency of the prices."""

    zone: str
    """The zone of the series' days."""

    first_on: date
    """The first local day of which there were prices."""

    last_on: date
    """The last one."""

    days: int
    """How many days there were."""

    sha256: str
    """The digest of all days, their versions and prices: the same for the same prices."""


class UsedTariff(Model):
    """The tariff that a scenario was billed by, as it was when the comparison was started."""

    document_sha256: str
    """The digest of its document: the same for the same tariff."""

    version: dict[str, Any] | None
    """
    Of a `TARIFF` the version of the catalogue: its `id`, `tariff_id`, `number`, `status`,
    `effective_from`, how often it was changed (`version`) and when last (`updated_at`).
    """

    document: dict[str, Any]
    """The native tariff."""


class ComparisonResults(Model):
    """What a comparison comes to."""

    status: Literal["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"] | str
    """The comparison's status; there are results of a COMPLETED one only."""

    currency: str | None
    """The currency of all amounts; null without results."""

    scenarios: list[ScenarioResult]
    """The scenarios in their order, the baseline first; none without results."""

    readings_sha256: str | None
    """The digest of all readings that were used: the same for the same readings."""

    repeated: Repeated | None
    """What has changed since the comparison that this one repeats; null where it repeats none."""


class FixedShare(Model):
    """A share of what is imported at some times moves to others of the same local day."""

    model_config = ConfigDict(
        extra="forbid",
    )
    kind: Literal["fixed_share"]
    """Which kind it is."""

    share: Decimal
    """How much of it moves: 0.1 is a tenth."""

    from_times: Times
    to_times: Times


class HouseProfile(Model):
    """A house's own profile, which goes before that of a run."""

    house_node_id: UUID
    """The house: a property of the registry."""

    profile: ProfileTerms


class NewPolicy(Model):
    """A policy to be stored."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """What people call it."""

    policy: Annotated[
        SimpleNet | GrossMetering | TouRate | TariffPolicy, Field(discriminator="type")
    ]
    """How houses are billed."""

    id: UUID | None = None
    """Its id; made by the service unless the caller names one."""


class NewRun(Model):
    """A run to be stored."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """What people call it."""

    billing_cycle_month: int
    """The calendar month that is billed, from 1."""

    billing_cycle_year: int
    """The year of that month."""

    topology_root_node_id: UUID
    """The property at or below which the houses are."""

    source: Literal["stored", "generated"] = "stored"
    """Where readings come from: those that are stored, or generated ones."""

    policy: SimpleNet | GrossMetering | TouRate | TariffPolicy | None = None
    """How the houses are billed."""

    policy_id: UUID | None = None
    """A stored policy, which is copied as it is now."""

    profile: ProfileTerms | None = None
    seed: int = 0
    """For generated readings: the same seed gives the same ones."""

    missing: Literal["refused", "counts_as_zero"] = "refused"
    """Whether a run of which intervals are missing fails, or they count as no energy."""

    id: UUID | None = None
    """Its id; made by the service unless the caller names one."""


class PolicyChange(Model):
    """What is to be different; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str | None = None
    """What people call it."""

    policy: SimpleNet | GrossMetering | TouRate | TariffPolicy | None = None
    """How houses are billed."""


class PolicyTerms(Model):
    """A policy under a name."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """What people call it."""

    policy: Annotated[
        SimpleNet | GrossMetering | TouRate | TariffPolicy, Field(discriminator="type")
    ]
    """How houses are billed."""


class Problem(Model):
    """The body of an `application/problem+json` answer; `code` is for programs."""

    type: str = "about:blank"
    """A reference to the explanation of the code."""

    title: str
    """What the code means, in short."""

    status: int
    """The HTTP status."""

    detail: str
    """What is wrong this time, for people."""

    code: str
    """The kind of problem, for programs."""

    correlation_id: str
    """The id under which logs speak of this request."""

    errors: list[ProblemError] | None = None
    """What is wrong with the parts of the request."""


class RunChange(Model):
    """
    What is to be different; what is left out stays. A `policy` takes the place of a `policy_id`
    and the other way round.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str | None = None
    """What people call it."""

    billing_cycle_month: int | None = None
    """The calendar month that is billed, from 1."""

    billing_cycle_year: int | None = None
    """The year of that month."""

    topology_root_node_id: UUID | None = None
    """The property at or below which the houses are."""

    source: Literal["stored", "generated"] | None = None
    """Where readings come from."""

    policy: SimpleNet | GrossMetering | TouRate | TariffPolicy | None = None
    """How the houses are billed."""

    policy_id: UUID | None = None
    """A stored policy, which is copied as it is now."""

    profile: ProfileTerms | None = None
    """For generated readings, of all houses that do not say it themselves."""

    seed: int | None = None
    """For generated readings: the same seed gives the same ones."""

    missing: Literal["refused", "counts_as_zero"] | None = None
    """Whether a run of which intervals are missing fails, or they count as no energy."""


class RunTerms(Model):
    """What is to be simulated: either a `policy` or the id of a stored one."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """What people call it."""

    billing_cycle_month: int
    """The calendar month that is billed, from 1."""

    billing_cycle_year: int
    """The year of that month."""

    topology_root_node_id: UUID
    """The property at or below which the houses are."""

    source: Literal["stored", "generated"] = "stored"
    """Where readings come from: those that are stored, or generated ones."""

    policy: SimpleNet | GrossMetering | TouRate | TariffPolicy | None = None
    """How the houses are billed."""

    policy_id: UUID | None = None
    """A stored policy, which is copied as it is now."""

    profile: ProfileTerms | None = None
    seed: int = 0
    """For generated readings: the same seed gives the same ones."""

    missing: Literal["refused", "counts_as_zero"] = "refused"
    """Whether a run of which intervals are missing fails, or they count as no energy."""


class Scenario(Model):
    """One of the policies or tariffs that are compared."""

    label: str
    """What people call it."""

    policy: Annotated[
        SimpleNet | GrossMetering | TouRate | TariffPolicy, Field(discriminator="type")
    ]
    """How the houses are billed."""

    policy_id: UUID | None
    """The stored policy that was copied; null where it was the comparison's own."""

    tariff: UsedTariff | None
    """What it was billed by; null before the start."""

    tariff_document: dict[str, Any] | None
    """The native tariff that its policy stands for; null for a `TARIFF` that is not started."""


class ScenarioTerms(Model):
    """
    One of the policies or tariffs that are compared: either a `policy` or the id of a stored
    one.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    label: str
    """What people call it; none twice in a comparison."""

    policy: SimpleNet | GrossMetering | TouRate | TariffPolicy | None = None
    """How the houses are billed."""

    policy_id: UUID | None = None
    """A stored policy, which is copied as it is now."""


class SimulationComparison(Model):
    """A comparison, and how far it is."""

    version: int
    """Version of the resource, from 1; its ETag"""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    updated_at: AwareDatetime
    """When it was last changed, UTC"""

    id: UUID
    """Its id."""

    name: str
    """What people call it."""

    billing_cycle_month: int
    """The first calendar month that is billed, from 1."""

    billing_cycle_year: int
    """The year of that month."""

    months: int
    """How many months are billed."""

    topology_root_node_id: UUID
    """The property at or below which the houses are."""

    scenarios: list[Scenario]
    """What is compared; the first is the baseline."""

    shift: FixedShare | Elasticity | None
    """How use moves under the other scenarios."""

    source: Literal["stored", "generated"] | str
    """Where readings come from."""

    as_known_at: AwareDatetime | None
    """By when its stored readings had been received; null for those that were there."""

    profile: ProfileTerms
    seed: int
    """For generated readings: the same seed gives the same ones."""

    missing: Literal["refused", "counts_as_zero"] | str
    """Whether a comparison of which intervals are missing fails, or they count as no energy."""

    repeat_of: UUID | None
    """The comparison that it repeats."""

    status: Literal["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"] | str
    """What has become of it."""

    started_at: AwareDatetime | None
    """When it was started, in UTC; null where it was not."""

    ended_at: AwareDatetime | None
    """When it ended, in UTC; null where it has not."""

    progress: RunProgress
    error: RunError | None
    """Why it failed; null where it did not."""

    prices: list[UsedPrices]
    """
    The prices that its scenarios bill by; none where no tariff names a series, and before the
    start.
    """


class SimulationPolicy(Model):
    """A policy under a name, and the tariff that it stands for."""

    version: int
    """Version of the resource, from 1; its ETag"""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    updated_at: AwareDatetime
    """When it was last changed, UTC"""

    id: UUID
    """Its id."""

    name: str
    """What people call it."""

    policy: Annotated[
        SimpleNet | GrossMetering | TouRate | TariffPolicy, Field(discriminator="type")
    ]
    """How houses are billed."""

    tariff_document: dict[str, Any] | None
    """
    The native tariff that it stands for, on the clock of each house's own zone; null for a
    `TARIFF`, whose document is the version's.
    """


class SimulationRun(Model):
    """A run, and how far it is."""

    version: int
    """Version of the resource, from 1; its ETag"""

    created_at: AwareDatetime
    """When it was recorded, UTC"""

    updated_at: AwareDatetime
    """When it was last changed, UTC"""

    id: UUID
    """Its id."""

    name: str
    """What people call it."""

    billing_cycle_month: int
    """The calendar month that is billed, from 1."""

    billing_cycle_year: int
    """The year of that month."""

    topology_root_node_id: UUID
    """The property at or below which the houses are."""

    source: Literal["stored", "generated"] | str
    """Where readings come from."""

    policy: Annotated[
        SimpleNet | GrossMetering | TouRate | TariffPolicy, Field(discriminator="type")
    ]
    """How the houses are billed."""

    policy_id: UUID | None
    """The stored policy that was copied; null where it was the run's own."""

    profile: ProfileTerms
    seed: int
    """For generated readings: the same seed gives the same ones."""

    missing: Literal["refused", "counts_as_zero"] | str
    """Whether a run of which intervals are missing fails, or they count as no energy."""

    status: Literal["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"] | str
    """What has become of it."""

    started_at: AwareDatetime | None
    """When it was started, in UTC; null where it was not."""

    ended_at: AwareDatetime | None
    """When it ended, in UTC; null where it has not."""

    progress: RunProgress
    error: RunError | None
    """Why it failed; null where it did not."""

    prices: list[UsedPrices]
    """The prices that it bills by; none where its tariff names no series, and before the start."""

    tariff_document: dict[str, Any] | None
    """
    The native tariff that it bills by; without a zone it is on the clock of each house. Null for
    a `TARIFF` that is not started.
    """


class ComparisonTerms(Model):
    """What is to be compared."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """What people call it."""

    billing_cycle_month: int
    """The first calendar month that is billed, from 1."""

    billing_cycle_year: int
    """The year of that month."""

    months: int = 12
    """
    How many months are billed, one after another; what a bill carries forward goes into the
    next.
    """

    topology_root_node_id: UUID
    """The property at or below which the houses are."""

    scenarios: list[ScenarioTerms]
    """What is compared; the first is the baseline that the others are held against."""

    shift: FixedShare | Elasticity | None = None
    """How use moves under the other scenarios; results are given with it and without."""

    source: Literal["stored", "generated"] = "stored"
    """Where readings come from: those that are stored, or generated ones."""

    as_known_at: AwareDatetime | None = None
    """
    Stored readings as they had been received by this instant, which takes much longer; null for
    those that are there.
    """

    profile: ProfileTerms | None = None
    seed: int = 0
    """For generated readings: the same seed gives the same ones."""

    missing: Literal["refused", "counts_as_zero"] = "refused"
    """Whether a comparison of which intervals are missing fails, or they count as no energy."""


class NewComparison(Model):
    """A comparison to be stored."""

    model_config = ConfigDict(
        extra="forbid",
    )
    name: str
    """What people call it."""

    billing_cycle_month: int
    """The first calendar month that is billed, from 1."""

    billing_cycle_year: int
    """The year of that month."""

    months: int = 12
    """
    How many months are billed, one after another; what a bill carries forward goes into the
    next.
    """

    topology_root_node_id: UUID
    """The property at or below which the houses are."""

    scenarios: list[ScenarioTerms]
    """What is compared; the first is the baseline that the others are held against."""

    shift: FixedShare | Elasticity | None = None
    """How use moves under the other scenarios; results are given with it and without."""

    source: Literal["stored", "generated"] = "stored"
    """Where readings come from: those that are stored, or generated ones."""

    as_known_at: AwareDatetime | None = None
    """
    Stored readings as they had been received by this instant, which takes much longer; null for
    those that are there.
    """

    profile: ProfileTerms | None = None
    seed: int = 0
    """For generated readings: the same seed gives the same ones."""

    missing: Literal["refused", "counts_as_zero"] = "refused"
    """Whether a comparison of which intervals are missing fails, or they count as no energy."""

    id: UUID | None = None
    """Its id; made by the service unless the caller names one."""


class PageOfSimulationComparison(Model):
    items: list[SimulationComparison]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfSimulationPolicy(Model):
    items: list[SimulationPolicy]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""


class PageOfSimulationRun(Model):
    items: list[SimulationRun]
    """The page's items"""

    next_cursor: str | None = None
    """What `cursor` must be for the next page; null on the last one"""
