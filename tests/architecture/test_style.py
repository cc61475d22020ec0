"""The rules of style that no linter knows, each with a planted violation that shows it bites."""

import ast
import re
from pathlib import Path

import pytest

from syntax_trees import nodes

ROOT = Path(__file__).parents[2]
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
FILES = sorted(
    path
    for folder in ("libs", "services", "tests")
    for path in ROOT.glob(f"{folder}/**/*.py")
    if "__pycache__" not in path.parts
)
SOURCES = [path for path in FILES if "src" in path.parts]
WRITTEN = [path for path in FILES if "generated" not in path.parts]
"""By people; what is generated is as long as its source is."""
EXACT = re.compile(
    r"libs/(kernel|metering|rating|urdb|portal_tariffs|contracts)/src|services/\w+/src/gridtally/(\w+/)+domain"
)
JUDGES = re.compile(r"metering/validation/|ingest/domain/(validation_rules|register_sums)\.py")
"""Whether readings are odd is likeness and statistics, of which no energy and no bill is made."""
COMMITTERS = "libs/database/src/gridtally/database/"
DESCRIBERS = re.compile(r"contracts/faults\.py|http/problems\.py|messaging/broker_settings\.py")
"""Where faults are few: the cut itself, those that FastAPI has described, our own environment."""
SKIPS = {"skip", "skipif", "xfail", "importorskip"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
VAGUE = ("Manager", "Helper", "Util", "Utils", "Base", "Impl")


def too_long(source):
    """Files of more than 400 lines, functions of more than 60 beside those within them."""
    if source.count("\n") > FILE_LINES_MAX:
        yield f"the file has more than {FILE_LINES_MAX} lines"
    for node in nodes(source, *FUNCTIONS):
        within = [part for part in node.body if isinstance(part, FUNCTIONS)]
        lines = length(node) - sum(map(length, within))
        if lines > FUNCTION_LINES_MAX:
            yield f"{node.name} has {lines} lines"


def length(node):
    return node.end_lineno - node.lineno + 1


def floats(source):
    """Floats where money and energy are computed; durations in seconds are no such thing."""
    for node in nodes(source, ast.Name, ast.Constant):
        is_type = isinstance(node, ast.Name) and node.id == "float"
        if is_type or (isinstance(node, ast.Constant) and isinstance(node.value, float)):
            yield f"line {node.lineno}: a float"


def commits(source):
    """Commits and transactions begun by hand."""
    for node in nodes(source, ast.Attribute, ast.Constant):
        match node:
            case ast.Attribute(attr="commit"):
                yield f"line {node.lineno}: .commit"
            case ast.Constant(value=str(text)) if re.match(r"\s*(COMMIT|BEGIN)\b\s*;?\s*$", text):
                yield f"line {node.lineno}: {text}"


def skips(source):
    """Tests that do not run."""
    for node in nodes(source, ast.Attribute):
        if node.attr in SKIPS:
            yield f"line {node.lineno}: {node.attr}"


def vague_names(source):
    """Classes named after nothing."""
    for node in nodes(source, ast.ClassDef):
        if node.name.endswith(VAGUE):
            yield f"line {node.lineno}: {node.name}"


def unexplained(source):
    """Modules that say nothing of themselves."""
    [module] = nodes(source, ast.Module)
    if source.strip() and ast.get_docstring(module) is None:
        yield "no docstring"


def whole_descriptions(source):
    """Every fault that pydantic finds described: `gridtally.contracts.faults` describes a few."""
    for node in nodes(source, ast.Call):
        if getattr(node.func, "attr", "") == "errors":
            yield f"line {node.lineno}: .errors"


RULES = [
    (too_long, WRITTEN),
    (
        floats,
        [
            path
            for path in SOURCES
            if EXACT.search(path.as_posix()) and not JUDGES.search(path.as_posix())
        ],
    ),
    (commits, [path for path in SOURCES if COMMITTERS not in path.as_posix()]),
    (skips, [path for path in FILES if path != Path(__file__)]),
    (vague_names, FILES),
    (whole_descriptions, [path for path in SOURCES if not DESCRIBERS.search(path.as_posix())]),
    (unexplained, [path for path in SOURCES if path.parent.name != "versions"]),
]


@pytest.mark.parametrize(("rule", "paths"), RULES, ids=lambda item: getattr(item, "__name__", ""))
def test_the_code_keeps(rule, paths):
    assert paths
    found = [f"{path.relative_to(ROOT)}: {x}" for path in paths for x in rule(path.read_text())]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("rule", "planted"),
    [
        (too_long, "x = 1\n" * 401),
        (too_long, "def long():\n" + "    x = 1\n" * 60),
        (floats, "price = 0.1"),
        (floats, "def price(text: str) -> float: ..."),
        (commits, "connection.commit()"),
        (commits, "execute('COMMIT')"),
        (skips, "@pytest.mark.skipif(True, reason='later')\ndef test_it(): ..."),
        (vague_names, "class InvoiceManager: ..."),
        (whole_descriptions, "invalid.errors()[:100]"),
        (unexplained, "x = 1"),
    ],
)
def test_the_rule_bites(rule, planted):
    assert list(rule(planted))
