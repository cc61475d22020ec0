"""Files of master data: what their rows ask for, and what becomes of rows that are refused."""

import json
import re
from decimal import Decimal
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.cli.data_files.imports import Importer, parts_of
from gridtally.cli.data_files.kinds import KINDS, read_item
from gridtally.cli.data_files.outcomes import Outcomes
from gridtally.cli.data_files.references import References
from gridtally.cli.data_files.rows import Row, read_rows
from gridtally.cli.data_files.windows import work_through
from gridtally.cli.errors import CommandError
from gridtally.client import AsyncClient
from gridtally.kernel.ids import own_meter_id

URLS = dict.fromkeys(("billing", "ledger", "tariff"), "http://service")
TARIFF = "6f1b0000-0000-4000-8000-000000000001"


class Services:
    """Stands in for the network: keeps what is made by id, and refuses what `refuses` says."""

    def __init__(self, *, names_items=True):
        self.made, self.calls, self.names_items = {}, 0, names_items

    def __call__(self, request):
        self.calls += 1
        if request.method == "GET":
            return httpx.Response(200, json={"items": [], "next_cursor": None})
        items = json.loads(request.content)["items"]
        bad = [index for index, item in enumerate(items) if item["currency"] == "BAD"]
        if bad:
            errors = [{"pointer": f"#/items/{index}/currency", "detail": "is none"}
                      for index in bad]  # fmt: skip
            problem = {"code": "invalid_request", "detail": "no", "status": 422}
            problem["errors"] = errors if self.names_items else []
            return httpx.Response(
                422, json=problem, headers={"Content-Type": "application/problem+json"}
            )
        new = [item["id"] for item in items if item["id"] not in self.made]
        self.made |= {item["id"]: item for item in items}
        return httpx.Response(201 if new else 200, json={"items": items})

    def client(self):
        return AsyncClient(URLS, "key", transport=httpx.MockTransport(self))


def references(tenant="acme", client=None):
    return References(tenant, client or Services().client())


async def item(name, /, **fields):
    return await read_item(KINDS[name], Row(2, fields), references())


async def test_an_id_follows_from_tenant_kind_and_reference():
    made = await item("customers", reference="C-1", name="Ada", currency="EUR")
    named = await item(
        "agreements", reference="A", customer="C-1", meter="M", tariff=TARIFF, start_on="2025-01-01"
    )
    assert named.body.customer_id == made.id
    ids = {
        references(tenant).new_id(kind, "X") for tenant in "ab" for kind in ("meter", "customer")
    }
    assert len(ids) == 4


async def test_meters_that_a_property_came_with_are_named_by_their_type():
    home = await item("properties", reference="P/1", name="Home", zone="UTC")
    reading = await item("readings", meter="P/1/total", read_at="2025-01-01T00:00Z", kwh="12.5")
    assert reading.id == own_meter_id("acme", home.id, "total")
    assert reading.body.value == Decimal("12.5")


async def test_what_is_there_already_is_named_by_its_id():
    reading = await item("readings", meter=TARIFF, read_at="2025-01-01T00:00+01:00", kwh="1")
    assert reading.id == UUID(TARIFF)


async def test_a_meter_has_the_channel_and_the_register_of_its_row():
    measured = await item(
        "meters", reference="M", property="P", meter_type="main", minutes="15",
        interval_kwh_max="25.5", digits="6",
    )  # fmt: skip
    [channel], [register] = measured.body.channels, measured.body.registers
    assert (channel.flow, channel.minutes, channel.interval_wh_max) == ("import", 15, 25_500)
    assert (register.flow, register.digits) == ("import", 6)
    solar = await item("meters", reference="M", property="P", meter_type="solar")
    assert (solar.body.channels, solar.body.registers[0].flow) == (None, "generation")


async def test_an_opening_balance_is_its_customer_s():
    customer = await item("customers", reference="C-1", name="Ada", currency="EUR")
    owed = await item(
        "opening-balances", reference="OLD-1", customer="C-1", currency="EUR", amount="-12.50",
        occurred_at="2025-11-01T00:00+01:00",
    )  # fmt: skip
    assert (owed.id, owed.body.customer_id) == (customer.id, customer.id)
    assert (owed.reference, owed.body.reference, owed.body.amount) == (
        "OLD-1", "OLD-1", Decimal("-12.50"),
    )  # fmt: skip
    assert owed.needs == (("customer", customer.id, "C-1"),)


@pytest.mark.parametrize(
    ("name", "fields", "reason"),
    [
        ("customers", {"reference": "C", "currency": "EUR"}, "name is empty"),
        ("customers", {"reference": TARIFF, "name": "A", "currency": "EUR"}, "is the name of"),
        ("customers", {"reference": "C" * 101, "name": "A", "currency": "EUR"}, "more than 100"),
        ("customers", {"reference": "C", "name": "A", "currency": "EUR", "city": "Bonn"},
         "billing_address.street: Field required"),
        ("meters", {"reference": "P/total", "property": "P", "meter_type": "main"},
         "is the name of"),
        ("meters", {"reference": "M", "property": "P", "meter_type": "main", "minutes": "15"},
         "belong together"),
        ("meters", {"reference": "M", "property": "P", "meter_type": "main", "minutes": "15",
                    "interval_kwh_max": "0.0001"}, "more than three decimals"),
        ("meters", {"reference": "M", "property": "P", "meter_type": "main", "minutes": "1_5",
                    "interval_kwh_max": "1"}, "not a whole number"),
        ("readings", {"meter": "M", "read_at": "2025-01-01T00:00", "kwh": "1"}, "has no zone"),
        ("opening-balances", {"reference": "O", "customer": "C", "currency": "EUR",
         "amount": "1,50", "occurred_at": "2025-11-01T00:00Z"}, "decimal comma"),
        ("opening-balances", {"reference": "O", "customer": "C", "currency": "EUR",
         "amount": "1.50", "occurred_at": "2025-11-01T00:00"}, "occurred_at has no zone"),
        ("opening-balances", {"reference": "O", "customer": "C", "currency": "EUR",
         "amount": "1.50", "occurred_at": "2025-11-01T00:00Z", "due_on": "soon"}, "due_on: "),
        ("readings", {"meter": "M", "read_at": "01/02/2025", "kwh": "1"}, "read_at '01/02/2025'"),
        ("readings", {"meter": "M", "read_at": "2025-01-01T00:00Z", "kwh": "1,5"}, "decimal comma"),
        ("readings", {"meter": "M", "read_at": "2025-01-01T00:00Z", "kwh": "NaN"}, "is no number"),
        ("agreements", {"reference": "A", "customer": "C", "meter": "M", "tariff": "gone",
                        "start_on": "2025-01-01"}, "there is no tariff 'gone'"),
    ],
)  # fmt: skip
async def test_what_a_row_cannot_mean_is_refused_in_words(name, fields, reason):
    with pytest.raises(ValueError, match=re.escape(reason)):
        await item(name, **fields)


def rows_of(tmp_path, text):
    file = tmp_path / "file.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_rows(file, KINDS["customers"].columns))


def test_rows_have_the_numbers_of_an_editor(tmp_path):
    rows = rows_of(tmp_path, '\ufeffreference,name,currency\n\n"C,1","A\nB",EUR\n,,\nC-2,C\n')
    assert rows[0] == Row(4, {"reference": "C,1", "name": "A\nB", "currency": "EUR"})
    assert (rows[1].number, len(rows)) == (6, 2)
    assert "2 fields" in rows[1].fault


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "is empty"),
        (b"reference;name;currency\n1;2;3\n", "separated by ';'"),
        (b"reference,name\n", "needs the column currency"),
        (b"reference,name,currency,colour\n", "the column 'colour' is not known"),
        (b"reference,name,currency\n\xff\n", "is not in UTF-8"),
        (b'reference,name,currency\n"C,1,2', "unexpected end of data"),
        (b"reference,name,currency\n" + b"x" * 70_000, "more than 65536 characters"),
        (b"\x1f\x8b" + b"\0" * 100, "is a gzip file"),
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path, text, reason):
    with pytest.raises(CommandError) as refused:
        rows_of(tmp_path, text)
    assert reason in str(refused.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CommandError, match=r"absent\.csv: No such file"):
        list(read_rows(tmp_path / "absent.csv", KINDS["customers"].columns))


# Whatever rows of a batch are refused, and whether or not the refusal names them, exactly the
# others are made, and a second run makes nothing more.
@given(bad=st.sets(st.integers(0, 29)), names_items=st.booleans())
async def test_exactly_the_rows_that_are_refused_are_not_made(tmp_path_factory, bad, names_items):
    file = tmp_path_factory.mktemp("import") / "customers.csv"
    rows = [f"C-{n},Name,{'BAD' if n in bad else 'EUR'}" for n in range(30)]
    file.write_text("\n".join(["reference,name,currency", *rows]))
    services = Services(names_items=names_items)
    for turn in (1, 2):
        outcomes = Outcomes()
        async with services.client() as client:
            importer = Importer("customers", client, outcomes)
            await work_through(
                read_rows(file, KINDS["customers"].columns), KINDS["customers"],
                references(client=client), outcomes,
                lambda items: parts_of("customers", items), importer.send, lambda _: None,
            )  # fmt: skip
        assert {refusal.row - 2 for refusal in outcomes.refusals} == bad
        state = "new" if turn == 1 else "present"
        assert outcomes.counts[state] == 30 - len(bad)
    assert {item["number"] for item in services.made.values()} == {
        f"C-{n}" for n in range(30) if n not in bad
    }


def test_a_report_has_every_refusal_and_no_formula(tmp_path):
    report = tmp_path / "report.csv"
    with Outcomes(report) as outcomes:
        for row in range(150):
            outcomes.refuse(row, "=1+1", "invalid_row", "no")
    assert len(outcomes.refusals) == 100
    lines = report.read_text().splitlines()
    assert (len(lines), lines[1]) == (151, "0,'=1+1,invalid_row,no")


@pytest.mark.parametrize(("name", "lengths"), [("readings", [1000, 1]), ("meters", [500, 500, 1])])
def test_rows_are_sent_together(name, lengths):
    assert [len(part) for part in parts_of(name, range(1001))] == lengths
