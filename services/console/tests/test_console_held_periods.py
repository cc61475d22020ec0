"""Held periods in the console: what waits and for what, and what nobody wants billed."""

from doubles.console import page, seen, those_that

HELD = {
    "agreement_id": "a1", "customer_id": "c1", "meter_id": "m1", "start_on": "2025-03-01",
    "end_on": "2025-04-01", "revision": 1, "reason": "prices_missing", "detail": "no <price> of 3",
    "held_at": "2025-04-02T08:00:00Z", "correlation_id": "x", "dismissed_at": None,
    "dismissed_by": None, "dismissal": None,
}  # fmt: skip
LATE = HELD | {
    "meter_id": "m2", "revision": 2, "reason": "correction_too_late", "dismissed_by": "agreement",
    "dismissed_at": "2026-05-02T08:00:00Z", "dismissal": "takes it until <2026-04-01>",
}  # fmt: skip


async def shown(path, held=(HELD,), dismissed=(LATE,)):
    def answer(query):
        return page(*(dismissed if query.get("state") == "dismissed" else held))

    services = those_that(billing={"/v1/held-invoices": answer}, ledger={"/v1/meters": page()})
    return (await seen(services, path))[1]


async def test_what_waits_and_what_nobody_wants_billed_stand_apart():
    text = await shown("/held")
    waiting, _, dismissed = text.partition("Dismissed")
    assert "prices missing no &lt;price&gt; of 3 Mar 2025 m1 upload the missing prices" in waiting
    assert (
        "correction too late takes it until &lt;2026-04-01&gt; Mar 2025 m2 agreement" in dismissed
    )
    assert "m2" not in waiting


async def test_only_what_waits_is_chosen_by_reason():
    text = await shown("/held?reason=meter_missing")
    assert "no &lt;price&gt;" not in text
    assert "correction too late" in text


async def test_where_there_is_nothing_it_says_what_would_be_there():
    text = await shown("/held", (), ())
    assert "Nothing is held" in text
    assert "Nothing is dismissed" in text
