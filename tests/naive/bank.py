"""The naive bank of kWh: lots as lists of band, kWh, when they were earned and when they expire."""

from datetime import timedelta
from fractions import Fraction

DAY = timedelta(days=1)


def expiry(day, months):
    if months is None:
        return None
    first = day.replace(day=1)
    for _ in range(months):
        first = (first + 31 * DAY).replace(day=1)
    last = (first + 31 * DAY).replace(day=1) - DAY
    return min(first.replace(day=1) + (day.day - 1) * DAY, last)


def take(lots, most):
    """Cuts the lots, in place, to the first `most` kWh of them."""
    for lot in lots:
        lot[1] = min(lot[1], most)
        most -= lot[1]


def merged(lots):
    """Those of a band that never expire as one; a list is enough here."""
    expiring, lasting = [], {}
    for band, kwh, earned_on, expires_on in lots:
        if expires_on is not None:
            expiring.append([band, kwh, earned_on, expires_on])
        else:
            lasting.setdefault(band, [band, Fraction(0), earned_on, None])[1] += kwh
            lasting[band][2] = earned_on
    return expiring + list(lasting.values())
