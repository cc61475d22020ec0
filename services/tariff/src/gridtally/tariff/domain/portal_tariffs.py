"""Portal tariffs: what a customer portal's document comes to as a version of a tariff."""

from dataclasses import replace

from gridtally.portal_tariffs import Incomplete, Note, import_portal_tariff
from gridtally.tariff.domain.tariff_versions import Terms
from gridtally.tariff.domain.tariffs import Tariff


def imported_terms(
    tariff: Tariff, portal_terms: Terms, incomplete: Incomplete
) -> tuple[Terms, tuple[Note, ...]]:
    """Terms with a native document in place of the portal's, and notes on what is not in it.

    The document is read on the clock and in the currency of the tariff. Rejected, with the path of
    each fault in it, where it cannot be imported.
    """
    imported = import_portal_tariff(
        portal_terms.document, zone=tariff.zone, currency=tariff.currency, incomplete=incomplete
    )
    return replace(portal_terms, document=imported.document), imported.notes
