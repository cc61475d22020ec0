"""Billing's drafts in memory, for tenants of whom none approves unless a test says so."""

from dataclasses import replace

from doubles.billing.store import Store


class Drafts(Store):
    """As `store.drafts`, as far as the handlers of periods need it."""

    async def fetch_approving(self, read, tenants):
        """Those of these tenants that approve their invoices."""
        return self.tables.approving & set(tenants)

    async def fetch_drafts(self, read, keys):
        """The drafts of these periods."""
        return {key: self.tables.drafts[key] for key in keys if key in self.tables.drafts}

    async def upsert_drafts(self, tx, drafts):
        """Drafts in the place of those of their periods."""
        self.tables.drafts |= {draft.key: draft for same in drafts.values() for draft in same}

    async def delete_drafts(self, tx, keys):
        """These periods have no draft any more."""
        for key in keys:
            self.tables.drafts.pop(key, None)

    async def update_decisions(self, tx, drafts):
        """What was decided of these drafts."""
        for draft in drafts:
            self.tables.drafts[draft.key] = replace(draft)
