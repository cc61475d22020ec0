"""Import of OpenEI's Utility Rate Database (URDB): a record in, a native tariff document out.

Owns the conventions that a record leaves to its reader, and a report of all that is not in the
result. Format: https://openei.org/services/doc/rest/util_rates/?version=8. Refuses what it would
have to guess.
"""

from rating.urdb.importing import Export, Imported, import_record, looks_like_urdb
from rating.urdb.record import Note
from rating.urdb.schedule import HolidayRule

__all__ = ["Export", "HolidayRule", "Imported", "Note", "import_record", "looks_like_urdb"]
