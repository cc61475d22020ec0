"""The operations of simulation. Generated from docs/openapi/simulation.json by `make docs`."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from gridtally.client.downloads import AsyncDownload, Download
from gridtally.client.generated import simulation_models as models
from gridtally.client.transports import AsyncOperations, Operations


class Simulation(Operations):
    """The operations of simulation."""

    def create_simulation_run(
        self, body: models.NewRun, *, idempotency_key: str | None = None
    ) -> models.SimulationRun:
        """Create a run, which is PENDING until it is started; the same again answers 200."""
        return self._call(
            models.SimulationRun,
            "POST",
            "/v1/simulation-runs",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_simulation_runs(
        self,
        *,
        status: Literal["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"] | None = None,
        source: Literal["stored", "generated"] | None = None,
        topology_root_node_id: UUID | None = None,
        billing_cycle_year: int | None = None,
        billing_cycle_month: int | None = None,
        sort: Literal["created_at", "-created_at", "name", "-name"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.SimulationRun]:
        """Runs, oldest first unless another order is asked for."""
        return self._pages(
            models.PageOfSimulationRun,
            "GET",
            "/v1/simulation-runs",
            query={
                "status": status,
                "source": source,
                "topology_root_node_id": topology_root_node_id,
                "billing_cycle_year": billing_cycle_year,
                "billing_cycle_month": billing_cycle_month,
                "sort": sort,
                "limit": limit,
            },
        )

    def get_simulation_run(self, run_id: UUID) -> models.SimulationRun:
        """One run, and how far it is."""
        return self._call(
            models.SimulationRun, "GET", "/v1/simulation-runs/{run_id}", parts={"run_id": run_id}
        )

    def replace_simulation_run(
        self, run_id: UUID, body: models.RunTerms, *, if_match: int | str | None = None
    ) -> models.SimulationRun:
        """Put another run in its place; only while it is PENDING."""
        return self._call(
            models.SimulationRun,
            "PUT",
            "/v1/simulation-runs/{run_id}",
            parts={"run_id": run_id},
            body=body,
            if_match=if_match,
        )

    def change_simulation_run(
        self, run_id: UUID, body: models.RunChange, *, if_match: int | str | None = None
    ) -> models.SimulationRun:
        """Change what is named; only while it is PENDING."""
        return self._call(
            models.SimulationRun,
            "PATCH",
            "/v1/simulation-runs/{run_id}",
            parts={"run_id": run_id},
            body=body,
            if_match=if_match,
        )

    def delete_simulation_run(self, run_id: UUID, *, if_match: int | str | None = None) -> None:
        """Delete a run with its house bills; one that is RUNNING must be cancelled before."""
        self._do(
            "DELETE", "/v1/simulation-runs/{run_id}", parts={"run_id": run_id}, if_match=if_match
        )

    def start_simulation_run(
        self, run_id: UUID, *, if_match: int | str | None = None
    ) -> models.SimulationRun:
        """Start a run; its houses and tariff are those of this moment. A second start is
        refused.
        """
        return self._call(
            models.SimulationRun,
            "POST",
            "/v1/simulation-runs/{run_id}/start",
            parts={"run_id": run_id},
            if_match=if_match,
        )

    def cancel_simulation_run(
        self, run_id: UUID, *, if_match: int | str | None = None
    ) -> models.SimulationRun:
        """Cancel a run that is PENDING or RUNNING; none of its bills is left."""
        return self._call(
            models.SimulationRun,
            "POST",
            "/v1/simulation-runs/{run_id}/cancel",
            parts={"run_id": run_id},
            if_match=if_match,
        )

    def copy_simulation_run(
        self,
        run_id: UUID,
        body: models.RunCopy | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> models.SimulationRun:
        """Create a PENDING run that says the same as this one, whatever has become of it."""
        return self._call(
            models.SimulationRun,
            "POST",
            "/v1/simulation-runs/{run_id}/copy",
            parts={"run_id": run_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_house_bills(
        self,
        run_id: UUID,
        *,
        sort: Literal[
            "house_node_id",
            "-house_node_id",
            "house_name",
            "-house_name",
            "calculated_bill_amount",
            "-calculated_bill_amount",
            "total_energy_imported_kwh",
            "-total_energy_imported_kwh",
            "total_energy_exported_kwh",
            "-total_energy_exported_kwh",
            "net_energy_balance_kwh",
            "-net_energy_balance_kwh",
        ]
        | None = None,
        limit: int | None = None,
        house_node_id: UUID | None = None,
        amount_from: Decimal | None = None,
        amount_to: Decimal | None = None,
        net_exporters: bool | None = None,
    ) -> Iterator[models.HouseBill]:
        """The bills of a run's houses; none while it is not COMPLETED."""
        return self._pages(
            models.PageOfHouseBill,
            "GET",
            "/v1/simulation-runs/{run_id}/house-bills",
            parts={"run_id": run_id},
            query={
                "sort": sort,
                "limit": limit,
                "house_node_id": house_node_id,
                "amount_from": amount_from,
                "amount_to": amount_to,
                "net_exporters": net_exporters,
            },
        )

    def get_house_bill(self, run_id: UUID, house_node_id: UUID) -> models.HouseBill:
        """The bill of one house."""
        return self._call(
            models.HouseBill,
            "GET",
            "/v1/simulation-runs/{run_id}/house-bills/{house_node_id}",
            parts={"run_id": run_id, "house_node_id": house_node_id},
        )

    def get_house_bill_totals(
        self,
        run_id: UUID,
        *,
        house_node_id: UUID | None = None,
        amount_from: Decimal | None = None,
        amount_to: Decimal | None = None,
        net_exporters: bool | None = None,
    ) -> models.BillTotals:
        """What the bills come to together, and the extremes among them."""
        return self._call(
            models.BillTotals,
            "GET",
            "/v1/simulation-runs/{run_id}/totals",
            parts={"run_id": run_id},
            query={
                "house_node_id": house_node_id,
                "amount_from": amount_from,
                "amount_to": amount_to,
                "net_exporters": net_exporters,
            },
        )

    def export_house_bills(
        self,
        run_id: UUID,
        *,
        house_node_id: UUID | None = None,
        amount_from: Decimal | None = None,
        amount_to: Decimal | None = None,
        net_exporters: bool | None = None,
    ) -> None:
        """The bills as a CSV file, in the order of the houses' ids."""
        self._do(
            "GET",
            "/v1/simulation-runs/{run_id}/house-bills.csv",
            parts={"run_id": run_id},
            query={
                "house_node_id": house_node_id,
                "amount_from": amount_from,
                "amount_to": amount_to,
                "net_exporters": net_exporters,
            },
        )

    def get_house_profile_file(self, run_id: UUID, house_node_id: UUID) -> None:
        """A house's whole year in quarters of an hour: time, load, solar, net, import and
        export, in kWh; of the year of the run's billing month.
        """
        self._do(
            "GET",
            "/v1/simulation-runs/{run_id}/houses/{house_node_id}/profile.csv",
            parts={"run_id": run_id, "house_node_id": house_node_id},
        )

    def export_profiles(self, run_id: UUID) -> None:
        """The profiles of all houses, `<house>/profile.csv` each, sent while they are made."""
        self._do("GET", "/v1/simulation-runs/{run_id}/profiles.zip", parts={"run_id": run_id})

    def create_simulation_comparison(
        self, body: models.NewComparison, *, idempotency_key: str | None = None
    ) -> models.SimulationComparison:
        """Create a comparison, which is PENDING until it is started; the same again answers 200."""
        return self._call(
            models.SimulationComparison,
            "POST",
            "/v1/simulation-comparisons",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_simulation_comparisons(
        self,
        *,
        status: Literal["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"] | None = None,
        topology_root_node_id: UUID | None = None,
        repeat_of: UUID | None = None,
        sort: Literal["created_at", "-created_at", "name", "-name"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.SimulationComparison]:
        """Comparisons, oldest first unless another order is asked for."""
        return self._pages(
            models.PageOfSimulationComparison,
            "GET",
            "/v1/simulation-comparisons",
            query={
                "status": status,
                "topology_root_node_id": topology_root_node_id,
                "repeat_of": repeat_of,
                "sort": sort,
                "limit": limit,
            },
        )

    def get_simulation_comparison(self, comparison_id: UUID) -> models.SimulationComparison:
        """One comparison, and how far it is."""
        return self._call(
            models.SimulationComparison,
            "GET",
            "/v1/simulation-comparisons/{comparison_id}",
            parts={"comparison_id": comparison_id},
        )

    def replace_simulation_comparison(
        self,
        comparison_id: UUID,
        body: models.ComparisonTerms,
        *,
        if_match: int | str | None = None,
    ) -> models.SimulationComparison:
        """Put another comparison in its place; only while it is PENDING."""
        return self._call(
            models.SimulationComparison,
            "PUT",
            "/v1/simulation-comparisons/{comparison_id}",
            parts={"comparison_id": comparison_id},
            body=body,
            if_match=if_match,
        )

    def delete_simulation_comparison(
        self, comparison_id: UUID, *, if_match: int | str | None = None
    ) -> None:
        """Delete a comparison with its results; one that is RUNNING must be cancelled before."""
        self._do(
            "DELETE",
            "/v1/simulation-comparisons/{comparison_id}",
            parts={"comparison_id": comparison_id},
            if_match=if_match,
        )

    def start_simulation_comparison(
        self, comparison_id: UUID, *, if_match: int | str | None = None
    ) -> models.SimulationComparison:
        """Start a comparison; its houses and tariffs are those of this moment, and are stored. A
        second start is refused.
        """
        return self._call(
            models.SimulationComparison,
            "POST",
            "/v1/simulation-comparisons/{comparison_id}/start",
            parts={"comparison_id": comparison_id},
            if_match=if_match,
        )

    def cancel_simulation_comparison(
        self, comparison_id: UUID, *, if_match: int | str | None = None
    ) -> models.SimulationComparison:
        """Cancel a comparison that is PENDING or RUNNING; nothing of its results is left."""
        return self._call(
            models.SimulationComparison,
            "POST",
            "/v1/simulation-comparisons/{comparison_id}/cancel",
            parts={"comparison_id": comparison_id},
            if_match=if_match,
        )

    def repeat_simulation_comparison(
        self,
        comparison_id: UUID,
        body: models.Repetition | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> models.SimulationComparison:
        """Start a comparison over the same houses and tariffs as a COMPLETED one had, whatever
        has become of them. Its results say which houses' readings have changed since.
        """
        return self._call(
            models.SimulationComparison,
            "POST",
            "/v1/simulation-comparisons/{comparison_id}/repeat",
            parts={"comparison_id": comparison_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def get_comparison_results(
        self, comparison_id: UUID, *, bins: int | None = None
    ) -> models.ComparisonResults:
        """What each scenario brings, who gains and who loses, by component and by month."""
        return self._call(
            models.ComparisonResults,
            "GET",
            "/v1/simulation-comparisons/{comparison_id}/results",
            parts={"comparison_id": comparison_id},
            query={"bins": bins},
        )

    def list_compared_houses(
        self,
        comparison_id: UUID,
        *,
        scenario: int | None = None,
        outcome: Literal["winner", "loser", "unchanged"] | None = None,
        house_node_id: UUID | None = None,
        sort: Literal[
            "house_node_id",
            "-house_node_id",
            "difference",
            "-difference",
            "amount",
            "-amount",
            "shifted_difference",
            "-shifted_difference",
            "total_energy_imported_kwh",
            "-total_energy_imported_kwh",
            "peak_kw",
            "-peak_kw",
        ]
        | None = None,
        limit: int | None = None,
    ) -> Iterator[models.ComparedHouse]:
        """The houses by a scenario; none while the comparison is not COMPLETED. In the order of
        `shifted_difference` are those whose use has moved, and `outcome` is theirs after
        that.
        """
        return self._pages(
            models.PageOfComparedHouse,
            "GET",
            "/v1/simulation-comparisons/{comparison_id}/houses",
            parts={"comparison_id": comparison_id},
            query={
                "scenario": scenario,
                "outcome": outcome,
                "house_node_id": house_node_id,
                "sort": sort,
                "limit": limit,
            },
        )

    def export_compared_houses(
        self, comparison_id: UUID, *, format: Literal["csv", "parquet", "xlsx"] | None = None
    ) -> AbstractContextManager[Download]:
        """Every house by every scenario, as a file."""
        return self._download(
            "GET",
            "/v1/simulation-comparisons/{comparison_id}/houses/export",
            parts={"comparison_id": comparison_id},
            query={"format": format},
        )

    def export_scenario_revenue(
        self, comparison_id: UUID, *, format: Literal["csv", "parquet", "xlsx"] | None = None
    ) -> AbstractContextManager[Download]:
        """The revenue of every scenario by month and component, as a file."""
        return self._download(
            "GET",
            "/v1/simulation-comparisons/{comparison_id}/revenue/export",
            parts={"comparison_id": comparison_id},
            query={"format": format},
        )

    def create_simulation_policy(self, body: models.NewPolicy) -> models.SimulationPolicy:
        """Store a policy; the same again answers 200 with what exists."""
        return self._call(models.SimulationPolicy, "POST", "/v1/simulation-policies", body=body)

    def list_simulation_policies(
        self,
        *,
        type: Literal["SIMPLE_NET", "GROSS_METERING", "TOU_RATE", "TARIFF"] | None = None,
        sort: Literal["created_at", "-created_at", "name", "-name"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.SimulationPolicy]:
        """Policies, oldest first unless another order is asked for."""
        return self._pages(
            models.PageOfSimulationPolicy,
            "GET",
            "/v1/simulation-policies",
            query={"type": type, "sort": sort, "limit": limit},
        )

    def get_simulation_policy(self, policy_id: UUID) -> models.SimulationPolicy:
        """One policy, with the tariff that it stands for."""
        return self._call(
            models.SimulationPolicy,
            "GET",
            "/v1/simulation-policies/{policy_id}",
            parts={"policy_id": policy_id},
        )

    def replace_simulation_policy(
        self, policy_id: UUID, body: models.PolicyTerms, *, if_match: int | str | None = None
    ) -> models.SimulationPolicy:
        """Put another policy in its place; runs that have a copy of it stay as they are."""
        return self._call(
            models.SimulationPolicy,
            "PUT",
            "/v1/simulation-policies/{policy_id}",
            parts={"policy_id": policy_id},
            body=body,
            if_match=if_match,
        )

    def change_simulation_policy(
        self, policy_id: UUID, body: models.PolicyChange, *, if_match: int | str | None = None
    ) -> models.SimulationPolicy:
        """Change what is named; runs that have a copy of it stay as they are."""
        return self._call(
            models.SimulationPolicy,
            "PATCH",
            "/v1/simulation-policies/{policy_id}",
            parts={"policy_id": policy_id},
            body=body,
            if_match=if_match,
        )

    def delete_simulation_policy(
        self, policy_id: UUID, *, if_match: int | str | None = None
    ) -> None:
        """Delete a policy; runs that have a copy of it stay as they are."""
        self._do(
            "DELETE",
            "/v1/simulation-policies/{policy_id}",
            parts={"policy_id": policy_id},
            if_match=if_match,
        )

    def get_house_profile(self, house_node_id: UUID) -> models.HouseProfile:
        """The house's own profile."""
        return self._call(
            models.HouseProfile,
            "GET",
            "/v1/house-profiles/{house_node_id}",
            parts={"house_node_id": house_node_id},
        )

    def replace_house_profile(
        self, house_node_id: UUID, body: models.ProfileTerms
    ) -> models.HouseProfile:
        """Set the house's own profile, in the place of the one before; runs that were started
        before stay as they are.
        """
        return self._call(
            models.HouseProfile,
            "PUT",
            "/v1/house-profiles/{house_node_id}",
            parts={"house_node_id": house_node_id},
            body=body,
        )

    def delete_house_profile(self, house_node_id: UUID) -> None:
        """Delete the house's own profile."""
        self._do(
            "DELETE", "/v1/house-profiles/{house_node_id}", parts={"house_node_id": house_node_id}
        )

    def list_dead_letters(
        self,
        *,
        topic: str | None = None,
        reason: str | None = None,
        status: Literal["open", "replayed", "discarded"] | None = None,
        from_: datetime | date | None = None,
        to: datetime | date | None = None,
        limit: int | None = None,
    ) -> Iterator[models.DeadLetter]:
        """Letters without their values, the newest first; `from` and `to` are of when a message
        was given up.
        """
        return self._pages(
            models.PageOfDeadLetter,
            "GET",
            "/v1/dead-letters",
            query={
                "topic": topic,
                "reason": reason,
                "status": status,
                "from": from_,
                "to": to,
                "limit": limit,
            },
        )

    def count_dead_letters(self) -> models.DeadLetterCounts:
        """How many letters are open, were dropped, or expired, by topic."""
        return self._call(models.DeadLetterCounts, "GET", "/v1/dead-letters/counts")

    def get_dead_letter(self, dead_letter_id: UUID) -> models.DeadLetterWithValue:
        """One letter with its key, headers and value."""
        return self._call(
            models.DeadLetterWithValue,
            "GET",
            "/v1/dead-letters/{dead_letter_id}",
            parts={"dead_letter_id": dead_letter_id},
        )

    def replay_dead_letter(self, dead_letter_id: UUID) -> models.DeadLetterWithValue:
        """Handle the message once more as its consumer would by now; 409 with the reason where
        it is refused again, and then it stays open.
        """
        return self._call(
            models.DeadLetterWithValue,
            "POST",
            "/v1/dead-letters/{dead_letter_id}/replay",
            parts={"dead_letter_id": dead_letter_id},
        )

    def discard_dead_letter(
        self, dead_letter_id: UUID, body: models.Discard
    ) -> models.DeadLetterWithValue:
        """Give a letter up for good. Who did so, when and why stays with it; its value does not."""
        return self._call(
            models.DeadLetterWithValue,
            "POST",
            "/v1/dead-letters/{dead_letter_id}/discard",
            parts={"dead_letter_id": dead_letter_id},
            body=body,
        )

    def get_identity(self) -> models.Identity:
        """Show the tenant and the scopes of the caller's key, and the customer to whom the
        request is bound; any key in force may ask.
        """
        return self._call(models.Identity, "GET", "/v1/me")

    def register_key(self, body: models.NewKey) -> models.Key:
        """Register a key; the same again answers 200, anything else under its id 409."""
        return self._call(models.Key, "POST", "/v1/keys", body=body)

    def list_keys(
        self, *, tenant_id: str | None = None, limit: int | None = None
    ) -> Iterator[models.Key]:
        """List keys by their id, those that were revoked too."""
        return self._pages(
            models.PageOfKey, "GET", "/v1/keys", query={"tenant_id": tenant_id, "limit": limit}
        )

    def revoke_key(self, key_id: str) -> None:
        """Revoke a key for good; other processes notice within `KEY_CACHE_TTL_S`."""
        self._do("DELETE", "/v1/keys/{key_id}", parts={"key_id": key_id})


class AsyncSimulation(AsyncOperations):
    """The operations of simulation, for an event loop."""

    async def create_simulation_run(
        self, body: models.NewRun, *, idempotency_key: str | None = None
    ) -> models.SimulationRun:
        """Create a run, which is PENDING until it is started; the same again answers 200."""
        return await self._call(
            models.SimulationRun,
            "POST",
            "/v1/simulation-runs",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_simulation_runs(
        self,
        *,
        status: Literal["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"] | None = None,
        source: Literal["stored", "generated"] | None = None,
        topology_root_node_id: UUID | None = None,
        billing_cycle_year: int | None = None,
        billing_cycle_month: int | None = None,
        sort: Literal["created_at", "-created_at", "name", "-name"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.SimulationRun]:
        """Runs, oldest first unless another order is asked for."""
        return self._pages(
            models.PageOfSimulationRun,
            "GET",
            "/v1/simulation-runs",
            query={
                "status": status,
                "source": source,
                "topology_root_node_id": topology_root_node_id,
                "billing_cycle_year": billing_cycle_year,
                "billing_cycle_month": billing_cycle_month,
                "sort": sort,
                "limit": limit,
            },
        )

    async def get_simulation_run(self, run_id: UUID) -> models.SimulationRun:
        """One run, and how far it is."""
        return await self._call(
            models.SimulationRun, "GET", "/v1/simulation-runs/{run_id}", parts={"run_id": run_id}
        )

    async def replace_simulation_run(
        self, run_id: UUID, body: models.RunTerms, *, if_match: int | str | None = None
    ) -> models.SimulationRun:
        """Put another run in its place; only while it is PENDING."""
        return await self._call(
            models.SimulationRun,
            "PUT",
            "/v1/simulation-runs/{run_id}",
            parts={"run_id": run_id},
            body=body,
            if_match=if_match,
        )

    async def change_simulation_run(
        self, run_id: UUID, body: models.RunChange, *, if_match: int | str | None = None
    ) -> models.SimulationRun:
        """Change what is named; only while it is PENDING."""
        return await self._call(
            models.SimulationRun,
            "PATCH",
            "/v1/simulation-runs/{run_id}",
            parts={"run_id": run_id},
            body=body,
            if_match=if_match,
        )

    async def delete_simulation_run(
        self, run_id: UUID, *, if_match: int | str | None = None
    ) -> None:
        """Delete a run with its house bills; one that is RUNNING must be cancelled before."""
        await self._do(
            "DELETE", "/v1/simulation-runs/{run_id}", parts={"run_id": run_id}, if_match=if_match
        )

    async def start_simulation_run(
        self, run_id: UUID, *, if_match: int | str | None = None
    ) -> models.SimulationRun:
        """Start a run; its houses and tariff are those of this moment. A second start is
        refused.
        """
        return await self._call(
            models.SimulationRun,
            "POST",
            "/v1/simulation-runs/{run_id}/start",
            parts={"run_id": run_id},
            if_match=if_match,
        )

    async def cancel_simulation_run(
        self, run_id: UUID, *, if_match: int | str | None = None
    ) -> models.SimulationRun:
        """Cancel a run that is PENDING or RUNNING; none of its bills is left."""
        return await self._call(
            models.SimulationRun,
            "POST",
            "/v1/simulation-runs/{run_id}/cancel",
            parts={"run_id": run_id},
            if_match=if_match,
        )

    async def copy_simulation_run(
        self,
        run_id: UUID,
        body: models.RunCopy | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> models.SimulationRun:
        """Create a PENDING run that says the same as this one, whatever has become of it."""
        return await self._call(
            models.SimulationRun,
            "POST",
            "/v1/simulation-runs/{run_id}/copy",
            parts={"run_id": run_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_house_bills(
        self,
        run_id: UUID,
        *,
        sort: Literal[
            "house_node_id",
            "-house_node_id",
            "house_name",
            "-house_name",
            "calculated_bill_amount",
            "-calculated_bill_amount",
            "total_energy_imported_kwh",
            "-total_energy_imported_kwh",
            "total_energy_exported_kwh",
            "-total_energy_exported_kwh",
            "net_energy_balance_kwh",
            "-net_energy_balance_kwh",
        ]
        | None = None,
        limit: int | None = None,
        house_node_id: UUID | None = None,
        amount_from: Decimal | None = None,
        amount_to: Decimal | None = None,
        net_exporters: bool | None = None,
    ) -> AsyncIterator[models.HouseBill]:
        """The bills of a run's houses; none while it is not COMPLETED."""
        return self._pages(
            models.PageOfHouseBill,
            "GET",
            "/v1/simulation-runs/{run_id}/house-bills",
            parts={"run_id": run_id},
            query={
                "sort": sort,
                "limit": limit,
                "house_node_id": house_node_id,
                "amount_from": amount_from,
                "amount_to": amount_to,
                "net_exporters": net_exporters,
            },
        )

    async def get_house_bill(self, run_id: UUID, house_node_id: UUID) -> models.HouseBill:
        """The bill of one house."""
        return await self._call(
            models.HouseBill,
            "GET",
            "/v1/simulation-runs/{run_id}/house-bills/{house_node_id}",
            parts={"run_id": run_id, "house_node_id": house_node_id},
        )

    async def get_house_bill_totals(
        self,
        run_id: UUID,
        *,
        house_node_id: UUID | None = None,
        amount_from: Decimal | None = None,
        amount_to: Decimal | None = None,
        net_exporters: bool | None = None,
    ) -> models.BillTotals:
        """What the bills come to together, and the extremes among them."""
        return await self._call(
            models.BillTotals,
            "GET",
            "/v1/simulation-runs/{run_id}/totals",
            parts={"run_id": run_id},
            query={
                "house_node_id": house_node_id,
                "amount_from": amount_from,
                "amount_to": amount_to,
                "net_exporters": net_exporters,
            },
        )

    async def export_house_bills(
        self,
        run_id: UUID,
        *,
        house_node_id: UUID | None = None,
        amount_from: Decimal | None = None,
        amount_to: Decimal | None = None,
        net_exporters: bool | None = None,
    ) -> None:
        """The bills as a CSV file, in the order of the houses' ids."""
        await self._do(
            "GET",
            "/v1/simulation-runs/{run_id}/house-bills.csv",
            parts={"run_id": run_id},
            query={
                "house_node_id": house_node_id,
                "amount_from": amount_from,
                "amount_to": amount_to,
                "net_exporters": net_exporters,
            },
        )

    async def get_house_profile_file(self, run_id: UUID, house_node_id: UUID) -> None:
        """A house's whole year in quarters of an hour: time, load, solar, net, import and
        export, in kWh; of the year of the run's billing month.
        """
        await self._do(
            "GET",
            "/v1/simulation-runs/{run_id}/houses/{house_node_id}/profile.csv",
            parts={"run_id": run_id, "house_node_id": house_node_id},
        )

    async def export_profiles(self, run_id: UUID) -> None:
        """The profiles of all houses, `<house>/profile.csv` each, sent while they are made."""
        await self._do("GET", "/v1/simulation-runs/{run_id}/profiles.zip", parts={"run_id": run_id})

    async def create_simulation_comparison(
        self, body: models.NewComparison, *, idempotency_key: str | None = None
    ) -> models.SimulationComparison:
        """Create a comparison, which is PENDING until it is started; the same again answers 200."""
        return await self._call(
            models.SimulationComparison,
            "POST",
            "/v1/simulation-comparisons",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_simulation_comparisons(
        self,
        *,
        status: Literal["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"] | None = None,
        topology_root_node_id: UUID | None = None,
        repeat_of: UUID | None = None,
        sort: Literal["created_at", "-created_at", "name", "-name"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.SimulationComparison]:
        """Comparisons, oldest first unless another order is asked for."""
        return self._pages(
            models.PageOfSimulationComparison,
            "GET",
            "/v1/simulation-comparisons",
            query={
                "status": status,
                "topology_root_node_id": topology_root_node_id,
                "repeat_of": repeat_of,
                "sort": sort,
                "limit": limit,
            },
        )

    async def get_simulation_comparison(self, comparison_id: UUID) -> models.SimulationComparison:
        """One comparison, and how far it is."""
        return await self._call(
            models.SimulationComparison,
            "GET",
            "/v1/simulation-comparisons/{comparison_id}",
            parts={"comparison_id": comparison_id},
        )

    async def replace_simulation_comparison(
        self,
        comparison_id: UUID,
        body: models.ComparisonTerms,
        *,
        if_match: int | str | None = None,
    ) -> models.SimulationComparison:
        """Put another comparison in its place; only while it is PENDING."""
        return await self._call(
            models.SimulationComparison,
            "PUT",
            "/v1/simulation-comparisons/{comparison_id}",
            parts={"comparison_id": comparison_id},
            body=body,
            if_match=if_match,
        )

    async def delete_simulation_comparison(
        self, comparison_id: UUID, *, if_match: int | str | None = None
    ) -> None:
        """Delete a comparison with its results; one that is RUNNING must be cancelled before."""
        await self._do(
            "DELETE",
            "/v1/simulation-comparisons/{comparison_id}",
            parts={"comparison_id": comparison_id},
            if_match=if_match,
        )

    async def start_simulation_comparison(
        self, comparison_id: UUID, *, if_match: int | str | None = None
    ) -> models.SimulationComparison:
        """Start a comparison; its houses and tariffs are those of this moment, and are stored. A
        second start is refused.
        """
        return await self._call(
            models.SimulationComparison,
            "POST",
            "/v1/simulation-comparisons/{comparison_id}/start",
            parts={"comparison_id": comparison_id},
            if_match=if_match,
        )

    async def cancel_simulation_comparison(
        self, comparison_id: UUID, *, if_match: int | str | None = None
    ) -> models.SimulationComparison:
        """Cancel a comparison that is PENDING or RUNNING; nothing of its results is left."""
        return await self._call(
            models.SimulationComparison,
            "POST",
            "/v1/simulation-comparisons/{comparison_id}/cancel",
            parts={"comparison_id": comparison_id},
            if_match=if_match,
        )

    async def repeat_simulation_comparison(
        self,
        comparison_id: UUID,
        body: models.Repetition | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> models.SimulationComparison:
        """Start a comparison over the same houses and tariffs as a COMPLETED one had, whatever
        has become of them. Its results say which houses' readings have changed since.
        """
        return await self._call(
            models.SimulationComparison,
            "POST",
            "/v1/simulation-comparisons/{comparison_id}/repeat",
            parts={"comparison_id": comparison_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def get_comparison_results(
        self, comparison_id: UUID, *, bins: int | None = None
    ) -> models.ComparisonResults:
        """What each scenario brings, who gains and who loses, by component and by month."""
        return await self._call(
            models.ComparisonResults,
            "GET",
            "/v1/simulation-comparisons/{comparison_id}/results",
            parts={"comparison_id": comparison_id},
            query={"bins": bins},
        )

    def list_compared_houses(
        self,
        comparison_id: UUID,
        *,
        scenario: int | None = None,
        outcome: Literal["winner", "loser", "unchanged"] | None = None,
        house_node_id: UUID | None = None,
        sort: Literal[
            "house_node_id",
            "-house_node_id",
            "difference",
            "-difference",
            "amount",
            "-amount",
            "shifted_difference",
            "-shifted_difference",
            "total_energy_imported_kwh",
            "-total_energy_imported_kwh",
            "peak_kw",
            "-peak_kw",
        ]
        | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.ComparedHouse]:
        """The houses by a scenario; none while the comparison is not COMPLETED. In the order of
        `shifted_difference` are those whose use has moved, and `outcome` is theirs after
        that.
        """
        return self._pages(
            models.PageOfComparedHouse,
            "GET",
            "/v1/simulation-comparisons/{comparison_id}/houses",
            parts={"comparison_id": comparison_id},
            query={
                "scenario": scenario,
                "outcome": outcome,
                "house_node_id": house_node_id,
                "sort": sort,
                "limit": limit,
            },
        )

    def export_compared_houses(
        self, comparison_id: UUID, *, format: Literal["csv", "parquet", "xlsx"] | None = None
    ) -> AbstractAsyncContextManager[AsyncDownload]:
        """Every house by every scenario, as a file."""
        return self._download(
            "GET",
            "/v1/simulation-comparisons/{comparison_id}/houses/export",
            parts={"comparison_id": comparison_id},
            query={"format": format},
        )

    def export_scenario_revenue(
        self, comparison_id: UUID, *, format: Literal["csv", "parquet", "xlsx"] | None = None
    ) -> AbstractAsyncContextManager[AsyncDownload]:
        """The revenue of every scenario by month and component, as a file."""
        return self._download(
            "GET",
            "/v1/simulation-comparisons/{comparison_id}/revenue/export",
            parts={"comparison_id": comparison_id},
            query={"format": format},
        )

    async def create_simulation_policy(self, body: models.NewPolicy) -> models.SimulationPolicy:
        """Store a policy; the same again answers 200 with what exists."""
        return await self._call(
            models.SimulationPolicy, "POST", "/v1/simulation-policies", body=body
        )

    def list_simulation_policies(
        self,
        *,
        type: Literal["SIMPLE_NET", "GROSS_METERING", "TOU_RATE", "TARIFF"] | None = None,
        sort: Literal["created_at", "-created_at", "name", "-name"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.SimulationPolicy]:
        """Policies, oldest first unless another order is asked for."""
        return self._pages(
            models.PageOfSimulationPolicy,
            "GET",
            "/v1/simulation-policies",
            query={"type": type, "sort": sort, "limit": limit},
        )

    async def get_simulation_policy(self, policy_id: UUID) -> models.SimulationPolicy:
        """One policy, with the tariff that it stands for."""
        return await self._call(
            models.SimulationPolicy,
            "GET",
            "/v1/simulation-policies/{policy_id}",
            parts={"policy_id": policy_id},
        )

    async def replace_simulation_policy(
        self, policy_id: UUID, body: models.PolicyTerms, *, if_match: int | str | None = None
    ) -> models.SimulationPolicy:
        """Put another policy in its place; runs that have a copy of it stay as they are."""
        return await self._call(
            models.SimulationPolicy,
            "PUT",
            "/v1/simulation-policies/{policy_id}",
            parts={"policy_id": policy_id},
            body=body,
            if_match=if_match,
        )

    async def change_simulation_policy(
        self, policy_id: UUID, body: models.PolicyChange, *, if_match: int | str | None = None
    ) -> models.SimulationPolicy:
        """Change what is named; runs that have a copy of it stay as they are."""
        return await self._call(
            models.SimulationPolicy,
            "PATCH",
            "/v1/simulation-policies/{policy_id}",
            parts={"policy_id": policy_id},
            body=body,
            if_match=if_match,
        )

    async def delete_simulation_policy(
        self, policy_id: UUID, *, if_match: int | str | None = None
    ) -> None:
        """Delete a policy; runs that have a copy of it stay as they are."""
        await self._do(
            "DELETE",
            "/v1/simulation-policies/{policy_id}",
            parts={"policy_id": policy_id},
            if_match=if_match,
        )

    async def get_house_profile(self, house_node_id: UUID) -> models.HouseProfile:
        """The house's own profile."""
        return await self._call(
            models.HouseProfile,
            "GET",
            "/v1/house-profiles/{house_node_id}",
            parts={"house_node_id": house_node_id},
        )

    async def replace_house_profile(
        self, house_node_id: UUID, body: models.ProfileTerms
    ) -> models.HouseProfile:
        """Set the house's own profile, in the place of the one before; runs that were started
        before stay as they are.
        """
        return await self._call(
            models.HouseProfile,
            "PUT",
            "/v1/house-profiles/{house_node_id}",
            parts={"house_node_id": house_node_id},
            body=body,
        )

    async def delete_house_profile(self, house_node_id: UUID) -> None:
        """Delete the house's own profile."""
        await self._do(
            "DELETE", "/v1/house-profiles/{house_node_id}", parts={"house_node_id": house_node_id}
        )

    def list_dead_letters(
        self,
        *,
        topic: str | None = None,
        reason: str | None = None,
        status: Literal["open", "replayed", "discarded"] | None = None,
        from_: datetime | date | None = None,
        to: datetime | date | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.DeadLetter]:
        """Letters without their values, the newest first; `from` and `to` are of when a message
        was given up.
        """
        return self._pages(
            models.PageOfDeadLetter,
            "GET",
            "/v1/dead-letters",
            query={
                "topic": topic,
                "reason": reason,
                "status": status,
                "from": from_,
                "to": to,
                "limit": limit,
            },
        )

    async def count_dead_letters(self) -> models.DeadLetterCounts:
        """How many letters are open, were dropped, or expired, by topic."""
        return await self._call(models.DeadLetterCounts, "GET", "/v1/dead-letters/counts")

    async def get_dead_letter(self, dead_letter_id: UUID) -> models.DeadLetterWithValue:
        """One letter with its key, headers and value."""
        return await self._call(
            models.DeadLetterWithValue,
            "GET",
            "/v1/dead-letters/{dead_letter_id}",
            parts={"dead_letter_id": dead_letter_id},
        )

    async def replay_dead_letter(self, dead_letter_id: UUID) -> models.DeadLetterWithValue:
        """Handle the message once more as its consumer would by now; 409 with the reason where
        it is refused again, and then it stays open.
        """
        return await self._call(
            models.DeadLetterWithValue,
            "POST",
            "/v1/dead-letters/{dead_letter_id}/replay",
            parts={"dead_letter_id": dead_letter_id},
        )

    async def discard_dead_letter(
        self, dead_letter_id: UUID, body: models.Discard
    ) -> models.DeadLetterWithValue:
        """Give a letter up for good. Who did so, when and why stays with it; its value does not."""
        return await self._call(
            models.DeadLetterWithValue,
            "POST",
            "/v1/dead-letters/{dead_letter_id}/discard",
            parts={"dead_letter_id": dead_letter_id},
            body=body,
        )

    async def get_identity(self) -> models.Identity:
        """Show the tenant and the scopes of the caller's key, and the customer to whom the
        request is bound; any key in force may ask.
        """
        return await self._call(models.Identity, "GET", "/v1/me")

    async def register_key(self, body: models.NewKey) -> models.Key:
        """Register a key; the same again answers 200, anything else under its id 409."""
        return await self._call(models.Key, "POST", "/v1/keys", body=body)

    def list_keys(
        self, *, tenant_id: str | None = None, limit: int | None = None
    ) -> AsyncIterator[models.Key]:
        """List keys by their id, those that were revoked too."""
        return self._pages(
            models.PageOfKey, "GET", "/v1/keys", query={"tenant_id": tenant_id, "limit": limit}
        )

    async def revoke_key(self, key_id: str) -> None:
        """Revoke a key for good; other processes notice within `KEY_CACHE_TTL_S`."""
        await self._do("DELETE", "/v1/keys/{key_id}", parts={"key_id": key_id})
