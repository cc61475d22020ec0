"""What no database or answer can hold is refused like all that is wrong, and not sent back."""

import json

import pytest

from integration.tariff.steps import CALENDAR, DOCUMENT, TARIFF, created

HUGE = "x" * 500_000
TEXTS = {"NUL": "a\x00b", "half a pair": "a\ud800b", "half a megabyte": HUGE}
ANSWER_BYTES_MAX = 10_000
JSON = {"Content-Type": "application/json"}


def requests(text):
    """Requests that hold the text in another field each, by path and body."""
    energy = DOCUMENT["components"][0]
    documents = [
        DOCUMENT | {text: 1},
        DOCUMENT | {"zone": text},
        DOCUMENT | {"components": [energy | {"id": text}]},
        DOCUMENT | {"components": [energy | {"rate": text}]},
        DOCUMENT | {"components": [energy | {"kind": text}]},
        DOCUMENT | {"components": [energy | {text: text}]},
        DOCUMENT | {"calendar_id": text},
        DOCUMENT | {"calendar": {"seasons": [{"name": text, "start": text}]}},
        DOCUMENT | {"components": text},
    ]
    dated = {"effective_from": "2025-01-01"}
    yield from (("versions", dated | {"document": document}) for document in documents)
    yield from (("versions/validate", dated | {"document": document}) for document in documents)
    yield "versions", dated | {"document": DOCUMENT, "note": text}
    yield "versions", dated | {"document": DOCUMENT, text: 1}
    for body in ({"name": text}, {"code": text}, {"currency": text}, {"zone": text}, {text: 1}):
        yield "/v1/tariffs", TARIFF | {"code": "other"} | body
    yield "calendar", {"document": {"seasons": [{"name": text, "start": text}]}}
    yield "calendar", {"document": {text: text}}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_hostile_texts_are_refused_and_not_sent_back(clients, text):
    acme = await clients("acme")
    home = await created(acme, "/v1/tariffs", TARIFF)
    calendar = await created(acme, "/v1/calendars", CALENDAR)
    own = f"/v1/tariffs/{home['id']}"
    for path, body in requests(text):
        where = {"calendar": f"/v1/calendars/{calendar['id']}/versions", "/v1/tariffs": path}
        answer = await acme.post(
            where.get(path, f"{own}/{path}"), content=json.dumps(body), headers=JSON
        )
        shown = f"{path} {json.dumps(body)[:300]}: {answer.status_code} {answer.text[:300]}"
        assert answer.status_code == 422 or answer.json().get("valid") is False, shown
        assert len(answer.content) < ANSWER_BYTES_MAX, shown
