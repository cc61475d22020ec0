"""Standing charges: a record's fixed and minimum charges.

Convention: a monthly charge is shared by the days of its own month (`actual_days`).
"""

from rating.urdb.record import Record

PER = {"$/day": "day", "$/month": "month", "$/year": "year"}
"""What a charge's units say that it is for."""


def fixed_charges(record: Record) -> list[dict[str, object]]:
    """The charge for one meter, of either of the fields that records have had for it."""
    monthly = record.amount("fixedmonthlycharge")
    amount = record.amount("fixedchargefirstmeter")
    units = record.text("fixedchargeunits")
    if further := record.amount("fixedchargeeaaddl"):
        record.note("not_imported", "fixedchargeeaaddl", f"{further:f} for each further meter")
    if monthly and amount:
        record.note(
            "not_imported",
            "fixedmonthlycharge",
            f"{monthly:f}: fixedchargefirstmeter is there too and was taken",
        )
    elif monthly:
        amount, units = monthly, "$/month"
    if not amount:
        return []
    per = _per(record, units, "fixedchargeunits", f"a fixed charge of {amount:f}")
    if per is None:
        return []
    return [{"kind": "fixed", "id": "fixed", "rate": format(amount, "f"), "per": per}]


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
            told = "what a year lacks is on the bill that reaches the first of January"
            record.note("convention", "annualmincharge", told)
    if minimums:
        record.note(
            "convention", "mincharge", "the minimum counts all charges of a bill, export too"
        )
    return [minimum | {"kind": "minimum_bill"} for minimum in minimums]


def _per(record: Record, units: str, field: str, told: str) -> str | None:
    if not units:
        record.note("convention", field, "absent: read as $/month")
        return "month"
    per = PER.get(units.lower().replace(" ", ""))
    if per is None:
        record.note("not_understood", field, f"{told} in {units!r}")
    return per
