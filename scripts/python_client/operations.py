"""The operations of one service as methods, for a client that waits and for an event loop."""

import re
from dataclasses import dataclass
from textwrap import fill
from typing import Any

from models import REF, Json, class_name, referred

JSON = "application/json"
INDENT = " " * 8
DOCSTRING_WIDTH = 86
IDEMPOTENCY_KEY = "idempotency-key"
IF_MATCH = "if-match"
_KEYWORDS = frozenset({"from", "class", "in", "is", "import", "global", "not"})
_TYPES: dict[tuple[str | None, str | None], str] = {
    ("string", None): "str",
    ("string", "uuid"): "UUID",
    ("string", "date"): "date",
    ("string", "date-time"): "datetime",
    ("string", "decimal"): "Decimal",
    ("integer", None): "int",
    ("number", None): "Decimal",
    ("boolean", None): "bool",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """Of a path or a query: as it is sent, as Python calls it, and its type."""

    sent: str
    name: str
    type: str
    required: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """What a method needs."""

    name: str
    method: str
    path: str
    summary: str
    parts: tuple[Parameter, ...]
    query: tuple[Parameter, ...]
    body: str | None
    body_required: bool
    content_types: tuple[str, ...]
    once: bool
    if_match: bool | None
    answer: str | None
    item: str | None
    files: tuple[str, ...]


def operations_of(document: Json) -> list[Operation]:
    """All operations, in the order of the document."""
    schemas = document["components"]["schemas"]
    return [
        _operation(method.upper(), path, operation, schemas)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def name_inline_models(document: Json) -> None:
    """Move the models that bodies and other models describe in place to the named ones, under their
    titles, so that each has one class."""
    schemas = document["components"]["schemas"]

    def named(node: Any) -> Any:
        if isinstance(node, list):
            return [named(part) for part in node]
        if not isinstance(node, dict):
            return node
        plain = {name: named(part) for name, part in node.items()}
        if "properties" not in plain or not isinstance(plain.get("title"), str):
            return plain
        schemas[plain["title"]] = plain
        return {"$ref": REF + plain["title"]}

    for name, schema in list(schemas.items()):
        schemas[name] = {keyword: named(part) for keyword, part in schema.items()}
    for item in document["paths"].values():
        for operation in item.values():
            if content := operation.get("requestBody", {}).get("content", {}).get(JSON):
                content["schema"] = named(content["schema"])


def sent_schemas(document: Json) -> set[str]:
    """The names of the schemas of request bodies."""
    bodies = [
        operation.get("requestBody", {})
        for item in document["paths"].values()
        for operation in item.values()
    ]
    return set(referred(bodies))


def _operation(method: str, path: str, operation: Json, schemas: Json) -> Operation:
    parameters = operation.get("parameters", [])
    headers = {p["name"].lower(): p["required"] for p in parameters if p["in"] == "header"}
    request = operation.get("requestBody", {})
    content = request.get("content", {})
    body = _type(content[JSON]["schema"]) if JSON in content else None
    answers = {
        media: part.get("schema", {})
        for status, answer in operation["responses"].items()
        if status.startswith("2")
        for media, part in answer.get("content", {}).items()
    }
    answer = _type(answers[JSON]) if JSON in answers else None
    return Operation(
        name=operation["operationId"],
        method=method,
        path=path,
        summary=operation["description"],
        parts=tuple(_parameter(p, schemas) for p in parameters if p["in"] == "path"),
        query=tuple(_parameter(p, schemas) for p in parameters if p["in"] == "query"),
        body=body if body != "Any" else None,
        body_required=request.get("required", False),
        content_types=tuple(media for media in content if media != JSON or body == "Any"),
        once=IDEMPOTENCY_KEY in headers,
        if_match=headers.get(IF_MATCH),
        answer=answer,
        item=_item(answers.get(JSON, {}), schemas),
        files=tuple(media for media in answers if media != JSON),
    )


def _item(schema: Json, schemas: Json) -> str | None:
    """The type of the items of a page; None for any other answer."""
    name = schema.get("$ref", "").removeprefix(REF)
    properties = schemas.get(name, {}).get("properties", {})
    if properties.keys() != {"items", "next_cursor"}:
        return None
    return _type(properties["items"]["items"])


def _parameter(parameter: Json, schemas: Json) -> Parameter:
    sent, schema = parameter["name"], parameter["schema"]
    if "$ref" in schema:  # an enumeration, which has no class of its own
        schema = schemas[schema["$ref"].removeprefix(REF)]
    name = f"{sent}_" if sent in _KEYWORDS else sent.replace("-", "_")
    return Parameter(sent, name, _type(schema), parameter["required"])


def _type(schema: Json) -> str:
    """The Python type of a schema of a parameter, a body or an answer."""
    if "$ref" in schema:
        return f"models.{class_name(schema['$ref'].removeprefix(REF))}"
    if choices := schema.get("anyOf"):
        kinds = {_type(choice) for choice in choices if choice.get("type") != "null"}
        if {"Decimal", "str"} == kinds:
            return "Decimal"
        return "Any" if "Any" in kinds else " | ".join(sorted(kinds, reverse=True))
    if "enum" in schema:
        return f"Literal[{', '.join(map(repr, schema['enum']))}]"
    if schema.get("type") == "array" and "items" in schema:
        return f"list[{_type(schema['items'])}]"
    kind, form = schema.get("type"), schema.get("format")
    return _TYPES.get((kind, form)) or _TYPES.get((kind, None)) or "Any"


def written(service: str, operations: list[Operation]) -> str:
    """The module with both classes."""
    name = service.title()
    source = f"docs/openapi/{service}.json"
    lines = [
        f'"""The operations of {service}. Generated from {source} by `make docs`."""',
        "",
        "from collections.abc import AsyncIterator, Iterator",
        "from contextlib import AbstractAsyncContextManager, AbstractContextManager",
        "from datetime import date, datetime",
        "from decimal import Decimal",
        "from typing import Any, Literal",
        "from uuid import UUID",
        "",
        f"from gridtally.client.generated import {service}_models as models",
        "from gridtally.client.downloads import AsyncDownload, Download",
        "from gridtally.client.requests import Content",
        "from gridtally.client.transports import AsyncOperations, Operations",
        "",
    ]
    for waits in (True, False):
        head = f"class {name}(Operations):" if waits else f"class Async{name}(AsyncOperations):"
        suffix = "" if waits else ", for an event loop"
        lines += [head, f'    """The operations of {service}{suffix}."""', ""]
        for operation in operations:
            lines += _methods(operation, waits=waits)
    return "\n".join(lines)


def _methods(operation: Operation, *, waits: bool) -> list[str]:
    """The method of an operation; two where it answers both a model and files."""
    methods: list[str] = []
    if operation.answer or not operation.files:
        methods += _method(operation, waits=waits, file=False)
    if operation.files:
        methods += _method(operation, waits=waits, file=True)
    return methods


def _method(operation: Operation, *, waits: bool, file: bool) -> list[str]:
    chosen = file and operation.answer is not None
    name = f"{operation.name}_as" if chosen else operation.name
    given = ["self", *(f"{part.name}: {part.type}" for part in operation.parts)]
    given += _body(operation)
    if chosen:
        given.append(f"accept: Literal[{', '.join(map(repr, operation.files))}]")
    named = _named(operation, file=file)
    if named:
        given += ["*", *named]
    returns, call = _returns(operation, waits=waits, file=file)
    coroutine = not waits and call in ("_call", "_do")
    verb = f"{'return ' if call != '_do' else ''}{'await ' if coroutine else ''}"
    arguments = ", ".join(_arguments(operation, call, chosen=chosen))
    return [
        f"    {'async ' if coroutine else ''}def {name}({', '.join(given)}) -> {returns}:",
        f'        """{_indented(operation.summary)}"""',
        f"        {verb}self.{call}({arguments})",
        "",
    ]


def _body(operation: Operation) -> list[str]:
    kinds = [
        kind for kind in (operation.body, "Content" if operation.content_types else "") if kind
    ]
    if not kinds:
        return []
    default = "" if operation.body_required else " | None = None"
    return [f"body: {' | '.join(kinds)}{default}"]


def _named(operation: Operation, *, file: bool) -> list[str]:
    """The arguments that are given by name: those of the query, and of headers."""
    asked = [p for p in operation.query if file or operation.item is None or p.sent != "cursor"]
    named = [f"{p.name}: {p.type}" for p in asked if p.required]
    if operation.if_match:
        named.append("if_match: int | str")
    named += [f"{p.name}: {p.type} | None = None" for p in asked if not p.required]
    if operation.if_match is False:
        named.append("if_match: int | str | None = None")
    if operation.content_types:
        types = [JSON] if operation.body else []
        types += [media for media in operation.content_types if media not in types]
        named.append(f"content_type: Literal[{', '.join(map(repr, types))}] = {types[0]!r}")
    if operation.once:
        named.append("idempotency_key: str | None = None")
    return named


def _returns(operation: Operation, *, waits: bool, file: bool) -> tuple[str, str]:
    """The type that the method returns, and what of the transport it calls."""
    if file:
        kinds = ("AbstractContextManager[Download]", "AbstractAsyncContextManager[AsyncDownload]")
        return kinds[0] if waits else kinds[1], "_download"
    if operation.item:
        return f"{'Iterator' if waits else 'AsyncIterator'}[{operation.item}]", "_pages"
    return (operation.answer, "_call") if operation.answer else ("None", "_do")


def _arguments(operation: Operation, call: str, *, chosen: bool) -> list[str]:
    arguments = [operation.answer or ""] if call in ("_call", "_pages") else []
    arguments += [repr(operation.method), repr(operation.path)]
    if operation.parts:
        parts = ", ".join(f"{part.sent!r}: {part.name}" for part in operation.parts)
        arguments.append(f"parts={{{parts}}}")
    asked = [p for p in operation.query if call != "_pages" or p.sent != "cursor"]
    if asked or call == "_pages":
        query = ", ".join(f"{p.sent!r}: {p.name}" for p in asked)
        arguments.append(f"query={{{query}}}")
    if operation.body or operation.content_types:
        arguments.append("body=body")
    if operation.content_types:
        arguments.append("content_type=content_type")
    if operation.once:
        arguments += ["once=True", "idempotency_key=idempotency_key"]
    if operation.if_match is not None:
        arguments.append("if_match=if_match")
    if chosen:
        arguments.append("accept=accept")
    return arguments


def _indented(text: str) -> str:
    """A description as the inside of a method's docstring."""
    paragraphs = re.sub(r'\\|"""', "'", text.strip()).split("\n\n")
    filled = [fill(part, DOCSTRING_WIDTH) for part in paragraphs]
    lines = "\n\n".join(filled).splitlines()
    return lines[0] if len(lines) == 1 else "\n".join([*lines, ""]).replace("\n", f"\n{INDENT}")
