"""What others publish, checked where its contract allows more than billing can use."""

from gridtally.contracts.accounts import AccountChanged
from gridtally.contracts.catalogue import PricesPublished
from gridtally.kernel.errors import Poison
from gridtally.kernel.periods import ONE_DAY, Period
from gridtally.rating.prices import check_price
from gridtally.rating.usage import slots_in


def check_prices(event: PricesPublished) -> None:
    """Poison where the prices do not fill their local day, or are more than rating can take."""
    try:
        slots = slots_in(event.zone, Period(event.day, event.day + ONE_DAY), event.minutes)
        for price in event.prices:
            if price is not None:
                check_price(price)
    except (ValueError, OverflowError) as impossible:  # 9999-12-31 has no next day
        raise Poison(str(impossible)) from None
    if len(event.prices) != slots:
        raise Poison(f"{len(event.prices)} prices for a day of {slots} intervals")


def check_balances(event: AccountChanged) -> None:
    """Poison where a currency appears twice."""
    if len({balance.currency for balance in event.balances}) != len(event.balances):
        raise Poison("a currency appears twice in the customer's balances")
