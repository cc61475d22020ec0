"""A new comparison: houses of the tree, months, two or more policies and tariffs, how use moves.

Works without JavaScript, as the form of a run does. A comparison that is refused when it is started
is deleted again, so that nothing half is left behind.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.simulation_form import (
    PAGE_ROWS,
    PAGES_MAX,
    PROFILE,
    number_of,
    parts_of,
    tree,
)
from gridtally.console.pages.simulations import AREA, COMPARE, COMPARISONS, HERE
from gridtally.console.pages.visit import FormFields, SignedIn, Visit
from gridtally.console.upstream import Answer, Failure, Json
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
SCENARIOS_MIN, SCENARIOS_MAX = 2, 8
BANDS_MAX = 24
TARIFFS_MAX, VERSIONS_MAX, POLICIES_MAX = 40, 100, 100
"""So many can be chosen from; others by the API."""
MONTHS = "12"
PRICED = {
    "SIMPLE_NET": (("retail_price_per_kwh", "import_price"),),
    "GROSS_METERING": (
        ("import_retail_price_per_kwh", "import_price"),
        ("export_wholesale_price_per_kwh", "export_price"),
    ),
}
"""The policies that a scenario's prices make: by field of the API the field of the form."""
CHOICES = (
    ("SIMPLE_NET", "net metering at the import price here"),
    ("GROSS_METERING", "gross metering at the prices here"),
)
SHIFTS = {
    "none": "use stays as it is",
    "fixed_share": "a share of use moves",
    "elasticity": "use follows its price",
}
BAND_FIELDS = (
    ("band", "label", "name"),
    ("start", "start_time", "from"),
    ("end", "end_time", "to"),
    ("elasticity", "elasticity", "elasticity"),
)
"""Of a band of elasticity: the field of the form, that of the API, and its label."""
SHARE_FIELDS = (
    ("share", "share", "Share of use that moves, 0.1 is a tenth"),
    ("from_start", "from_times/start_time", "Moves away from"),
    ("from_end", "from_times/end_time", "Moves away until"),
    ("to_start", "to_times/start_time", "Moves to times from"),
    ("to_end", "to_times/end_time", "Moves to times until"),
)


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be chosen: nodes of the tree, and policies and tariffs; why where it is not all."""

    nodes: Sequence[tuple[str, str]]
    tariffs: Sequence[tuple[str, str]]
    failures: Sequence[Failure]


@router.get(COMPARE)
async def ask_for_comparison(visit: Visit, shift: str = "none", node: str = "") -> Response:
    """The form of a new comparison, with the fields of one kind of shift."""
    chosen = shift if shift in SHIFTS else "none"
    entered = {"shift": chosen, "topology_root_node_id": node}
    return visit.page(await _page(visit, entered, None))


@router.post(COMPARE)
async def create_comparison(visit: Visit, fields: FormFields) -> Response:
    """Create a comparison and start it; a row that was added or removed brings the form back."""
    entered = dict(fields)
    if action := entered.pop("action", ""):
        return visit.page(await _page(visit, _with_rows(entered, action), None))
    key = entered.get("idempotency_key") or str(new_id())
    answer = await visit.send(
        "simulation", "POST", COMPARISONS, body=_comparison(entered),
        headers={"Idempotency-Key": key},
    )  # fmt: skip
    if answer.ok:
        path = f"{COMPARISONS}/{answer.data['id']}"
        started = await visit.send("simulation", "POST", f"{path}/start")
        if started.ok or (started.failure and started.failure.code == "run_not_pending"):
            return visit.go(f"/simulations/comparisons/{answer.data['id']}")
        match = {"If-Match": f'"{answer.data["version"]}"'}
        await visit.send("simulation", "DELETE", path, headers=match)
        entered["idempotency_key"] = str(new_id())
        answer = started
    return visit.page(await _page(visit, entered, answer), 422)


def _scenarios(entered: Mapping[str, str]) -> int:
    return number_of(entered, "scenarios", SCENARIOS_MIN, SCENARIOS_MAX)


def _bands(entered: Mapping[str, str]) -> int:
    return number_of(entered, "bands", 1, BANDS_MAX)


def _with_rows(entered: dict[str, str], action: str) -> dict[str, str]:
    """The form with a scenario or a band more, or without one of them."""
    verb, _, row = action.partition(":")
    if verb == "add-band":
        return entered | {"bands": str(min(_bands(entered) + 1, BANDS_MAX))}
    if verb == "remove-band":
        names = [name for name, _, _ in BAND_FIELDS]
        return _without(entered, names, row, "bands", _bands(entered), 1)
    if verb == "remove":
        names = ["label", "choice", "import_price", "export_price"]
        return _without(entered, names, row, "scenarios", _scenarios(entered), SCENARIOS_MIN)
    return entered | {"scenarios": str(min(_scenarios(entered) + 1, SCENARIOS_MAX))}


def _without(
    entered: dict[str, str], names: Sequence[str], row: str, count: str, rows: int, least: int
) -> dict[str, str]:
    kept = [number for number in range(rows) if str(number) != row]
    values = {
        f"{name}-{index}": entered.get(f"{name}-{number}", "")
        for index, number in enumerate(kept)
        for name in names
    }
    gone = {f"{name}-{number}" for name in names for number in range(rows)}
    others = {name: value for name, value in entered.items() if name not in gone}
    return others | values | {count: str(max(len(kept), least))}


def _comparison(entered: Mapping[str, str]) -> Json:
    """The request that the fields make; empty ones are left out."""
    year, _, month = entered.get("month", "").partition("-")
    months = entered.get("months", "")
    comparison: Json = {
        "name": entered.get("name", ""),
        "topology_root_node_id": entered.get("topology_root_node_id", ""),
        "billing_cycle_year": int(year) if year.isdecimal() else year,
        "billing_cycle_month": int(month) if month.isdecimal() else month,
        "months": int(months) if months.isdecimal() else months,
        "source": entered.get("source", "stored"),
        "missing": entered.get("missing", "refused"),
        "scenarios": [_scenario(entered, row) for row in range(_scenarios(entered))],
        "shift": _shift(entered),
    }
    if comparison["source"] == "generated":
        comparison["profile"] = {name: entered[name] for name, _ in PROFILE if entered.get(name)}
    return comparison


def _scenario(entered: Mapping[str, str], row: int) -> Json:
    scenario: Json = {"label": entered.get(f"label-{row}", "")}
    kind, _, chosen_id = entered.get(f"choice-{row}", "").partition(":")
    if kind == "policy":
        return scenario | {"policy_id": chosen_id}
    if kind == "version":
        return scenario | {"policy": {"type": "TARIFF", "tariff_version_id": chosen_id}}
    type_ = kind if kind in PRICED else "SIMPLE_NET"
    prices = {name: value for name, own in PRICED[type_] if (value := entered.get(f"{own}-{row}"))}
    currency = entered.get("currency") or "EUR"
    return scenario | {"policy": {"type": type_, "currency": currency, **prices}}


def _shift(entered: Mapping[str, str]) -> Json | None:
    match entered.get("shift"):
        case "fixed_share":
            shift: Json = {"kind": "fixed_share", "from_times": {}, "to_times": {}}
            for name, path, _ in SHARE_FIELDS:
                part, _, time = path.partition("/")
                if value := entered.get(name):
                    if time:
                        shift[part][time] = value
                    else:
                        shift[part] = value
            return shift
        case "elasticity":
            bands = [
                {
                    name: value
                    for own, name, _ in BAND_FIELDS
                    if (value := entered.get(f"{own}-{row}"))
                }
                for row in range(_bands(entered))
            ]
            return {"kind": "elasticity", "bands": [band for band in bands if band]}
        case _:
            return None


async def _offer(visit: SignedIn) -> Offer:
    """What is there to be chosen, asked all at once."""
    properties, policies, tariffs = await asyncio.gather(
        visit.everything("ledger", "/v1/properties", PAGES_MAX, limit=PAGE_ROWS, sort="name"),
        visit.get("simulation", "/v1/simulation-policies", limit=POLICIES_MAX, sort="name"),
        visit.get("tariff", "/v1/tariffs", limit=TARIFFS_MAX, sort="name"),
    )
    versions = await asyncio.gather(
        *(
            visit.get("tariff", f"/v1/tariffs/{tariff['id']}/versions", limit=VERSIONS_MAX)
            for tariff in tariffs.items
        )
    )
    choices = [(f"policy:{policy['id']}", policy["name"]) for policy in policies.items]
    for tariff, answer in zip(tariffs.items, versions, strict=True):
        for version in reversed(answer.items):
            state = "" if version["status"] == "published" else f", {version['status']}"
            text = f"{tariff['name']}, version {version['number']}{state}"
            choices.append((f"version:{version['id']}", text))
    answers = (properties, policies, tariffs)
    failures = [answer.failure for answer in answers if answer.failure is not None]
    return Offer(tree(properties.items), choices, failures)


async def _page(visit: SignedIn, entered: dict[str, str], refused: Answer | None) -> PageView:
    offer = await _offer(visit)
    shift = entered["shift"] if entered.get("shift") in SHIFTS else "none"
    blocks: list[Block | Panel] = []
    wrong: dict[str, str] = {}
    if refused is not None and refused.failure is not None:
        for error in refused.failure.errors:
            wrong.setdefault(_field_of(error.pointer or ""), error.detail)
        blocks.append(Notice(refused.failure.detail, tone="bad", title="Not started."))
    form = Form(
        COMPARE,
        _Fields(entered, wrong).all(offer, shift),
        "Compare",
        hidden={
            "shift": shift,
            "scenarios": str(_scenarios(entered)),
            "bands": str(_bands(entered)),
            "idempotency_key": entered.get("idempotency_key") or str(new_id()),
        },
        buttons=_buttons(entered, shift),
    )
    blocks.append(
        Panel(
            f"Where {SHIFTS[shift]}",
            [form],
            text="The first scenario is what the others are held against. Stored policies, and "
            "versions of tariffs, drafts too, can be chosen.",
        )
    )
    blocks += [Panel("", failure=failure) for failure in offer.failures]
    return PageView(
        area=AREA,
        title="New comparison",
        subtitle="Who would gain and who would lose by another policy or tariff?",
        crumbs=(HERE,),
        tabs=[
            Link(label, f"{COMPARE}?shift={name}", is_current=name == shift)
            for name, label in SHIFTS.items()
        ],
        blocks=blocks,
    )


def _field_of(pointer: str) -> str:
    """The field that a fault is at: of `#/scenarios/1/policy/retail_price_per_kwh` it is
    `import_price-1`."""
    parts = parts_of(pointer)
    last = parts[-1] if parts else ""
    if parts[:1] == ["scenarios"] and len(parts) > 1:
        if last == "label":
            return f"label-{parts[1]}"
        own = dict(pair for prices in PRICED.values() for pair in prices).get(last, "choice")
        return f"{own}-{parts[1]}"
    if parts[:1] == ["shift"]:
        return _shift_field(parts)
    return {"billing_cycle_month": "month", "billing_cycle_year": "month"}.get(last, last)


def _shift_field(parts: Sequence[str]) -> str:
    if "bands" in parts:
        row = next((part for part in parts if part.isdecimal()), "0")
        named = {name: own for own, name, _ in BAND_FIELDS}
        return f"{named.get(parts[-1], 'band')}-{row}"
    named = {path: own for own, path, _ in SHARE_FIELDS}
    times = {"from_times": "from_start", "to_times": "to_start"}
    return named.get("/".join(parts[-2:])) or times.get(parts[-1], "share")


def _buttons(entered: Mapping[str, str], shift: str) -> list[Button]:
    rows = _scenarios(entered)
    buttons = []
    if rows < SCENARIOS_MAX:
        buttons.append(Button("action", "add", "Add a scenario"))
    if rows > SCENARIOS_MIN:
        buttons += [
            Button("action", f"remove:{row}", f"Remove scenario {row + 1}") for row in range(rows)
        ]
    if shift == "elasticity":
        bands = _bands(entered)
        buttons.append(Button("action", "add-band", "Add a band"))
        if bands > 1:
            buttons += [
                Button("action", f"remove-band:{row}", f"Remove band {row + 1}")
                for row in range(bands)
            ]
    return buttons


class _Fields:
    """The fields, with what was entered in them and what is wrong with it."""

    def __init__(self, entered: Mapping[str, str], wrong: Mapping[str, str]) -> None:
        self._entered, self._wrong = entered, wrong

    def all(self, offer: Offer, shift: str) -> list[Field]:
        """All fields of the form, in order."""
        fields = [
            self._field("name", "Name", is_required=True),
            self._field("topology_root_node_id", "Houses at or below", options=offer.nodes),
            self._field("month", "First month, as 2025-10", is_required=True),
            self._field("months", "Months", MONTHS, is_required=True),
            self._field(
                "source", "Readings",
                options=(("stored", "those that are stored"), ("generated", "generated ones")),
            ),
            self._field(
                "missing", "Missing intervals",
                options=(("refused", "fail it"), ("counts_as_zero", "count as no energy")),
            ),
        ]  # fmt: skip
        for row in range(_scenarios(self._entered)):
            fields += self._of_scenario(row, offer)
        fields.append(self._field("currency", "Currency of the prices here", "EUR"))
        if shift == "fixed_share":
            fields += [self._field(name, label) for name, _, label in SHARE_FIELDS]
        if shift == "elasticity":
            fields += [
                self._field(f"{name}-{row}", f"Band {row + 1}: {label}")
                for row in range(_bands(self._entered))
                for name, _, label in BAND_FIELDS
            ]
        hint = "for generated readings, unless a house has it of its own"
        return fields + [self._field(name, label, hint=hint) for name, label in PROFILE]

    def _of_scenario(self, row: int, offer: Offer) -> list[Field]:
        name = f"Scenario {row + 1}"
        return [
            self._field(f"label-{row}", f"{name}: name", is_required=True),
            self._field(f"choice-{row}", f"{name}: billed by", options=(*offer.tariffs, *CHOICES)),
            self._field(f"import_price-{row}", f"{name}: import price per kWh"),
            self._field(f"export_price-{row}", f"{name}: export price per kWh"),
        ]

    def _field(self, name: str, label: str, value: str = "", **more: object) -> Field:
        return Field(
            name, label, self._entered.get(name, value), error=self._wrong.get(name, ""),
            **more,  # type: ignore[arg-type] # each by its own name
        )  # fmt: skip
