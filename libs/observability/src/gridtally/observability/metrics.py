"""Metrics: what a process counts and measures, in Prometheus' text format.

Owns one registry per process, made at its start; nothing registers itself at import. Names end in
their unit. Labels are bounded: the route's template, never the path of a request.
"""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gridtally.observability.health import Progress

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The registry of one process and the HTTP figures that every service has."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry(target_info={"service": service})
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._requests = Counter(
            "http_requests",
            "Requests answered, by method, route template and status",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._request_seconds = Histogram(
            "http_request_seconds",
            "How long requests took, by method and route template",
            ["method", "route"],
            buckets=_SECONDS,
            registry=self.registry,
        )

    def answered(self, method: str, route: str, status: int, took_s: float) -> None:
        """Count an answered request, which took so many seconds."""
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(method, route).observe(took_s)

    def watch(self, tasks: Iterable[Progress]) -> None:
        """Show the progress of background tasks, read at each scrape."""
        self.registry.register(_ProgressCollector(tuple(tasks)))

    def gauge(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """Show `read()` as the gauge `name`, read at each scrape."""
        self.registry.register(_GaugeCollector(name, help_text, read))

    def disks(self, paths: Sequence[str]) -> None:
        """Show how full the file systems are that these paths lie on, read at each scrape."""
        self.registry.register(_DiskCollector(tuple(paths)))

    def expose(self) -> bytes:
        """Everything, in the text format 0.0.4."""
        return generate_latest(self.registry)


class _GaugeCollector(Collector):
    def __init__(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        self._name, self._help_text, self._read = name, help_text, read

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(self._name, self._help_text, value=self._read())

    def describe(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(self._name, self._help_text)


class _DiskCollector(Collector):
    """What is free to whoever is not root. A path that is gone shows nothing, which is alerted as
    little as a process that is: `up` tells of it."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        self._paths = paths

    def collect(self) -> Iterable[Metric]:
        size = GaugeMetricFamily("disk_bytes", "Size of the file system", labels=["path"])
        free = GaugeMetricFamily("disk_free_bytes", "What is free of it", labels=["path"])
        for path in self._paths:
            with suppress(OSError):
                disk = os.statvfs(path)
                size.add_metric([path], disk.f_blocks * disk.f_frsize)
                free.add_metric([path], disk.f_bavail * disk.f_frsize)
        yield from (size, free)


class _ProgressCollector(Collector):
    def __init__(self, tasks: tuple[Progress, ...]) -> None:
        self._tasks = tasks

    def collect(self) -> Iterable[Metric]:
        handled = CounterMetricFamily("task_handled", "Messages or rows handled", labels=["task"])
        dead = CounterMetricFamily(
            "task_dead_letters", "Messages that became dead letters", labels=["task"]
        )
        dropped = CounterMetricFamily(
            "task_dropped",
            "Messages or rows that were dropped, since a tenant's quota was full",
            labels=["task"],
        )
        paused = GaugeMetricFamily(
            "task_partitions_paused", "Partitions that bring only dead letters", labels=["task"]
        )
        retries = CounterMetricFamily("task_retries", "Attempts repeated", labels=["task"])
        lag = GaugeMetricFamily("task_lag", "Messages or rows that are pending", labels=["task"])
        idle = GaugeMetricFamily(
            "task_seconds_since_progress", "Seconds since the task last moved", labels=["task"]
        )
        for task in self._tasks:
            label = [task.name]
            handled.add_metric(label, task.handled)
            dead.add_metric(label, task.dead)
            dropped.add_metric(label, task.dropped)
            paused.add_metric(label, task.paused)
            retries.add_metric(label, task.retries)
            lag.add_metric(label, task.lag)
            if task.moved_s is not None:
                idle.add_metric(label, time.monotonic() - task.moved_s)
        yield from (handled, dead, dropped, paused, retries, lag, idle)
