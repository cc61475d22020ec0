"""The letterhead as its owner publishes it, `seller.changed`, read back."""

import base64
from collections.abc import Mapping
from typing import Any

from gridtally.documents.facts import Address, Seller, Texts


def published_seller(published: Mapping[str, Any]) -> Seller:
    """The letterhead from the JSON of an event's value, which was validated before.

    A logo is base64; texts and names of components are lists with a language each.
    """
    fields = {name: value for name, value in published.items() if name != "version"}
    names: dict[str, dict[str, str]] = {}
    for named in published["component_names"]:
        names.setdefault(named["component_id"], {})[named["language"]] = named["name"]
    texts = {own["language"]: _texts(own) for own in published["texts"]}
    logo = published["logo"]
    read = {
        "address": Address(**published["address"]),
        "texts": texts,
        "component_names": names,
        "logo": None if logo is None else base64.b64decode(logo),
        "offered_tariffs": tuple(published.get("offered_tariffs", ())),
    }
    return Seller(**fields | read)


def _texts(own: Mapping[str, Any]) -> Texts:
    return Texts(**{name: text for name, text in own.items() if name != "language"})
