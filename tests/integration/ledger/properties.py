"""What the tests of meters share: a home with its four meters, reads of them, golden figures."""

import json
from pathlib import Path

GOLDEN = {
    case["id"]: case
    for case in json.loads((Path(__file__).parents[2] / "golden/bills.json").read_text())["cases"]
}
HOME = {"name": "Oak Lane 1", "zone": "Europe/Berlin"}


async def property_of(client, **fields):
    made = await client.post("/v1/properties", json=HOME | fields)
    assert made.status_code == 201, made.text
    body = made.json()
    return {"id": body["id"]} | {meter["meter_type"]: meter["id"] for meter in body["meters"]}


async def meter_of(client, home, meter_type, **fields):
    body = {"meter_type": meter_type, "name": meter_type} | fields
    made = await client.post(f"/v1/properties/{home['id']}/meters", json=body)
    assert made.status_code == 201, made.text
    return made.json()["id"]


async def read(client, meter, *values, **fields):
    """Enter readings: pairs of a value and its moment."""
    for value, read_at in values:
        answer = await client.post(
            f"/v1/meters/{meter}/readings", json={"value": value, "read_at": read_at} | fields
        )
        assert answer.status_code == 201, answer.text


def problem(answer):
    """The status and code of a refusal."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]
