"""Ingest's composition root."""

from gridtally.ingest.api import API, ROUTERS
from gridtally.ingest.consumers import adoptions, subscriptions
from gridtally.ingest.handlers.live_readings import LiveReadings
from gridtally.ingest.handlers.readings import Recorder
from gridtally.ingest.loops import loops
from gridtally.ingest.settings import Settings
from gridtally.ingest.store.archive.archive import Archive
from gridtally.ingest.store.archive.folders import Folders
from gridtally.ingest.store.meters import Meters
from gridtally.ingest.store.partitions import Partitions
from gridtally.service.dead_letters import with_dead_letters
from gridtally.service.service import Loop, Parts, Process, Service

OPEN_PATHS = ("/v1/readings", "/v1/imports")
"""Whose blocks go to their topic, whatever this database knows."""


def build(process: Process[Settings]) -> Parts:
    """What a process of ingest runs; all of its parts record by one Recorder."""
    partitions = Partitions()
    archive = Archive(Folders(process.settings.archive_directory), partitions)
    recorder = Recorder(
        Meters(),
        partitions,
        archive,
        process.settings.announce_delay,
        process.settings.pending_blocks_max,
    )
    live = LiveReadings(
        process.settings.kafka_bootstrap_servers,
        process.clock,
        process.stop,
        access=process.settings.broker_access,
    )
    return with_dead_letters(
        process,
        Parts(
            routers=ROUTERS,
            subscriptions=subscriptions(process, recorder),
            loops=loops(process, recorder),
            api_loops=[Loop("ingest.live_readings", live.run)],
            state={
                "recorder": recorder,
                "archive": archive,
                "publisher": process.publisher,
                "live": live,
                "websocket_origins": process.settings.allowed_origins,
            },
            api=API,
            adoptions=adoptions(process, recorder),
            open_paths=OPEN_PATHS,
        ),
    )


SERVICE = Service("ingest", __package__, Settings, build)
