"""Importing a module does nothing: no file, socket, process, thread, log or signal set up."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(ROOT.glob("*/*/src/gridtally/*"))
RUN_BY_OTHERS = {"__main__", "env", "versions"}  # Python and Alembic run these
PROBE = """
import importlib, json, logging, os, signal, sys, sysconfig, threading

DEEDS = {"socket.bind", "socket.connect", "subprocess.Popen", "os.mkdir", "os.putenv", "os.remove"}
deeds, module = [], None

STDLIB = sysconfig.get_path("stdlib") + os.sep

def by_a_library():
    frame = sys._getframe(2)
    while frame.f_code.co_filename.startswith(("<", STDLIB)):
        if "site-packages" in frame.f_code.co_filename or frame.f_back is None:
            break
        frame = frame.f_back
    return "site-packages" in frame.f_code.co_filename

def watch(event, args):
    wrote = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
    if (event in DEEDS or wrote) and not by_a_library():
        deeds.append(f"{module}: {event} {args[0]}")

def state():
    return {
        "threads": threading.active_count(),
        "log handlers": len(logging.getLogger().handlers),
        "SIGTERM": signal.getsignal(signal.SIGTERM),
        "working directory": os.getcwd(),
    }

sys.addaudithook(watch)
before = state()
for module in json.loads(sys.argv[1]):
    importlib.import_module(module)
    for name, now in state().items():
        if now != before[name]:
            deeds.append(f"{module}: {name}")
            before[name] = now
print(json.dumps(deeds))
"""


def modules():
    """Every module of ours by its full name."""
    for source in SOURCES:
        for path in sorted(source.rglob("*.py")):
            parts = path.relative_to(source.parents[1]).with_suffix("").parts
            if not RUN_BY_OTHERS & set(parts):
                yield ".".join(parts).removesuffix(".__init__")


def deeds_of(names, cwd):
    """What importing them did."""
    ran = subprocess.run(
        [sys.executable, "-B", "-c", PROBE, json.dumps(list(names))],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_importing_our_modules_does_nothing(tmp_path):
    assert not deeds_of(modules(), tmp_path)


@pytest.mark.parametrize(
    ("planted", "deed"),
    [
        ("open('left.txt', 'w').close()", "open left.txt"),
        ("import socket; socket.create_server(('127.0.0.1', 0)).close()", "socket.bind"),
        ("import subprocess; subprocess.run(['true'])", "subprocess.Popen"),
        ("import os; os.environ['TZ'] = 'UTC'", "os.putenv"),
        ("import threading; threading.Timer(0.1, print).start()", "threads"),
        ("import logging; logging.basicConfig()", "log handlers"),
        ("import signal; signal.signal(signal.SIGTERM, print)", "SIGTERM"),
    ],
)
def test_a_planted_deed_is_noticed(tmp_path, planted, deed):
    (tmp_path / "planted.py").write_text(planted)
    assert any(deed in line for line in deeds_of(["planted"], tmp_path))
