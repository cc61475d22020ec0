"""What is asked for by `from` and `to`, as instants."""

from datetime import date, datetime

from gridtally.http.windows import instant_of
from gridtally.kernel.errors import Fault, Rejected
from gridtally.ledger.metering.analytics.domain.consumption import Window


def window_of(from_at: datetime | date, to_at: datetime | date, zone: str) -> Window:
    """The instants that are meant; Rejected for a time that ends before it begins."""
    window = (instant_of(from_at, zone), instant_of(to_at, zone))
    if window[0] >= window[1]:
        fault = Fault("/query/to", "must lie after `from`")
        raise Rejected("empty_window", "`from` must lie before `to`", (fault,))
    return window
