"""Contracts ↔ domain: `blocks` for readings that come in, `messages` for all other events."""

from gridtally.contracts.envelope import source_of

SOURCE = source_of("ingest")
SOURCE_UNNAMED = f"{SOURCE}/unnamed"
"""Of blocks that came over HTTP without an `event_id`: theirs is made of content and arrival."""
SOURCE_IMPORTS = f"{SOURCE}/imports"
"""How the source of the blocks of imported files begins; the import's id follows."""
SOURCE_ESTIMATES = f"{SOURCE}/estimates"
"""Of blocks that are made here, of what is missing when a period is to close."""
SOURCE_REGISTERS = f"{SOURCE}/registers"
"""Of blocks that are made here, of the readings of registers."""
