"""Registering the portfolio through the services' APIs, as an operator would.

Owns the order: regions and tariffs, then properties (their meters come with them), then customers
and agreements. Everything has an id of ours, so a second registration finds what is there.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar
from uuid import UUID

from gridtally.cli.api import Api
from gridtally.kernel.ids import derive_id
from gridtally.local_stack.demo.gateway import Site
from gridtally.local_stack.demo.portfolio import INTERVAL_WH_MAX, PERIOD, PLANS, Home, Plan
from gridtally.local_stack.demo.profiles import MINUTES

T = TypeVar("T")
BATCH_ITEMS = 250


async def publish_tariffs(api: Api, run: str) -> dict[Plan, UUID]:
    """Each plan's tariff with its first version in force since before the period."""
    tariffs: dict[Plan, UUID] = {}
    for plan in PLANS:
        tariff_id = derive_id("demo tariff", run, plan.code)
        document = plan.document
        await api.post(
            "tariff",
            "/v1/tariffs",
            {
                "id": str(tariff_id),
                "code": f"{plan.code}-{run}",
                "name": plan.name,
                "currency": document["currency"],
                "zone": document["zone"],
            },
        )
        version = await api.post(
            "tariff",
            f"/v1/tariffs/{tariff_id}/versions",
            {
                "id": str(derive_id("demo tariff version", run, plan.code)),
                "effective_from": "2025-01-01",
                "document": document,
            },
        )
        number = version["number"]
        await api.post("tariff", f"/v1/tariffs/{tariff_id}/versions/{number}/publish")
        tariffs[plan] = tariff_id
    return tariffs


def neighbourhood_id(run: str) -> UUID:
    """The property that all homes of a run are parts of."""
    return derive_id("demo neighbourhood", run)


async def register_homes(
    api: Api, homes: Sequence[Home], tariffs: dict[Plan, UUID], advance: Callable[[int], None]
) -> list[Site]:
    """Properties, customers and agreements; each home with the meter that measures it."""
    sites: list[Site] = []
    if homes:
        run = homes[0].run
        above = {"id": str(neighbourhood_id(run)), "name": f"Neighbourhood {run}", "zone": "UTC"}
        await api.post("ledger", "/v1/properties", above)
    for batch in _batches(homes):
        properties = await api.post(
            "ledger", "/v1/properties/batch", {"items": [_property(home) for home in batch]}
        )
        found = [
            Site(home, _total_meter(item["meters"]))
            for home, item in zip(batch, properties["items"], strict=True)
        ]
        await api.post(
            "billing", "/v1/customers/batch", {"items": [_customer(home) for home in batch]}
        )
        agreements = [_agreement(site, tariffs[site.home.plan]) for site in found]
        await api.post("billing", "/v1/agreements/batch", {"items": agreements})
        sites += found
        advance(len(batch))
    return sites


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), BATCH_ITEMS):
        yield items[start : start + BATCH_ITEMS]


def _property(home: Home) -> dict[str, object]:
    channel = {"minutes": MINUTES, "interval_wh_max": INTERVAL_WH_MAX}
    return {
        "id": str(home.property_id),
        "name": f"Home {home.number + 1}",
        "parent_id": str(neighbourhood_id(home.run)),
        "zone": home.plan.location.zone,
        "connected_kw": str(home.connected_kw),
        "channels": {"total": [{"flow": flow, **channel} for flow in home.flows]},
    }


def _total_meter(meters: list[dict[str, str]]) -> UUID:
    return next(UUID(meter["id"]) for meter in meters if meter["meter_type"] == "total")


def _customer(home: Home) -> dict[str, object]:
    return {
        "id": str(home.customer_id),
        "name": f"Household {home.number + 1}",
        "currency": home.plan.document["currency"],
    }


def _agreement(site: Site, tariff_id: UUID) -> dict[str, object]:
    return {
        "id": str(site.home.agreement_id),
        "customer_id": str(site.home.customer_id),
        "meter_id": str(site.meter_id),
        "tariff_id": str(tariff_id),
        "start_on": PERIOD.start_on.isoformat(),
        "end_on": PERIOD.end_on.isoformat(),
    }
