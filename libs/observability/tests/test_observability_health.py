"""Health measures progress; metrics show it."""

import asyncio

import pytest

from gridtally.messaging.progress import Progress
from gridtally.observability import health
from gridtally.observability.health import Health, Report
from gridtally.observability.metrics import Metrics


async def well():
    return None


async def away():
    return "does not answer"


async def hangs():
    await asyncio.sleep(60)


def task(name="work", *, ready=True, lagging_since_s=None):
    return Progress(name, ready=ready, lag=5, lagging_since_s=lagging_since_s)


@pytest.mark.parametrize(
    ("now_s", "tasks", "live"),
    [
        (1000.0, [], True),
        (1000.0, [task()], True),
        (60.0, [task(lagging_since_s=0.0)], True),
        (60.1, [task(lagging_since_s=0.0)], False),
        (60.1, [task(), task("other", lagging_since_s=0.0)], False),
    ],
)
async def test_a_task_that_moves_nothing_while_work_waits_is_not_live(now_s, tasks, live):
    health = Health(clock_s=lambda: now_s, tasks=tasks)
    assert health.live().ok == live
    assert (await health.ready()).ok == live


@pytest.mark.parametrize(
    ("checks", "tasks", "report"),
    [
        ({}, [], Report(ok=True, checks={})),
        ({"database": well}, [task()], Report(ok=True, checks={"database": "ok", "work": "ok"})),
        (
            {"database": away, "other": well},
            [],
            Report(ok=False, checks={"database": "does not answer", "other": "ok"}),
        ),
        ({}, [task(ready=False)], Report(ok=False, checks={"work": "not started"})),
        ({"slow": hangs}, [], Report(ok=False, checks={"slow": "no answer within 0.05 s"})),
    ],
)
async def test_ready_when_all_checks_answer_and_all_tasks_run(monkeypatch, checks, tasks, report):
    monkeypatch.setattr(health, "CHECK_TIMEOUT_S", 0.05)
    assert await Health(checks=checks, tasks=tasks).ready() == report


def test_metrics_show_progress_and_requests():
    metrics = Metrics("billing")
    metrics.watch([Progress("work", handled=3, dead=1, dropped=1, retries=2, lag=4, moved_s=0.0)])
    metrics.gauge("outbox_rows", "Rows that wait", lambda: 7)
    metrics.answered("GET", "/v1/invoices/{id}", 200, 0.02)
    shown = metrics.expose().decode()
    for line in (
        'task_handled_total{task="work"} 3.0',
        'task_dead_letters_total{task="work"} 1.0',
        'task_dropped_total{task="work"} 1.0',
        'task_partitions_paused{task="work"} 0.0',
        'task_retries_total{task="work"} 2.0',
        'task_lag{task="work"} 4.0',
        "outbox_rows 7.0",
        'http_requests_total{method="GET",route="/v1/invoices/{id}",status="200"} 1.0',
        'http_request_seconds_bucket{le="0.025",method="GET",route="/v1/invoices/{id}"} 1.0',
        'target_info{service="billing"} 1.0',
    ):
        assert line in shown, line
    assert 'task_seconds_since_progress{task="work"}' in shown


def test_two_registries_in_one_process_do_not_meet():
    Metrics("billing").answered("GET", "/a", 200, 0.0)
    assert "/a" not in Metrics("ledger").expose().decode()


def test_metrics_show_how_full_disks_are_and_pass_over_those_that_are_gone(tmp_path):
    metrics = Metrics("ledger")
    metrics.disks([str(tmp_path), str(tmp_path / "gone")])
    lines = metrics.expose().decode().splitlines()
    [size] = [line for line in lines if line.startswith("disk_bytes{")]
    [free] = [line for line in lines if line.startswith("disk_free_bytes{")]
    assert f'path="{tmp_path}"' in size
    assert f'path="{tmp_path}"' in free
    assert 0 < float(free.split()[-1]) <= float(size.split()[-1])
