"""Fixed charges: what a record charges per day, month or year, and its minimum charges.

Convention: a monthly charge is shared by the days of its own month (`actual_days`).
"""

from gridtally.urdb.record import Record, in_words

PER = {"$/day": "day", "$/month": "month", "$/year": "year"}
"""What a charge is for, by its units."""


def fixed_charges(record: Record, meters: int | None) -> list[dict[str, object]]:
    """The charge for one meter, of either of the fields that records have had for it, and further.

    `meters` are how many there are; where nobody says, it is one, with a warning.
    """
    monthly = record.amount("fixedmonthlycharge")
    amount = record.amount("fixedchargefirstmeter")
    units = record.text("fixedchargeunits")
    further = record.amount("fixedchargeeaaddl")
    if further and meters is None:
        description = f"{further:f} for each further meter: say how many there are (--meters)"
        record.note("not_imported", "fixedchargeeaaddl", description)
    if monthly and amount:
        record.note(
            "not_imported",
            "fixedmonthlycharge",
            f"{monthly:f}: fixedchargefirstmeter is there too and was taken",
        )
    elif monthly:
        amount, units = monthly, "$/month"
    of_further = further * ((meters or 1) - 1)
    charges = {"fixed": amount, "further-meters": of_further}
    if not any(charges.values()):
        return []
    per = _per(record, units, "fixedchargeunits", f"a fixed charge of {amount or of_further:f}")
    if per is None:
        return []
    return [
        {"kind": "fixed", "id": charge_id, "rate": format(rate, "f"), "per": per}
        for charge_id, rate in charges.items()
        if rate
    ]


def minimum_charges(record: Record) -> list[dict[str, object]]:
    """What a bill comes to at least, for all charges before it."""
    amount = record.amount("mincharge")
    units = record.text("minchargeunits")
    monthly, annual = record.amount("minmonthlycharge"), record.amount("annualmincharge")
    minimums: list[dict[str, object]] = []
    if amount:
        per = _per(record, units, "minchargeunits", f"a minimum charge of {amount:f}")
        if per is not None:
            minimums.append({"id": "minimum", "amount": format(amount, "f"), "per": per})
    if monthly:
        minimums.append({"id": "minimum-month", "amount": format(monthly, "f"), "per": "month"})
    if annual:
        minimums.append({"id": "minimum-year", "amount": format(annual, "f"), "per": "year"})
    minimums.sort(key=lambda minimum: minimum["per"] == "year")  # which count the others
    for minimum in minimums:
        if minimum["per"] == "year":
            minimum["true_up_month"] = 1
            description = "what a year lacks is on the bill that reaches the first of January"
            record.note("convention", "annualmincharge", description)
    if minimums:
        record.note(
            "convention", "mincharge", "the minimum counts all charges of a bill, export too"
        )
    return [minimum | {"kind": "minimum_bill"} for minimum in minimums]


def _per(record: Record, units: str, field: str, description: str) -> str | None:
    if not units:
        record.note("convention", field, "absent: read as $/month")
        return "month"
    per = PER.get(units.lower().replace(" ", ""))
    if per is None:
        record.lack(field, f"{description} in {in_words(units)}")
    return per
