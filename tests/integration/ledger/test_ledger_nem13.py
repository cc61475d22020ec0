"""A NEM13 file as the command enters it: once, however often it comes, and undone."""

import re
from dataclasses import replace
from pathlib import Path

from gridtally.cli.commands.watch import import_registers
from gridtally.cli.data_files.checks import Checker
from gridtally.cli.data_files.imports import Importer, parts_of
from gridtally.cli.data_files.kinds import KINDS
from gridtally.cli.data_files.outcomes import Outcomes
from gridtally.cli.data_files.references import References
from gridtally.cli.data_files.register_files import read_register_rows
from gridtally.cli.data_files.undo import Undoer
from gridtally.cli.data_files.windows import work_through
from gridtally.cli.watched_folder import FolderDeclaration
from gridtally.client import AsyncClient
from integration.ledger.properties import meter_of

FORMATS = Path(__file__).parents[3] / "docs/formats.md"
[SAMPLE] = re.findall(r"```text\n(100,NEM13.*?)```", FORMATS.read_text(), re.DOTALL)
REGISTERS = [
    {"flow": flow, "digits": 6, "decimals": 1, "multiplier": "1"} for flow in ("import", "export")
]


async def test_the_sample_of_the_documents_is_entered_once_and_withdrawn(acme, home, tmp_path):
    path = tmp_path / "july.csv"
    path.write_text(SAMPLE)
    meter = await meter_of(acme, home, "main", registers=REGISTERS)
    mapping = dict.fromkeys(("6102000001 11", "6102000001 41"), meter)
    urls = dict.fromkeys(("billing", "ledger", "tariff"), str(acme.base_url))
    key = acme.headers["Authorization"].removeprefix("Bearer ")
    listed = f"/v1/meters/{meter}/readings"

    async def shown(flow):
        answer = await acme.get(listed, params={"flow": flow})
        return [(own["read_at"], own["value"], own["quality"]) for own in answer.json()["items"]]

    async with AsyncClient(urls, key, transport=acme._transport) as client:
        references = References("acme", client)
        for state in ("checked", "new", "present", "undone", "absent", "new"):
            outcomes = Outcomes()
            work = Importer("readings", client, outcomes).send
            if state == "checked":
                work = Checker("readings", client, outcomes).check
            elif state in ("undone", "absent"):
                work = Undoer("readings", client, outcomes).remove
            await work_through(
                read_register_rows(path, mapping), KINDS["readings"], references, outcomes,
                lambda items: parts_of("readings", items), work, lambda _: None,
            )  # fmt: skip
            assert outcomes.refusals == [], state
            assert outcomes.counts == {"new" if state == "checked" else state: 5}, state
            if state in ("checked", "undone", "absent"):
                assert await shown("import") == []
                continue
            assert await shown("import") == [
                ("2025-01-01T00:32:30Z", "21.2", "actual"),
                ("2025-04-01T00:00:30Z", "534.5", "estimated"),
                ("2025-06-30T23:45:00Z", "902.7", "actual"),
            ]
            assert [value for _, value, _ in await shown("export")] == ["10", "160.5"]


async def test_a_watched_folder_enters_what_comes_to_rest_in_it(acme, home, tmp_path):
    """Of one file all readings, of another those of the register that is the meter's."""
    meter = await meter_of(acme, home, "main", registers=REGISTERS)
    services = ("INGEST", "TARIFF", "BILLING", "LEDGER", "SIMULATION")
    settings = {f"{name}_URL": str(acme.base_url) for name in services}
    settings["GRIDTALLY_API_KEY"] = acme.headers["Authorization"].removeprefix("Bearer ")
    registers = {"6102000001 11": meter, "6102000001 41": meter, "6109999999 11": meter}
    declaration = FolderDeclaration("UTC", None, {}, [], registers)

    async def imported(name, text, declaration=declaration):
        path = tmp_path / name
        path.write_text(text)
        return await import_registers(settings, path, declaration, transport=acme._transport)

    said = await imported("july.csv", SAMPLE)
    assert said == {"file": "july.csv", "imported": True, "detail": "5 of 5 readings entered"}
    assert (tmp_path / "imported" / "july.csv").read_text() == SAMPLE
    unmapped = replace(declaration, registers={"6102000001 11": meter})
    said = await imported("again.csv", SAMPLE, unmapped)
    assert (said["imported"], said["detail"]) == (False, "3 of 5 readings entered")
    assert "row 4" in (tmp_path / "refused" / "again.csv.txt").read_text()
