"""Events of prepayment: who pays in advance, and that what was paid is nearly used up."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from gridtally.contracts.model import Amount, Count, Currency, Day, Event, Instant

ALERT_DAYS_MAX = 366


class PrepaymentChanged(Event):
    """A customer is on prepayment by these terms, or is not any more; or how far what it has paid
    will reach has changed so that somebody should know: an alert was raised or has ended.
    """

    TOPIC: ClassVar[str] = "prepayment.changed.v1"
    KEY: ClassVar[str] = "customer_id"

    customer_id: UUID
    """The customer."""
    state: Literal["active", "ended"]
    """Whether the customer is on prepayment, or was."""
    alert_amount: Amount | None = None
    """A balance of less raises an alert, in the customer's currency; null for none by money."""
    alert_days: Annotated[int | None, Field(ge=0, le=ALERT_DAYS_MAX)] = None
    """How many days ahead an alert is raised; null for none by days."""
    change: Literal["terms", "alert", "end"]
    """What has changed: the terms, the alert, or that it has ended."""
    alert: Literal["prepayment_low", "prepayment_empty"] | None = None
    """What is wrong now; null for nothing."""
    alert_since: Instant | None = None
    """Since when, in UTC; null where nothing is wrong."""
    currency: Currency | None = None
    """The currency of the balance; null where that was not looked at yet."""
    balance: Amount | None = None
    """What was left when the alert was last raised or ended, in `currency`: payments less invoices,
    less what the days have cost that no invoice has yet."""
    drawn_through: Day | None = None
    """The last local day whose cost was in it; null where there was none."""
    empty_on: Day | None = None
    """The first local day that it would not pay at the average of the last days; null where it
    does not run out."""
    version: Count
    """The number of the change; a higher one replaces a lower one."""
