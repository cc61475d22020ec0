"""What a customer pays in instalments, as parts of the customer's account."""

from gridtally.console.upstream import Answer, Json
from gridtally.console.views import formats, lists
from gridtally.console.views.blocks import Cell, Column, Empty, Panel, Table


def plan_panels(plans: Answer) -> list[Panel]:
    """The customer's payment plans, for those few who have one."""
    if plans.ok and not plans.items:
        return []
    rows = [
        (
            Cell(formats.instant(plan["agreed_at"])),
            lists.state(plan["state"]),
            Cell(_next_instalment(plan)),
            Cell(formats.money(plan["late"])),
            Cell(formats.money(plan["paid"])),
            Cell(formats.money(plan["total"], plan["currency"])),
        )
        for plan in plans.items
    ]
    columns = [
        Column("Agreed"),
        Column("State"),
        Column("Next instalment"),
        Column("Late", is_number=True),
        Column("Paid", is_number=True),
        Column("Together", is_number=True),
    ]
    table = Table("Payment plans", columns, rows, Empty("No payment plan", ""))
    return [Panel("Payment plans", [table], failure=plans.failure)]


def budget_panels(plans: Answer) -> list[Panel]:
    """The customer's budget plans: what each asks for, and what was used."""
    if plans.ok and not plans.items:
        return []
    rows = [
        (
            Cell(formats.period(plan["start_on"], plan["end_on"])),
            lists.state(plan["state"]),
            Cell(_next_instalment(plan)),
            *(Cell(formats.money(plan[name])) for name in ("requested", "used")),
            Cell(formats.money(plan["settled"], plan["currency"])),
        )
        for plan in plans.items
    ]
    names = ("Asked for", "Used", "Settled by")
    columns = [Column("For"), Column("State"), Column("Next instalment")]
    columns += [Column(name, is_number=True) for name in names]
    table = Table("Budget plans", columns, rows, Empty("No budget plan", ""))
    return [Panel("Budget plans", [table], failure=plans.failure)]


def _next_instalment(plan: Json) -> str:
    """What is to be paid next of a plan, and by when; of a budget plan, what was not asked for yet
    has nothing open."""
    for own in plan["instalments"]:
        open_ = own["amount"] if own["open"] is None else own["open"]
        if plan["state"] != "cancelled" and not formats.is_zero(open_):
            return f"{formats.money(open_)} by {formats.day(own['due_on'])}"
    return formats.NONE
