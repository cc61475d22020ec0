"""The readings of derived meters, by the API."""

from integration.ledger.properties import problem

MARCH, APRIL, MAY = "2025-03-01T06:00:00Z", "2025-04-01T06:00:00Z", "2025-05-01T06:00:00Z"


async def entered(client, meter, value, read_at):
    body = {"value": value, "read_at": read_at}
    answer = await client.post(f"/v1/meters/{meter}/readings", json=body)
    assert answer.status_code == 201, answer.text


async def test_readings_of_a_derived_meter_are_computed_where_its_inputs_were_read(acme, home):
    """total − gg − sg: nothing is known before all three are, and between two readings an input
    lies on a straight line."""
    for name, value, at in (
        ("total", "1000", MARCH), ("gg", "100", MARCH), ("sg", "10", APRIL),
        ("total", "1310", APRIL), ("gg", "200", MAY), ("sg", "20", MAY), ("total", "1600", MAY),
    ):  # fmt: skip
        await entered(acme, home[name], value, at)
    path = f"/v1/meters/{home['unmetered']}/readings"
    page = (await acme.get(path)).json()
    shown = [(item["read_at"], item["kind"], item["id"]) for item in page["items"]]
    assert shown == [(APRIL, "computed", None), (MAY, "computed", None)]
    value = (await acme.get(f"/v1/meters/{home['unmetered']}/value?at={APRIL}")).json()
    assert page["items"][0]["value"] == value["value"]
    assert (page["items"][0]["quality"], page["items"][1]["value"]) == ("interpolated", "1380")
    assert page["items"][1]["quality"] == "actual"
    first = (await acme.get(f"{path}?sort=-read_at&limit=1")).json()
    assert [item["read_at"] for item in first["items"]] == [MAY]
    second = (await acme.get(f"{path}?sort=-read_at&cursor={first['next_cursor']}")).json()
    assert [item["read_at"] for item in second["items"]] == [APRIL]
    assert second["next_cursor"] is None
    later = (await acme.get(f"{path}?from=2025-04-15")).json()
    assert [item["read_at"] for item in later["items"]] == [MAY]
    wrong = await acme.get(f"{path}?flow=import")
    assert problem(wrong) == (404, "register_unknown")
