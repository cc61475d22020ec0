"""One OpenAPI document of all services, on standard output, from the documents of each.

    python -m gridtally.http.merged_openapi docs/openapi/ingest.json docs/openapi/tariff.json …

Every operation names the servers that answer it. Where two services answer the same path, the
operation is one, with each service's view in its description, the parameters of both, and either's
answer. Schemas of one name and different content get their service's name before theirs.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

Json = dict[str, Any]
PORTS = {"ingest": 8001, "tariff": 8002, "billing": 8003, "ledger": 8004, "simulation": 8005}
"""Of the compose file, on the host."""
REF = re.compile(r'"#/components/schemas/([^"]+)"')


def merged(documents: dict[str, Json]) -> Json:
    """The document of all services; `documents` has each by its service's name."""
    shared = _shared_schemas(documents)
    renamed = {
        service: _with_own_names(service, document, shared)
        for service, document in documents.items()
    }
    first = next(iter(renamed.values()))
    paths: Json = {}
    for service, document in renamed.items():
        for path, item in document["paths"].items():
            for method, operation in item.items():
                methods = paths.setdefault(path, {})
                own = operation | {"servers": [_server(service)]}
                methods[method] = (
                    _joined(methods[method], own, service) if method in methods else own
                )
    _with_unique_ids(paths)
    return {
        "openapi": first["openapi"],
        "info": first["info"] | {"title": "Gridtally"},
        "servers": [_server(service) for service in renamed],
        "tags": _tags(renamed),
        "paths": paths,
        "components": {
            **first["components"],
            "schemas": {
                name: schema
                for document in renamed.values()
                for name, schema in document["components"]["schemas"].items()
            },
        },
    }


def _server(service: str) -> Json:
    variable = {"default": f"http://127.0.0.1:{PORTS[service]}", "description": f"Of {service}"}
    return {"url": "{url}", "description": service, "variables": {"url": variable}}


def _shared_schemas(documents: dict[str, Json]) -> set[str]:
    """Names that mean the same in every document that has them."""
    contents: dict[str, set[str]] = {}
    for document in documents.values():
        for name, schema in document["components"]["schemas"].items():
            contents.setdefault(name, set()).add(json.dumps(schema, sort_keys=True))
    return {name for name, forms in contents.items() if len(forms) == 1}


def _with_own_names(service: str, document: Json, shared: set[str]) -> Json:
    """The document with its service's name before each schema that others have differently."""

    def own(name: str) -> str:
        return name if name in shared else f"{service.capitalize()}{name}"

    text = REF.sub(lambda ref: f'"#/components/schemas/{own(ref[1])}"', json.dumps(document))
    renamed: Json = json.loads(text)
    schemas = renamed["components"]["schemas"]
    renamed["components"]["schemas"] = {own(name): schema for name, schema in schemas.items()}
    return renamed


def _joined(known: Json, other: Json, service: str) -> Json:
    """One operation of two services that answer the same path."""
    described = known["description"]
    if len(known["servers"]) == 1:
        described = f"**{known['servers'][0]['description']}**: {described}"
    names = {(parameter["in"], parameter["name"]) for parameter in known.get("parameters", [])}
    added = [
        parameter | {"required": False, "description": f"{parameter['description']} ({service})"}
        for parameter in other.get("parameters", [])
        if (parameter["in"], parameter["name"]) not in names
    ]
    responses = {
        status: _either(known["responses"].get(status), other["responses"].get(status))
        for status in known["responses"] | other["responses"]
    }
    return {
        **known,
        "description": f"{described}\n\n**{service}**: {other['description']}",
        "parameters": [*known.get("parameters", []), *added],
        "responses": responses,
        "tags": sorted({*known["tags"], *other["tags"]}),
        "servers": [*known["servers"], *other["servers"]],
    }


def _either(known: Json | None, other: Json | None) -> Json:
    """An answer that is one of two."""
    if known is None or other is None or known == other:
        return known or other or {}
    if "$ref" in known or "$ref" in other:
        return known if "$ref" in other else other
    media = "application/json"
    schemas = [answer.get("content", {}).get(media, {}).get("schema") for answer in (known, other)]
    if not all(schemas) or schemas[0] == schemas[1]:
        return known
    choices = [*schemas[0].get("anyOf", [schemas[0]]), schemas[1]]
    return known | {"content": {media: {"schema": {"anyOf": choices}}}}


def _tags(documents: dict[str, Json]) -> list[Json]:
    described: dict[str, list[str]] = {}
    for document in documents.values():
        for tag in document["tags"]:
            texts = described.setdefault(tag["name"], [])
            if tag["description"] not in texts:
                texts.append(tag["description"])
    return [{"name": name, "description": "; ".join(texts)} for name, texts in described.items()]


def _with_unique_ids(paths: Json) -> None:
    """Services may call operations alike: those that do get their service's name as well."""
    operations = [operation for item in paths.values() for operation in item.values()]
    counts = Counter(operation["operationId"] for operation in operations)
    for operation in operations:
        if counts[operation["operationId"]] > 1:
            service = operation["servers"][0]["description"]
            operation["operationId"] = f"{service}_{operation['operationId']}"


if __name__ == "__main__":
    read = {Path(name).stem: json.loads(Path(name).read_text()) for name in sys.argv[1:]}
    sys.stdout.write(json.dumps(merged(read), indent=2) + "\n")
