"""Due days of billing in memory, where no day is ever due."""

from doubles.billing.store import Store


class DueDays(Store):
    """As `store.due_days`, for whom no day is ever due: daily costs have no double."""

    async def mark_due_by_tariff(self, tx, versions):
        """No day is stored."""

    async def mark_due_by_agreement(self, tx, agreements):
        """No day is stored."""

    async def mark_due_by_prices(self, tx, changed):
        """No day is stored."""
