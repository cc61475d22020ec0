"""The files in deploy/ speak of what the code has: its metrics, its settings, its images."""

import json
import re
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from gridtally.contracts.topics import SERVICES
from gridtally.messaging.progress import Progress
from gridtally.observability.metrics import Metrics

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DASHBOARD = json.loads((ROOT / "deploy/dashboards/gridtally.json").read_text())
ALERTS = yaml.safe_load((ROOT / "deploy/alerts/gridtally.yml").read_text())
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
QUERIES = {panel["title"]: panel["targets"][0]["expr"] for panel in DASHBOARD["panels"]}
QUERIES |= {rule["alert"]: rule["expr"] for rule in RULES}
PROMETHEUS_OWN = {"up"}
GRID_COLUMNS = 24


def exported():
    """Every sample that a process of ours shows once it has answered a request."""
    metrics = Metrics("billing")
    metrics.watch([Progress("work", moved_s=0.0)])
    metrics.disks(["/"])
    metrics.answered("GET", "/v1/invoices", 200, 0.1)
    lines = metrics.expose().decode().splitlines()
    return {re.split(r"[ {]", line)[0] for line in lines if not line.startswith("#")}


def queried(expr):
    """The metrics that a query reads: names that are no function, keyword or label."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(by|on|without) \([^)]*\)", "", expr)
    return set(re.findall(r"\b[a-z][a-z0-9_]*\b(?!\s*\()", bare)) - {"and", "or", "by", "on"}


@pytest.mark.parametrize(("title", "expr"), QUERIES.items(), ids=QUERIES)
def test_every_query_reads_metrics_that_are_exported(title, expr):
    names = {name for name in queried(expr) if not re.fullmatch(r"\d?e\d+", name)}
    assert names, title
    assert names <= exported() | PROMETHEUS_OWN


def test_the_dashboard_is_whole():
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    (source,) = yaml.safe_load(
        (ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text()
    )["datasources"]
    taken = set()
    for panel in panels:
        assert panel["datasource"]["uid"] == source["uid"]
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= GRID_COLUMNS
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_alert_says_what_to_do_and_has_a_test():
    tests = yaml.safe_load((ROOT / "deploy/alerts/tests/gridtally.yml").read_text())["tests"]
    tested = {case["alertname"] for test in tests for case in test["alert_rule_test"]}
    assert {rule["alert"] for rule in RULES} == tested
    assert all({"summary", "action"} <= set(rule["annotations"]) for rule in RULES)


@pytest.mark.parametrize("service", SERVICES)
def test_compose_sets_only_what_the_services_read(service):
    own = import_module(f"gridtally.{service}.settings").Settings
    settings = {name.upper() for name in own.model_fields}
    for step in (service, f"{service}-migrate"):
        given = COMPOSE["services"][step]
        assert set(given["environment"]) <= settings
        assert given["command"][:3] == ["python", "-m", f"gridtally.{service}"]
        assert f"//{service}:" in given["environment"]["DATABASE_URL"]


def test_compose_has_no_default_secret_and_binds_loopback_only():
    text = (ROOT / "docker-compose.yml").read_text()
    named = re.findall(r"\$\{(\w+)(:\?[^}]*)?", text)
    required = {name for name, condition in named if condition}
    secrets = {name for name, _ in named if name != "GRIDTALLY_VERSION"}
    assert secrets == required
    written = (ROOT / "scripts/env.sh").read_text()
    assert all(re.sub("_PASSWORD$", "", name) in written for name in secrets)
    for name, service in COMPOSE["services"].items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), name


def test_the_tests_use_the_images_of_compose():
    tests = (ROOT / "tests/servers.py").read_text()
    for service in ("kafka", "database"):
        assert f'"{COMPOSE["services"][service]["image"]}"' in tests


def test_the_image_holds_the_services_and_the_command():
    """Everything but the local stack, which is for machines without Docker."""
    text = (ROOT / "deploy/Dockerfile").read_text()
    installed = set(re.findall(r"\b((?:libs|services)/\w+)\b", text))
    packages = {str(path.parent.relative_to(ROOT)) for path in ROOT.glob("*/*/pyproject.toml")}
    assert installed == packages - {"libs/local_stack"}
