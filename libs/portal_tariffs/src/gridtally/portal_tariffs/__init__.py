"""Import of portal tariffs: what a customer portal stores in, a native tariff document out.

Owns the conventions that such a document leaves to its reader, and a report of all that is not in
the result. Refuses what it would have to guess.
"""

from gridtally.portal_tariffs.importer import Imported, Incomplete, import_portal_tariff
from gridtally.portal_tariffs.report import Note, NoteKind

__all__ = ["Imported", "Incomplete", "Note", "NoteKind", "import_portal_tariff"]
