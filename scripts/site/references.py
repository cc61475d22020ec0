"""The reference as Markdown: of operations from OpenAPI, of events from AsyncAPI, of the command
from its own parameters."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import typer
import yaml

from gridtally.cli.app import app

METHODS = ("get", "post", "put", "patch", "delete")
SERVICES = ("ingest", "tariff", "billing", "ledger", "simulation")


def api_pages(folder: Path) -> dict[str, str]:
    """A page for each service: its operations by area."""
    return {
        f"reference/{service}.md": _api_page(json.loads((folder / f"{service}.json").read_text()))
        for service in SERVICES
    }


def _api_page(document: dict[str, Any]) -> str:
    by_area: defaultdict[str, list[str]] = defaultdict(list)
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                operation = operations[method]
                by_area[operation["tags"][0]].append(_operation(method, path, operation, document))
    lines = [f"# {document['info']['title']}: API", "", document["info"].get("description", ""), ""]
    for tag in document.get("tags", []):
        if tag["name"] in by_area:
            lines += [f"## {tag['name'].capitalize()}", "", tag["description"], ""]
            lines += by_area[tag["name"]]
    return "\n".join(lines)


def _operation(method: str, path: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    lines = [f"### `{method.upper()} {path}`", "", operation.get("description", ""), ""]
    rows = [_parameter(_resolved(own, document)) for own in operation.get("parameters", [])]
    content = operation.get("requestBody", {}).get("content", {})
    for media_type, body in content.items():
        fields = _fields(_resolved(body.get("schema", {}), document), document)
        rows += fields or [f"| body | {media_type} | {_schema_type(body.get('schema', {}))} | |"]
    if rows:
        lines += ["| name | in | type | |", "|---|---|---|---|", *rows, ""]
    lines += [
        f"- {status}: {_cell(_resolved(answer, document).get('description', ''))}"
        for status, answer in operation["responses"].items()
        if status != "default"
    ]
    return "\n".join([*lines, ""])


def _parameter(parameter: dict[str, Any]) -> str:
    name = f"**`{parameter['name']}`**" if parameter.get("required") else f"`{parameter['name']}`"
    type_ = _schema_type(parameter.get("schema", {}))
    return f"| {name} | {parameter['in']} | {type_} | {_cell(parameter.get('description', ''))} |"


def _fields(schema: dict[str, Any], document: dict[str, Any]) -> list[str]:
    required = schema.get("required", [])
    rows = []
    for name, field in schema.get("properties", {}).items():
        shown = f"**`{name}`**" if name in required else f"`{name}`"
        own = _resolved(field, document)
        text = field.get("description") or own.get("description", "")
        rows.append(f"| {shown} | body | {_schema_type(field)} | {_cell(text)} |")
    return rows


def _schema_type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    for name in ("anyOf", "oneOf", "allOf"):
        if name in schema:
            return " or ".join(_schema_type(part) for part in schema[name])
    if schema.get("type") == "array":
        return f"list of {_schema_type(schema.get('items', {}))}"
    return " ".join(str(schema[name]) for name in ("format", "type") if name in schema)


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    value: Any = document
    for part in schema["$ref"].removeprefix("#/").split("/"):
        value = value[part.replace("~1", "/").replace("~0", "~")]
    return dict(value)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def event_page(path: Path) -> str:
    """All topics, with the fields of their messages."""
    document = yaml.safe_load(path.read_text())
    lines = ["# Events", "", document["info"]["description"], ""]
    for address, channel in document["channels"].items():
        lines += [f"## `{address}`", "", channel["summary"], "", channel.get("description", ""), ""]
        for message in channel["messages"].values():
            payload = _resolved(_resolved(message, document).get("payload", {}), document)
            schema = _resolved(payload.get("schema", payload), document)
            rows = [row.replace("| body ", "", 1) for row in _fields(schema, document)]
            if rows:
                lines += ["| field | type | |", "|---|---|---|", *rows, ""]
    return "\n".join(lines)


def command_page() -> str:
    """The command, each of its subcommands with its arguments and options."""
    group = typer.main.get_command(app)
    lines = ["# The command", "", group.help or "", ""]
    return "\n".join(lines + _commands(group, "gridtally"))


def _commands(group: Any, above: str) -> list[str]:
    lines: list[str] = []
    for name, command in sorted(group.commands.items()):
        full = f"{above} {name}"
        if hasattr(command, "commands"):
            lines += _commands(command, full)
            continue
        lines += [f"## `{full}`", "", command.help or "", ""]
        rows = [
            f"| {', '.join(f'`{own}`' for own in shown)} | {_cell(parameter.help or '')} |"
            for parameter in command.params
            if (shown := _names(parameter)) and not getattr(parameter, "hidden", False)
        ]
        if rows:
            lines += ["| argument or option | |", "|---|---|", *rows, ""]
    return lines


def _names(parameter: Any) -> list[str]:
    if parameter.param_type_name == "argument":
        return [(parameter.metavar or parameter.name).upper()]
    return [*parameter.opts, *parameter.secondary_opts]
