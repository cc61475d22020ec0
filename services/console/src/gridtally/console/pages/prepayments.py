"""What a customer has paid in advance, as a part of the customer's account."""

from gridtally.console.upstream import Answer
from gridtally.console.views import formats
from gridtally.console.views.blocks import Panel, Stat, Stats, Tone

TONES: dict[str | None, Tone] = {
    None: "good",
    "prepayment_low": "warn",
    "prepayment_empty": "bad",
}


def prepayment_panels(answer: Answer) -> list[Panel]:
    """What is left, and how long it lasts; nothing for the many who pay by their invoices."""
    failure = answer.failure
    if failure is not None:
        return [] if failure.status == 404 else [Panel("Prepayment", failure=failure)]
    data = answer.data
    currency, average = data["currency"], data["average_per_day"]
    through = data["drawn_through"]
    limits = [
        f"below {formats.money(data['alert_amount'], currency)}" if data["alert_amount"] else "",
        f"{data['alert_days']} days ahead" if data["alert_days"] is not None else "",
    ]
    left = Stat(
        "Left",
        formats.money(data["balance"], currency),
        note="alert " + " or ".join(limit for limit in limits if limit),
        tone=TONES[data["alert"]],
    )
    drawn = Stat(
        "Drawn, not invoiced yet",
        formats.money(data["drawn"], currency),
        note=f"through {formats.day(through)}" if through else "no day is known yet",
    )
    lasts = Stat(
        "Lasts until",
        formats.day(data["empty_on"]) if data["empty_on"] else formats.NONE,
        note=f"{formats.money(average, currency)} a day" if average else "",
    )
    return [Panel("Prepayment", [Stats([left, drawn, lasts])])]
