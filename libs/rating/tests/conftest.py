"""What the rating tests share: short ways to say a tariff and a usage."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest

from gridtally.kernel.periods import Period
from gridtally.rating.document import tariff_version
from gridtally.rating.engine.bill import rate
from gridtally.rating.usage import Usage, slots_in

VERSION_ID = UUID("00000000-0000-0000-0000-000000000001")


@pytest.fixture(scope="session")
def version_of():
    """A tariff version of some components, in Berlin unless said otherwise."""

    def make(*components, version_id=VERSION_ID, **fields):
        document = {"currency": "EUR", "zone": "Europe/Berlin", "components": components}
        return tariff_version(version_id, document | fields)

    return make


@pytest.fixture(scope="session")
def usage_of():
    """A usage of constant Wh per interval by flow, in Berlin and hourly unless said otherwise."""

    def make(start_on, end_on, *, zone="Europe/Berlin", minutes=60, kw=None, **wh_by_flow):
        period = Period(date.fromisoformat(start_on), date.fromisoformat(end_on))
        slots = slots_in(zone, period, minutes)
        series = {
            flow.rstrip("_"): np.full(slots, wh, dtype=np.int64) for flow, wh in wh_by_flow.items()
        }
        return Usage(zone, period, minutes, series, None if kw is None else Decimal(kw))

    return make


@pytest.fixture(scope="session")
def line_of(version_of):
    """The one line (quantity, unit, amount exact, amount) of a single component and a usage."""

    def make(component, usage):
        (line,) = rate(version_of(component), [usage])[0].lines
        quantity, exact, amount = (
            format(number, "f") for number in (line.quantity, line.amount_exact, line.amount)
        )
        return quantity, line.item.unit, exact, amount

    return make
