"""What ingest reads from its environment."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field

from gridtally.service.settings import ServiceSettings

ORIGIN = r"https?://[a-z0-9.:\[\]-]+"


class Settings(ServiceSettings):
    """Ingest's own settings, beside those of every service."""

    announce_delay_s: float = Field(default=2, ge=0, le=300)
    """How long changes of an incomplete channel-day are gathered before they are published."""
    revision_delay_s: float = Field(default=2, ge=0, le=3600)
    """How long a closed period must be unchanged before its next revision."""
    batch_messages_max: int = Field(default=10_000, ge=1, le=50_000)
    """The most messages of readings in one transaction."""
    pending_block_days: int = Field(default=400, ge=1, le=3_650)
    """How long a block may be pending for its meter; then it is dropped and counted."""
    pending_blocks_max: int = Field(default=200_000, ge=1)
    """The most pending blocks of one tenant; further ones are dropped and counted."""
    device_event_days: int = Field(default=1_100, ge=30, le=3_650)
    """How long events of devices are kept; then they are deleted."""
    websocket_origins: str = Field(default="", pattern=rf"^({ORIGIN}(,{ORIGIN})*)?$")
    """Origins (`https://host`), with commas between them, of pages that may open WebSockets."""

    archive_directory: Path | None = None
    """Where months go that are older than their tenants keep in the database; the same one for all
    processes. Without it nothing is archived."""

    @property
    def announce_delay(self) -> timedelta:
        """`announce_delay_s` as a duration."""
        return timedelta(seconds=self.announce_delay_s)

    @property
    def revision_delay(self) -> timedelta:
        """`revision_delay_s` as a duration."""
        return timedelta(seconds=self.revision_delay_s)

    @property
    def allowed_origins(self) -> frozenset[str]:
        """`websocket_origins` one by one."""
        return frozenset(filter(None, self.websocket_origins.split(",")))
