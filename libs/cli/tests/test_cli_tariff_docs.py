"""docs/tariffs.md tells the truth: its documents are valid and make the bills under them."""

import json
import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from gridtally.cli.bill_tables import short
from gridtally.kernel.money import plain
from gridtally.kernel.periods import Period
from gridtally.rating.document import KINDS, tariff_version
from gridtally.rating.engine.bill import rate
from gridtally.rating.prices import series_of
from gridtally.rating.usage import Usage

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
    {
        "import": np.full(743, 1000),
        "export": np.full(743, 100),
        "reactive_import": np.full(743, 400),
    },
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
    ("document", "expected"),
    [example[1:] for example in EXAMPLES],
    ids=[example[0] for example in EXAMPLES],
)
def test_an_example_makes_the_bill_under_it(document, expected):
    version = tariff_version(UUID(int=1), json.loads(document))
    bill = rate(version, [USAGE], prices=PRICES)[0]
    lines = [
        f"{line.item.component_id}{' ' + line.item.band if line.item.band else ''}: "
        f"{short(line.quantity)} {line.item.unit} × {short(line.item.rate)} = "
        f"{plain(line.amount)}"
        for line in bill.lines
    ]
    assert "\n".join([*lines, f"total {bill.total}"]) == expected.strip()


def test_every_kind_of_charge_has_an_example():
    shown = {
        component["kind"] for _, text, _ in EXAMPLES for component in json.loads(text)["components"]
    }
    assert shown == set(KINDS)
