"""Register readings of NEM13 as rows: whose meter each is, and what is refused by its row."""

import httpx
import pytest
from typer.testing import CliRunner

from gridtally.cli.app import app
from gridtally.cli.data_files.kinds import KINDS, read_item
from gridtally.cli.data_files.references import References
from gridtally.cli.data_files.register_files import (
    has_registers,
    parse_mapping,
    read_register_rows,
)
from gridtally.cli.errors import CommandError
from gridtally.client import AsyncClient

URLS = dict.fromkeys(("billing", "ledger", "tariff"), "http://service")


def record(suffix="11", direction="E", unit="kWh"):
    return (
        f"250,6102000001,1141,01,{suffix},{suffix},SER1,{direction},20,20250101103000,A,,,50.5,"
        f"20250401103000,S,,,30.5,{unit},,,"
    )


@pytest.fixture
def write(tmp_path):
    def written(*records, first="100,NEM13,202507010900,A,B"):
        path = tmp_path / "july.csv"
        path.write_text("\n".join([first, *records, "900"]))
        return path

    return written


async def test_readings_are_of_the_meter_with_the_nmi_or_of_the_one_that_is_mapped(write):
    path = write(record(), record("41", "I"))
    assert has_registers(path)
    rows = list(read_register_rows(path, {"6102000001 41": "M-2"}))
    assert [(row.number, row.fields["meter"], row.fields["flow"]) for row in rows] == [
        (2, "6102000001", "import"), (2, "6102000001", "import"),
        (3, "M-2", "export"), (3, "M-2", "export"),
    ]  # fmt: skip
    async with AsyncClient(URLS, "key", transport=httpx.MockTransport(None)) as client:
        references = References("acme", client)
        item = await read_item(KINDS["readings"], rows[1], references)
        assert (item.body.value, item.body.quality, item.body.flow) == (
            50.5,
            "substituted",
            "import",
        )
        assert item.body.read_at.isoformat() == "2025-04-01T10:30:00+10:00"
        assert item.body.note == "NEM13 6102000001 11, meter SER1"
        assert item.id == references.id_of("meter", "6102000001")


async def test_rows_that_no_register_of_the_ledger_can_have_are_refused_alone(write):
    path = write(record(), record("12"), record("61", unit="kvarh"), record("41", "I"))
    rows = list(read_register_rows(path, {}))
    faults = {row.number: row.fault for row in rows}
    assert "--map '6102000001 11=METER'" in faults[2]
    assert "6102000001 11 and 6102000001 12 would be one register" in faults[3]
    assert "reactive energy" in faults[4]
    assert faults[5] is None
    mapped = read_register_rows(path, {"6102000001 11": "A", "6102000001 12": "B"})
    assert [row.number for row in mapped if row.fault] == [4, 4]


def test_what_is_no_such_file_or_mapping_is_said(write, tmp_path):
    assert parse_mapping(["6102000001 11 = M"]) == {"6102000001 11": "M"}
    for text in ("11", "=M", "11="):
        with pytest.raises(CommandError, match="6102000001 11=METER"):
            parse_mapping([text])
    with pytest.raises(CommandError, match="has no register '9'; it has 6102000001 11"):
        list(read_register_rows(write(record()), {"9": "M"}))
    with pytest.raises(CommandError, match="row 2: the direction"):
        list(read_register_rows(write(record(direction="Q")), {}))
    latin = tmp_path / "latin.csv"
    latin.write_bytes(b"100,NEM13,\xe9\n900\n")
    with pytest.raises(CommandError, match="UTF-8"):
        list(read_register_rows(latin, {}))
    with pytest.raises(CommandError, match="No such file"):
        has_registers(tmp_path / "absent.csv")


def test_a_table_takes_no_mapping(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("meter,read_at,kwh\n")
    result = CliRunner().invoke(app, ["import", "readings", str(table), "--map", "1 11=M"])
    assert result.exit_code != 0
    assert "--map is for NEM13" in str(result.exception) + result.output
