"""A NEM13 file as the command enters it: once, however often it comes, and undone."""

import re
from pathlib import Path

from gridtally.cli.data_files.checks import Checker
from gridtally.cli.data_files.imports import Importer, parts_of
from gridtally.cli.data_files.kinds import KINDS
from gridtally.cli.data_files.outcomes import Outcomes
from gridtally.cli.data_files.references import References
from gridtally.cli.data_files.register_files import read_register_rows
from gridtally.cli.data_files.undo import Undoer
from gridtally.cli.data_files.windows import work_through
from gridtally.client import AsyncClient
from integration.ledger.properties import meter_of

ROOT = Path(__file__).parents[3]
REGISTERS = [
    {"flow": flow, "digits": 6, "decimals": 1, "multiplier": "1"} for flow in ("import", "export")
]


async def test_the_sample_of_the_documents_is_entered_once_and_withdrawn(acme, home, tmp_path):
    [sample] = re.findall(
        r"```text\n(100,NEM13.*?)```", (ROOT / "docs/formats.md").read_text(), re.DOTALL
    )
    path = tmp_path / "july.csv"
    path.write_text(sample)
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
