"""docs/tariffs.md tells the truth: its documents are valid and make the bills under them."""

import json
import re
from dataclasses import fields
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

import contracts.tariff as wire
from gridtally.bill_tables import short
from kernel.money import Rounding, plain
from kernel.periods import Period
from rating import calendars
from rating.bands import Window
from rating.bill import rate
from rating.components.demand import DemandBand
from rating.components.net_billing import NetBand
from rating.components.tiered_time_of_use import TieredBand
from rating.components.time_of_use import Band
from rating.document import KINDS, tariff_version
from rating.ladder import Limits, Tier
from rating.prices import series_of
from rating.surplus import CarryForward, Lost, Offset, Payout
from rating.tariff import TariffVersion
from rating.usage import Usage

DOCS = Path(__file__).parents[3] / "docs" / "tariffs.md"
EXAMPLES = re.findall(
    r"^## (.+?)$.+?^```json\n(.+?)^```\n```text\n(.+?)^```",
    DOCS.read_text(),
    re.MULTILINE | re.DOTALL,
)
MARCH = Period(date(2025, 3, 1), date(2025, 4, 1))
USAGE = Usage(
    "Europe/Berlin",
    MARCH,
    60,
    {"import": np.full(743, 1000), "export": np.full(743, 100)},
    Decimal(15),
)
PRICES = {
    "day-ahead": series_of(
        "EUR",
        60,
        {
            at: Decimal("0.10" if 6 <= at.hour < 18 else "-0.02")
            for at in (
                MARCH.bounds_utc("Europe/Berlin")[0] + timedelta(hours=n) for n in range(743)
            )
        },
    )
}


@pytest.mark.parametrize(
    ("document", "told"), [x[1:] for x in EXAMPLES], ids=[x[0] for x in EXAMPLES]
)
def test_an_example_makes_the_bill_under_it(document, told):
    checked = wire.TariffDocument.model_validate_json(document)
    version = tariff_version(UUID(int=1), checked.model_dump(mode="json"))
    assert version == tariff_version(UUID(int=1), json.loads(document))
    bill = rate(version, [USAGE], prices=PRICES)[0]
    lines = [
        f"{line.item.component_id}{' ' + line.item.band if line.item.band else ''}: "
        f"{short(line.quantity)} {line.item.unit} × {short(line.item.rate)} = "
        f"{plain(line.amount)}"
        for line in bill.lines
    ]
    assert "\n".join([*lines, f"total {bill.total}"]) == told.strip()


def test_every_kind_of_charge_has_an_example():
    shown = {
        component["kind"] for _, text, _ in EXAMPLES for component in json.loads(text)["components"]
    }
    assert shown == set(KINDS)


@pytest.mark.parametrize(
    ("domain", "model"),
    [
        (KINDS["fixed"], wire.FixedCharge),
        (KINDS["capacity"], wire.CapacityCharge),
        (KINDS["energy"], wire.EnergyCharge),
        (KINDS["time_of_use"], wire.TimeOfUse),
        (KINDS["spot"], wire.SpotPrice),
        (KINDS["tiered"], wire.Tiered),
        (KINDS["tiered_time_of_use"], wire.TieredTimeOfUse),
        (KINDS["demand"], wire.Demand),
        (Tier, wire.Tier),
        (Limits, wire.Limits),
        (TieredBand, wire.TieredBand),
        (DemandBand, wire.DemandBand),
        (KINDS["net_metering"], wire.NetMetering),
        (KINDS["net_billing"], wire.NetBilling),
        (KINDS["export_credit"], wire.ExportCredit),
        (KINDS["adjustment"], wire.Adjustment),
        (KINDS["percent"], wire.Percent),
        (KINDS["minimum_bill"], wire.MinimumBill),
        (KINDS["tax"], wire.Tax),
        (Band, wire.Band),
        (NetBand, wire.NetBand),
        (Lost, wire.Lost),
        (Offset, wire.Offset),
        (CarryForward, wire.CarryForward),
        (Payout, wire.Payout),
        (Window, wire.Window),
        (Rounding, wire.Rounding),
        (calendars.Season, wire.Season),
        (calendars.DayType, wire.DayType),
        (calendars.Holidays, wire.Holidays),
        (calendars.Calendar, wire.Calendar),
        (TariffVersion, wire.TariffDocument),
    ],
)
def test_the_wire_has_the_fields_of_the_engine(domain, model):
    on_the_wire = set(model.model_fields) - {"kind"}
    assert on_the_wire == {field.name for field in fields(domain)} - (
        {"id"} if domain is TariffVersion else set()
    )


def test_the_wire_refuses_what_it_does_not_know():
    document = json.loads(EXAMPLES[0][1])
    document["components"][0]["discount"] = "0.5"
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        wire.TariffDocument.model_validate(document)
