"""The models of one service: its OpenAPI schemas, without what only the service checks, handed to
datamodel-code-generator.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

Json = dict[str, Any]
TOOL = "datamodel_code_generator"
REF = "#/components/schemas/"

# Bounds are the service's business: it says what is wrong with a value, and a client that is older
# than the service must not refuse what that takes by now.
_CHECKED_BY_THE_SERVICE = frozenset(
    {
        "title", "examples", "example", "pattern", "minLength", "maxLength", "minimum", "maximum",
        "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems",
    }
)  # fmt: skip
_ONE_LINE = re.compile(r'"""\n +([^"\n]+[^"\\\n])\n +"""')
_OPTIONS = (
    "--input-file-type", "openapi", "--output-model-type", "pydantic_v2.BaseModel",
    "--target-python-version", "3.11", "--enum-field-as-literal", "all", "--use-annotated",
    "--use-schema-description", "--use-field-description", "--use-inline-field-description",
    "--use-standard-collections", "--use-union-operator", "--disable-timestamp",
    "--snake-case-field", "--strict-nullable", "--collapse-root-models", "--use-double-quotes",
    "--formatters", "builtin", "--base-class", "gridtally.client.model.Model",
    "--deserialize-default-values", "decimal",
)  # fmt: skip


def class_name(schema: str) -> str:
    """`Page_Invoice_` is PageOfInvoice, `…__api__seller__Address` SellerAddress."""
    if of_page := re.fullmatch(r"Page_(\w+?)_", schema):
        return f"PageOf{of_page.group(1)}"
    *_, module, name = ["", *schema.split("__")]
    return f"{module.title().removesuffix('s')}{name}" if module else name


def simplified(node: Any, *, opened: bool) -> Any:
    """A schema without bounds and titles, its references by class name; `opened` (what services
    answer) takes values of enumerations that are not known yet."""
    if isinstance(node, list):
        return [simplified(part, opened=opened) for part in node]
    if not isinstance(node, dict):
        return node
    if _is_decimal(node):
        kept = {name: node[name] for name in ("description", "default") if name in node}
        decimal = {"type": "string", "format": "decimal"}
        if {"type": "null"} in node.get("anyOf", []):
            return {"anyOf": [decimal, {"type": "null"}]} | kept
        return decimal | kept
    plain = {
        name: simplified(part, opened=opened)
        for name, part in node.items()
        if name not in _CHECKED_BY_THE_SERVICE or name in ("properties", "$defs")
    }
    if "properties" in node:  # whose names are not keywords
        plain["properties"] = {
            name: simplified(part, opened=opened) for name, part in node["properties"].items()
        }
    if "$ref" in plain:
        plain["$ref"] = REF + class_name(plain["$ref"].removeprefix(REF))
        return {"$ref": plain["$ref"]}
    if opened and len(plain.get("enum", ())) > 1 and plain.get("type") == "string":
        known = {"type": "string", "enum": plain.pop("enum")}
        plain.pop("type")
        return {"anyOf": [known, {"type": "string"}], **plain}
    return plain


def _is_decimal(node: Json) -> bool:
    """An amount, as Pydantic describes it: a number or a text."""
    kinds = {part.get("type") for part in node.get("anyOf", [])} - {"null"}
    return kinds == {"number", "string"} or node.get("format") == "decimal"


def referred(node: Any) -> set[str]:
    """The names of the schemas that a part of the document refers to by itself."""
    if isinstance(node, list):
        return set().union(*map(referred, node)) if node else set()
    if not isinstance(node, dict):
        return set()
    own = node.get("$ref")
    names = {own.removeprefix(REF)} if isinstance(own, str) and own.startswith(REF) else set()
    return names.union(*map(referred, node.values())) if node else names


def closure(schemas: Json, names: set[str]) -> set[str]:
    """These schemas and all that they lead to."""
    reached: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= referred(schemas[name]) - reached
    return reached


def write_models(service: str, schemas: Json, sent: set[str], target: Path) -> None:
    """Write `target`, the module with a class for each schema; `sent` are those of requests."""
    definitions = {
        class_name(name): simplified(schema, opened=name not in sent)
        for name, schema in sorted(schemas.items())
    }
    document = {
        "openapi": "3.1.0",
        "info": {"title": service, "version": "1"},
        "paths": {},
        "components": {"schemas": definitions},
    }
    with TemporaryDirectory() as folder:
        source = Path(folder) / f"{service}.json"
        source.write_text(json.dumps(document))
        made = Path(folder) / "models.py"
        paths = ["--input", str(source), "--output", str(made)]
        subprocess.run([sys.executable, "-m", TOOL, *paths, *_OPTIONS], check=True)
        code = made.read_text()
    body = _ONE_LINE.sub(r'"""\1"""', code[code.index("from __future__") :])
    target.write_text(
        f'"""What {service} takes and answers. Generated from docs/openapi/{service}.json by '
        f'`make docs`."""\n\n{body}'
    )
