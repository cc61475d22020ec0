"""The OpenAPI document of a service, in the form that generators of clients need.

Owns what FastAPI leaves out or says in a way that generators stumble over: short operation ids,
parameters without null, one schema per model, decimals as a format, headers, the problems that an
operation answers with, descriptions and examples of every field. Refuses to know what any one
service does: routers say that, and `gridtally.contracts` what fields and problem codes mean.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from gridtally.contracts.golden import golden_messages
from gridtally.contracts.problem import Problem
from gridtally.http import problems
from gridtally.http.auth import is_open_to_customers
from gridtally.http.field_formats import DECIMALS
from gridtally.http.field_notes import NOTES

Json = dict[str, Any]
PROBLEM = {"$ref": "#/components/schemas/Problem"}
LICENSE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
DESCRIPTION = """\
Amounts, prices and energies are decimals in strings; instants are UTC, dates are local days, and
every period includes its start and excludes its end. A list answers with a page; `next_cursor` asks
for the next one. A resource's `version` is its `ETag`, which a change names in `If-Match`. A POST
with an `Idempotency-Key` is done once, however often it comes. A request that names a customer in
`Gridtally-Customer`, or whose key is bound to one, sees the customer's rows alone and changes none.
Operations marked `x-open-to-customers` answer it, all others refuse it (403 `customer_bound`).
Every refusal is a problem (RFC 9457), whose `code` is listed in docs/problems.md and explained at
its `type`.
"""
FORMATS = {
    "uuid": r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
    "date": r"^\d{4}-\d\d-\d\d$",
    "date-time": r"^\d{4}-\d\d-\d\dT",
    "decimal": r"^-?[0-9]+(\.[0-9]+)?$",
}
HEADERS: dict[str, Json] = {
    "X-Correlation-Id": {
        "description": "The id under which logs and events speak of this request",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds until another try can help",
        "schema": {"type": "integer", "minimum": 1},
    },
    "RateLimit": {
        "description": "Points that the key and its tenant have left (`r`), and in how many seconds"
        " the budget is whole again (`t`), as draft-ietf-httpapi-ratelimit-headers has it",
        "schema": {"type": "string", "examples": ['"key";r=4975;t=1, "tenant";r=9975;t=1']},
    },
    "RateLimit-Policy": {
        "description": "Points that may be spent at once (`q`), and in how many seconds they are"
        " earned (`w`)",
        "schema": {"type": "string", "examples": ['"key";q=5000;w=10, "tenant";q=10000;w=10']},
    },
    "ETag": {
        "description": "The version of the resource in this answer, for `If-Match`",
        "schema": {"type": "string", "examples": ['"7"']},
    },
    "Location": {
        "description": "Where the new resource is",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Idempotency-Replayed": {
        "description": "There, and true, where an earlier request with this key had this answer",
        "schema": {"type": "string", "enum": ["true"]},
    },
}
COMMON_AREAS = {
    "operations": "Whether the process lives and can do its work",
    "keys": "API keys, which the operator of an installation makes and revokes",
}
COMMON = {
    401: ("unauthorized",),
    403: ("forbidden", "customer_bound"),
    422: ("invalid_request",),
    429: ("too_many_requests",),
    503: ("unavailable",),
}
"""Problems of every operation that needs a key."""
SHARED = {status: codes for status, codes in COMMON.items() if status != 422}
"""Of these an operation has no others, so that one description serves all."""
OF_BODIES = {
    400: ("broken_body",),
    408: ("body_too_slow",),
    413: ("body_too_large",),
    415: ("unsupported_media_type", "unsupported_encoding"),
    422: ("invalid_json", "duplicate_key"),
}
OF_CHANGES = {412: ("version_moved",), 428: ("version_required",)}
OF_KEYS = {409: ("request_in_flight",), 422: ("idempotency_key_reused",)}
OF_PAGES = {422: ("invalid_cursor",)}


def operation_id(route: APIRoute) -> str:
    """The name of the function that answers: short, and stable when a path changes."""
    return route.name


@dataclass(frozen=True, slots=True)
class ApiDescription:
    """What a service says of its own API beside its routers.

    `areas` describes each tag by its name. `problems` names, by operation id and status, the codes
    that an operation answers with of its own; those of every operation are added here. `located`
    names the operations whose answer says in `Location` where the new resource is.
    """

    areas: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, Mapping[int, Sequence[str]]] = field(default_factory=dict)
    located: Collection[str] = ()


NOT_DESCRIBED = ApiDescription()


def document_of(app: FastAPI, description: ApiDescription) -> Json:
    """The OpenAPI 3.1 document of an application."""
    areas = COMMON_AREAS | dict(description.areas)
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=DESCRIPTION,
        routes=app.routes,
        tags=[{"name": name, "description": text} for name, text in areas.items()],
        license_info=LICENSE,
        separate_input_output_schemas=False,
    )
    schemas: Json = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs") | {"Problem": problem}
    open_ids = {
        context.name
        for context in iter_route_contexts(app.routes)
        if is_open_to_customers(context.original_route)
    }
    for operation in _operations(document):
        if operation["operationId"] in open_ids:
            operation["x-open-to-customers"] = True
        _simplify_parameters(operation)
        own = description.problems.get(operation["operationId"], {})
        _add_problems(operation, own)
        _add_headers(operation, schemas, is_located=operation["operationId"] in description.located)
    for schema in schemas.values():
        _describe_fields(schema)
    document["components"] |= {"responses": _shared_answers(), "headers": HEADERS}
    return document


def _operations(document: Json) -> Iterator[Json]:
    for path in document["paths"].values():
        yield from path.values()


def _simplify_parameters(operation: Json) -> None:
    """Say of an optional parameter that it may be absent, which is all that null meant."""
    for parameter in operation.get("parameters", []):
        schema = parameter["schema"]
        variants = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
        if len(variants) == 1:
            schema |= variants[0]
        elif variants:
            schema["anyOf"] = variants
        note = parameter.get("description") or schema.get("description") or _note(parameter["name"])
        schema.pop("description", None)
        if note:
            parameter["description"] = note
        if parameter["name"] in DECIMALS and schema.get("type") == "string":
            schema["format"] = "decimal"


def _add_problems(operation: Json, own: Mapping[int, Any]) -> None:
    """Answers by status, each with the codes it may carry; the rest is `default`."""
    responses = operation["responses"]
    responses.pop("422", None)
    codes: dict[int, set[str]] = {}
    names = {parameter["name"].lower() for parameter in operation.get("parameters", [])}
    groups: list[Mapping[int, Sequence[str]]] = [own]
    if operation.get("security"):
        groups.append(COMMON)
    groups += [OF_BODIES] * ("requestBody" in operation)
    groups += [OF_CHANGES] * ("if-match" in names)
    groups += [OF_KEYS] * ("idempotency-key" in names)
    groups += [OF_PAGES] * ("cursor" in names)
    for group in groups:
        for status, added in group.items():
            codes.setdefault(status, set()).update(added)
    for status, known in sorted(codes.items()):
        shared = known == set(SHARED.get(status, ()))
        responses[str(status)] = _shared(str(status)) if shared else _problem(status, known)
    responses["default"] = _shared("default")


def _problem(status: int, codes: Collection[str]) -> Json:
    """An answer that refuses, with the codes that it may carry."""
    listed = ", ".join(f"`{code}`" for code in sorted(codes))
    names = ["X-Correlation-Id", *["Retry-After"] * (status in {429, 503})]
    names += ["RateLimit", "RateLimit-Policy"] * (status == 429)
    return {
        "description": f"Refused: {listed}",
        "content": {problems.MEDIA_TYPE: {"schema": PROBLEM}},
        "headers": _headers(*names),
    }


def _shared(name: str) -> Json:
    return {"$ref": f"#/components/responses/{name}"}


def _shared_answers() -> Json:
    """What operations refer to instead of repeating it."""
    answers = {str(status): _problem(status, codes) for status, codes in SHARED.items()}
    other = _problem(500, ("internal_error",)) | {"description": "Any other refusal or failure"}
    return answers | {"default": other}


def _headers(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _add_headers(operation: Json, schemas: Json, *, is_located: bool) -> None:
    parameters = {parameter["name"].lower() for parameter in operation.get("parameters", [])}
    for status, answer in operation["responses"].items():
        if not status.startswith("2"):
            continue
        names = ["X-Correlation-Id"]
        names += ["ETag"] * _is_versioned(answer, schemas)
        names += ["Location"] * (is_located and status == "201")
        names += ["Idempotency-Replayed"] * ("idempotency-key" in parameters)
        answer["headers"] = answer.get("headers", {}) | _headers(*names)
        if answer["description"] == "Successful Response":
            answer["description"] = "Made" if status == "201" else "Done"


def _is_versioned(answer: Json, schemas: Json) -> bool:
    """Whether an answer is one stored resource, whose version is its entity tag."""
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    properties: Json = schemas.get(name, {}).get("properties", {})
    return {"version", "updated_at"} <= properties.keys()


def _describe_fields(schema: Json) -> None:
    """What each field holds, with its unit: by the model's own words, else by the field's name."""
    for name, content in schema.get("properties", {}).items():
        if "description" not in content and (note := _note(name)):
            content["description"] = note
        if "$ref" not in content and (examples := _examples(name, content)):
            content.setdefault("examples", examples)
        if name in DECIMALS:
            for variant in (content, *content.get("anyOf", [])):
                if variant.get("type") == "string" and "format" not in variant:
                    variant["format"] = "decimal"


def _examples(name: str, content: Json) -> list[Any]:
    """The value that a golden message has in a field of this name, where the schema allows it."""
    value = _golden_values().get(name)
    variants = content.get("anyOf", [content])
    return [value] if any(_allows(variant, value) for variant in variants) else []


def _allows(schema: Json, value: Any) -> bool:
    """Whether a scalar fits a schema: type, enum, pattern and format of ids and instants."""
    kinds = {"string": str, "integer": int, "boolean": bool}
    if type(value) is not kinds.get(schema.get("type", "")):
        return False
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        return False
    form = FORMATS.get(schema.get("format", ""), schema.get("pattern"))
    if form is not None and re.search(form, str(value)) is None:
        return False
    bounds = schema.get("minimum", value), schema.get("maximum", value)
    return isinstance(value, str | bool) or bounds[0] <= value <= bounds[1]


@cache
def _golden_values() -> dict[str, Any]:
    """The first scalar of each field name in the golden messages, at any depth."""
    values: dict[str, Any] = {}
    left: list[Any] = [message.value for message in golden_messages()]
    while left:
        part = left.pop(0)
        if isinstance(part, dict):
            for name, value in part.items():
                if isinstance(value, str | int):
                    values.setdefault(name, value)
                left.append(value)
        elif isinstance(part, list):
            left.extend(part)
    return values


def _note(name: str) -> str | None:
    return NOTES.get(name.lower().replace("-", "_"))
