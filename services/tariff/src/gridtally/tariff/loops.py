"""What the tariff service does in the background: publish regions."""

from gridtally.service.polling import polling_loop
from gridtally.service.service import Loop, Process
from gridtally.tariff.handlers import regions
from gridtally.tariff.settings import Settings


def loops(process: Process[Settings]) -> list[Loop]:
    """One for regions that were not published as they are."""
    return [
        polling_loop("tariff.regions", regions.publish_regions, process.database, process.clock)
    ]
