"""XML as text: elements in their order, and nothing that XML cannot hold."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

from gridtally.kernel.money import plain

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Element:
    """An element with a prefixed name, attributes, and either a text or elements."""

    name: str
    content: "str | tuple[Element, ...]"
    attributes: Mapping[str, str]


def element(name: str, *children: Element | None, **attributes: str) -> Element:
    """An element of elements; those that are None are left out."""
    return Element(name, tuple(child for child in children if child is not None), attributes)


def value(name: str, content: str | Decimal, **attributes: str) -> Element:
    """An element with a text or a decimal."""
    text = content if isinstance(content, str) else plain(content)
    return Element(name, text, attributes)


def optional(name: str, content: str | None, **attributes: str) -> Element | None:
    """An element with a text; none without it."""
    return None if not content else value(name, content, **attributes)


def written(root: Element, namespaces: Mapping[str, str]) -> bytes:
    """The document in UTF-8."""
    declared = {f"xmlns:{prefix}" if prefix else "xmlns": uri for prefix, uri in namespaces.items()}
    whole = Element(root.name, root.content, declared | dict(root.attributes))
    return ('<?xml version="1.0" encoding="UTF-8"?>\n' + "".join(_parts(whole))).encode()


def _parts(node: Element) -> Iterator[str]:
    attributes = "".join(f" {name}={quoteattr(text)}" for name, text in node.attributes.items())
    yield f"<{node.name}{attributes}>"
    if isinstance(node.content, str):
        yield escape(_UNWRITABLE.sub("\ufffd", node.content))
    else:
        for child in node.content:
            yield from _parts(child)
    yield f"</{node.name}>"
