"""Owns how a single Apache Kafka node (KRaft) is fetched, formatted and run.

The jars come from Maven by the pinned coordinates of `kafka-pom.xml`; Java 17 or newer runs them.
"""

import re
import shutil
import signal
import socket
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from gridtally.local_stack import process
from gridtally.local_stack.cache import Report, silent
from gridtally.local_stack.errors import StackError, Unavailable
from gridtally.local_stack.maven import fetch_jars

POM = Path(__file__).with_name("kafka-pom.xml")
DATA, CONFIG, LOGGING_CONFIG = "data", "server.properties", "log4j2.properties"
JAVA_MIN = 17
FORMAT_LIMIT_S = 120.0
PROBE_LIMIT_S = 1.0
MESSAGE_BYTES_MAX = 10 * 1024 * 1024
JVM = (
    "-Xms256m",
    "-Xmx512m",
    "-XX:+ExitOnOutOfMemoryError",
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    "-Djava.awt.headless=true",
)
PROGRAM_ENVIRONMENT = ("env", "LC_ALL=C.UTF-8")
"""Java knows names of files in the locale's encoding, which may be ASCII only."""

# Sessions are short because a node that was killed waits for its own old session to end, but no
# shorter: on a busy machine a node that misses its own heartbeats takes all partitions away.
PROPERTIES = f"""\
process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
broker.heartbeat.interval.ms=1000
broker.session.timeout.ms=6000
group.initial.rebalance.delay.ms=0
message.max.bytes={MESSAGE_BYTES_MAX}
replica.fetch.max.bytes={MESSAGE_BYTES_MAX}
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
"""

LOGGING = """\
status=error
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %m (%c{1})%n%throwable
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
"""


@dataclass(frozen=True, slots=True)
class Kafka:
    """Apache Kafka from a folder of jars: one node, broker and controller in one process."""

    title: str
    java: str
    jars: Path
    folder: str = "kafka"
    process_name: str = "java"
    stop_signal: signal.Signals = signal.SIGTERM
    start_limit_s: float = 120.0

    def prepare(self, directory: Path) -> None:
        """Give the data directory its cluster id, once."""
        directory.chmod(0o700)  # readings are private
        if (directory / DATA).exists():
            return
        draft = directory / f"{DATA}.new"
        shutil.rmtree(draft, ignore_errors=True)
        _write_properties(directory, process.free_port(), draft.name)
        storage_tool = self._java("kafka.tools.StorageTool")
        log = directory / "format.log"
        formatting = process.spawn(
            [*storage_tool, "format", "--config", CONFIG, "--cluster-id", uuid4().hex[:22]],
            log=log,
            cwd=directory,
        )
        if process.finish(formatting, "formatting Kafka's folder", FORMAT_LIMIT_S) != 0:
            said = process.last_lines(log)
            raise StackError(f"{self.title} could not format {directory}; its log ends:\n{said}")
        draft.rename(directory / DATA)

    def user(self, directory: Path) -> process.User:
        """The user who started the stack."""
        del directory
        return "own"

    def command(self, directory: Path, port: int) -> list[str]:
        """The broker on `port`; its controller takes any free one."""
        _write_properties(directory, port, DATA)
        return [*self._java("kafka.Kafka"), CONFIG]

    def environment(self, port: int) -> None:
        """Ours."""

    def is_ready(self, directory: Path, port: int, pid: int) -> bool:
        """Whether it answers a metadata request with itself in it."""
        del directory, pid
        return answers_metadata(port)

    def _java(self, main_class: str) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={LOGGING_CONFIG}"
        return [*PROGRAM_ENVIRONMENT, self.java, *JVM, logging, "-cp", f"{self.jars}/*", main_class]


def kafka(cache: Path, report: Report = silent) -> Kafka:
    """Apache Kafka with its jars below `cache`, fetched when they are not there.

    Raises Unavailable with the reason where there is no Java, or no Maven to fetch with.
    """
    java = shutil.which("java")
    if java is None:
        raise Unavailable(f"Apache Kafka needs Java {JAVA_MIN} or newer, and there is none")
    version_text = subprocess.run(
        [java, "-version"], capture_output=True, text=True, check=False
    ).stderr
    if java_major(version_text) < JAVA_MIN:
        raise Unavailable(
            f"Apache Kafka needs Java {JAVA_MIN} or newer, not {version_text.splitlines()[0]}"
        )
    jars = fetch_jars(cache, "kafka", "Apache Kafka", POM, report)
    (core,) = jars.glob("kafka_2.13-*.jar")
    return Kafka(f"Apache Kafka {core.stem.partition('-')[2]}", java, jars)


def java_major(version_text: str) -> int:
    """The feature release in what `java -version` prints; 0 when it is not to be found."""
    match = re.search(r'version "(?:1\.)?(\d+)', version_text)
    return int(match[1]) if match else 0


def answers_metadata(port: int) -> bool:
    """Whether a Kafka broker on this port of loopback names at least one broker.

    Sends Metadata version 1 for no topics: the smallest question that a broker answers only once
    it serves (https://kafka.apache.org/protocol#The_Messages_Metadata).
    """
    body = struct.pack(">hhih4si", 3, 1, 7, 4, b"wait", 0)
    try:
        with socket.create_connection((process.LOOPBACK, port), PROBE_LIMIT_S) as connection:
            connection.settimeout(PROBE_LIMIT_S)
            connection.sendall(struct.pack(">i", len(body)) + body)
            head = connection.recv(12, socket.MSG_WAITALL)
    except OSError:
        return False
    return len(head) == 12 and struct.unpack(">iii", head)[2] > 0


def _write_properties(directory: Path, port: int, data: str) -> None:
    """For a broker that works in `directory`: names in it, since a path may hold what separates
    Kafka's lists or is no ASCII."""
    (directory / LOGGING_CONFIG).write_text(LOGGING)
    controller = process.free_port()
    (directory / CONFIG).write_text(
        f"{PROPERTIES}"
        f"log.dirs={data}\n"
        f"listeners=PLAINTEXT://{process.LOOPBACK}:{port},"
        f"CONTROLLER://{process.LOOPBACK}:{controller}\n"
        f"controller.quorum.voters=1@{process.LOOPBACK}:{controller}\n"
    )
