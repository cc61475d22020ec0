"""A customer's mandate for direct debits, as a part of the customer's account."""

from gridtally.console.upstream import Answer
from gridtally.console.views import formats
from gridtally.console.views.blocks import Cell, Facts, Panel, Tone

TONES: dict[str, Tone] = {
    "in_force": "good",
    "not_yet": "info",
    "used": "plain",
    "lapsed": "warn",
    "revoked": "bad",
}


def mandate_panels(answer: Answer) -> list[Panel]:
    """The mandate that a customer has given; nothing for the many who have given none."""
    failure = answer.failure
    if failure is not None:
        return [] if failure.status == 404 else [Panel("Direct debits", failure=failure)]
    mandate = answer.data
    last = mandate["last_collected_on"]
    facts = [
        ("State", Cell(formats.words(mandate["state"]), tone=TONES[mandate["state"]])),
        ("Mandate", Cell(mandate["mandate_id"], note=mandate["scheme"].upper())),
        ("Signed", Cell(formats.day(mandate["signed_on"]))),
        ("Account", Cell(mandate["masked_iban"], note=mandate["holder"])),
        ("Next debit", Cell(formats.words(mandate["sequence"]))),
        ("Last collected", Cell(formats.day(last) if last else formats.NONE)),
        ("Lapses", Cell(formats.day(mandate["lapses_on"]))),
    ]
    if mandate["revoked_on"]:
        facts.append(("Revoked", Cell(formats.day(mandate["revoked_on"]))))
    return [Panel("Direct debits", [Facts(facts)], width=6)]
