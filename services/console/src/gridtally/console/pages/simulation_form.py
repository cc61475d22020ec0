"""A new run: houses chosen in the tree, a month, a policy with its parameters.

Works without JavaScript: rows of a time-of-use policy are added and removed by buttons that send
the form and bring it back.
"""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.simulations import AREA, HERE, POLICIES, RUNS
from gridtally.console.pages.visit import FormFields, SignedIn, Visit
from gridtally.console.upstream import Answer, Json
from gridtally.console.views.blocks import (
    Block,
    Button,
    Field,
    Form,
    Link,
    Notice,
    PageView,
    Panel,
)
from gridtally.kernel.ids import new_id

router = APIRouter()
NEW = "/simulations/new"
PAGES_MAX, PAGE_ROWS = 4, 500
"""So many properties can be chosen from; others by the API."""
INDENT = "\u2003"
PERIOD_ROWS = 3
PERIOD_ROWS_MAX = 48
ROWS_DIGITS_MAX = 4
CHARGES = (
    ("fixed_charge_tariff_rate_per_kw", "Fixed charge per kW"),
    ("fac_charge_per_kwh_imported", "Fuel adjustment per imported kWh"),
    ("tax_rate_on_energy_charges", "Tax on energy charges, as a fraction"),
    ("arrears", "Arrears of each house"),
)
RATES = {
    "SIMPLE_NET": (("retail_price_per_kwh", "Retail price per kWh"),),
    "GROSS_METERING": (
        ("import_retail_price_per_kwh", "Import price per kWh"),
        ("export_wholesale_price_per_kwh", "Export price per kWh"),
    ),
    "TOU_RATE": (),
    "TARIFF": (("tariff_version_id", "Id of the tariff's version"),),
}
PERIOD_FIELDS = (
    ("label", "label"),
    ("start_time", "from"),
    ("end_time", "to"),
    ("import_retail_rate_per_kwh", "import rate"),
    ("export_wholesale_rate_per_kwh", "export rate"),
)
CREDIT_POLICIES = (
    ("offset_fixed", "pays fixed charges"),
    ("lost", "is lost"),
    ("carry_forward", "is carried forward"),
    ("payout", "is paid out"),
)
PROFILE = (
    ("latitude", "Latitude"),
    ("longitude", "Longitude"),
    ("tilt_degrees", "Panels' tilt"),
    ("azimuth_degrees", "Panels face (0 is north)"),
    ("kwp", "Panels' peak, kW"),
    ("annual_kwh", "Use in a year, kWh"),
)


@router.get(NEW)
async def ask_for_run(visit: Visit, policy: str = "SIMPLE_NET", node: str = "") -> Response:
    """The form of a new run, with the parameters of one type of policy."""
    chosen = policy if policy in RATES else "SIMPLE_NET"
    entered = {"type": chosen, "topology_root_node_id": node, "rows": str(PERIOD_ROWS)}
    return visit.page(await _page(visit, entered, None))


@router.post(NEW)
async def create_run(visit: Visit, fields: FormFields) -> Response:
    """Create a run and start it; a row that was added or removed brings the form back."""
    entered = dict(fields)
    action = entered.pop("action", "")
    if action:
        return visit.page(await _page(visit, _with_rows(entered, action), None))
    answer = await visit.send(
        "simulation",
        "POST",
        RUNS,
        body=_run(entered),
        headers={"Idempotency-Key": entered.get("idempotency_key", str(new_id()))},
    )
    if answer.ok:
        path = f"{RUNS}/{answer.data['id']}/start"
        started = await visit.send("simulation", "POST", path)
        if started.ok or (started.failure and started.failure.code == "run_not_pending"):
            return visit.go(f"/simulations/runs/{answer.data['id']}")
        # The run is there and may be started from its page, once what it lacks is there.
        entered["idempotency_key"] = str(new_id())
        answer = started
    return visit.page(await _page(visit, entered, answer), 422)


def _rows(entered: dict[str, str]) -> int:
    return number_of({"rows": str(PERIOD_ROWS)} | entered, "rows", 1, PERIOD_ROWS_MAX)


def number_of(entered: Mapping[str, str], name: str, least: int, most: int) -> int:
    """How many rows of a kind a form has."""
    text = entered.get(name, "")
    is_number = text.isascii() and text.isdecimal() and len(text) <= ROWS_DIGITS_MAX
    return min(max(int(text), least), most) if is_number else least


def _with_rows(entered: dict[str, str], action: str) -> dict[str, str]:
    """The form with a row more, or without one of them."""
    rows = _rows(entered)
    verb, _, number = action.partition(":")
    if verb == "add":
        return entered | {"rows": str(min(rows + 1, PERIOD_ROWS_MAX))}
    kept = [row for row in range(rows) if str(row) != number]
    values = {
        f"{name}-{position}": entered.get(f"{name}-{row}", "")
        for position, row in enumerate(kept)
        for name, _ in PERIOD_FIELDS
    }
    others = {name: value for name, value in entered.items() if "-" not in name}
    return others | values | {"rows": str(max(len(kept), 1))}


def _run(entered: dict[str, str]) -> Json:
    """The request that the fields make; empty ones are left out."""
    type_ = entered.get("type", "SIMPLE_NET")
    names = [name for name, _ in RATES.get(type_, ())]
    if type_ != "TARIFF":
        names += [*(name for name, _ in CHARGES), "credit_policy", "currency"]
    policy: Json = {name: entered[name] for name in names if entered.get(name)} | {"type": type_}
    if type_ == "TOU_RATE":
        rows = [
            {name: value for name, _ in PERIOD_FIELDS if (value := entered.get(f"{name}-{row}"))}
            for row in range(_rows(entered))
        ]
        policy["tou_periods"] = [row for row in rows if row]
    year, _, month = entered.get("month", "").partition("-")
    run: Json = {
        "name": entered.get("name", ""),
        "topology_root_node_id": entered.get("topology_root_node_id", ""),
        "billing_cycle_year": int(year) if year.isdecimal() else year,
        "billing_cycle_month": int(month) if month.isdecimal() else month,
        "source": entered.get("source", "stored"),
        "missing": entered.get("missing", "refused"),
        "policy": policy,
    }
    if run["source"] == "generated":
        run["profile"] = {name: entered[name] for name, _ in PROFILE if entered.get(name)}
    return run


async def _page(visit: SignedIn, entered: dict[str, str], refused: Answer | None) -> PageView:
    properties = await visit.everything(
        "ledger", "/v1/properties", PAGES_MAX, limit=PAGE_ROWS, sort="name"
    )
    type_ = entered["type"] if entered.get("type") in RATES else "SIMPLE_NET"
    blocks: list[Block | Panel] = []
    wrong: dict[str, str] = {}
    if refused is not None and refused.failure is not None:
        for error in refused.failure.errors:
            wrong.setdefault(_field_of(error.pointer or ""), error.detail)
        blocks.append(Notice(refused.failure.detail, tone="bad", title="Not started."))
    form = Form(
        NEW,
        _fields(entered, type_, tree(properties.items), wrong),
        "Start the run",
        hidden={
            "type": type_,
            "rows": str(_rows(entered)),
            "idempotency_key": entered.get("idempotency_key") or str(new_id()),
        },
        buttons=_buttons(entered) if type_ == "TOU_RATE" else (),
    )
    blocks.append(Panel(f"By {POLICIES[type_]}", [form], failure=properties.failure))
    return PageView(
        area=AREA,
        title="New run",
        subtitle="What would these houses pay for a month?",
        crumbs=(HERE,),
        tabs=[
            Link(label, f"{NEW}?policy={name}", is_current=name == type_)
            for name, label in POLICIES.items()
        ],
        blocks=blocks,
    )


def _field_of(pointer: str) -> str:
    """The field that a fault is at: `#/policy/tou_periods/1/start_time` is `start_time-1`."""
    parts = parts_of(pointer)
    if len(parts) == 4 and parts[1] == "tou_periods":
        return f"{parts[3]}-{parts[2]}"
    return {"billing_cycle_month": "month", "billing_cycle_year": "month"}.get(parts[-1], parts[-1])


def parts_of(pointer: str) -> list[str]:
    """The parts of a JSON pointer in a fragment; one empty part for the whole."""
    return pointer.removeprefix("#").strip("/").split("/")


def _buttons(entered: dict[str, str]) -> list[Button]:
    removing = [
        Button("action", f"remove:{row}", f"Remove period {row + 1}")
        for row in range(_rows(entered))
    ]
    return [Button("action", "add", "Add a period"), *removing]


def _fields(
    entered: dict[str, str], type_: str, tree: list[tuple[str, str]], wrong: dict[str, str]
) -> list[Field]:
    def field(name: str, label: str, value: str = "", **more: object) -> Field:
        return Field(
            name, label, entered.get(name, value), error=wrong.get(name, ""),
            **more,  # type: ignore[arg-type] # each by its own name
        )  # fmt: skip

    fields = [
        field("name", "Name", is_required=True),
        field("topology_root_node_id", "Houses at or below", options=tree),
        field("month", "Month, as 2025-10", is_required=True),
        field(
            "source", "Readings",
            options=(("stored", "those that are stored"), ("generated", "generated ones")),
        ),
        field(
            "missing", "Missing intervals",
            options=(("refused", "fail the run"), ("counts_as_zero", "count as no energy")),
        ),
        *(field(name, label, is_required=True) for name, label in RATES[type_]),
    ]  # fmt: skip
    if type_ == "TOU_RATE":
        fields += [
            field(f"{name}-{row}", f"Period {row + 1}: {label}")
            for row in range(_rows(entered))
            for name, label in PERIOD_FIELDS
        ]
    if type_ != "TARIFF":
        fields += [
            *(field(name, label, "0") for name, label in CHARGES),
            field("credit_policy", "Credit that is left", options=CREDIT_POLICIES),
            field("currency", "Currency", "EUR"),
        ]
    hint = "for generated readings, unless a house has it of its own"
    return fields + [field(name, label, hint=hint) for name, label in PROFILE]


def tree(properties: list[Json]) -> list[tuple[str, str]]:
    """The properties as choices, each below what it is a part of, and farther in."""
    known = {item["id"] for item in properties}
    below: dict[str | None, list[Json]] = {}
    for item in properties:
        parent = item["parent_id"] if item["parent_id"] in known else None
        below.setdefault(parent, []).append(item)
    choices: list[tuple[str, str]] = []
    waiting = [(item, 0) for item in reversed(below.get(None, []))]
    while waiting:
        item, depth = waiting.pop()
        choices.append((item["id"], INDENT * depth + item["name"]))
        waiting += [(part, depth + 1) for part in reversed(below.get(item["id"], []))]
    return choices or [("", "no property yet")]
