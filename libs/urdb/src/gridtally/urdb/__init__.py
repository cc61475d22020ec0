"""Import of OpenEI's Utility Rate Database (URDB): a record in, a native tariff document out.

Owns the conventions that a record leaves to its reader, and a report of all that is not in the
result. Format: https://openei.org/services/doc/rest/util_rates/?version=8. Refuses what it would
have to guess.
"""

from gridtally.urdb.importer import Export, Imported, Incomplete, import_record, looks_like_urdb
from gridtally.urdb.record import Note
from gridtally.urdb.schedule import HolidayRule
from gridtally.urdb.supplements import Supplements

__all__ = [
    "Export",
    "HolidayRule",
    "Imported",
    "Incomplete",
    "Note",
    "Supplements",
    "import_record",
    "looks_like_urdb",
]
