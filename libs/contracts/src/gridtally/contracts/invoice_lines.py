"""Lines and sections of invoices, and what they rest on."""

from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from gridtally.contracts.metering import Flow
from gridtally.contracts.model import Amount, Code, ContractModel, Count, Day, Instant, Text

LINES_MAX = 2_000
SECTIONS_MAX = 200
"""Sections of a collective invoice."""

LineKind = Literal["fixed", "energy", "demand", "adjustment", "credit", "tax", "minimum_top_up"]


class DataQuality(ContractModel):
    """What a line, or a whole invoice, rests on besides actual readings.

    A line rests on the intervals of its flow on its days, and in its band where it has one.
    """

    worst: Literal["actual", "estimated", "substituted", "missing"] = "actual"
    """The worst quality that any interval has; `missing` ones are in no quantity."""
    estimated_intervals: Count = 0
    """How many intervals are estimated."""
    substituted_intervals: Count = 0
    """How many intervals are substituted."""
    missing_intervals: Count = 0
    """How many intervals have no value."""
    estimated_kwh: Amount = Decimal(0)
    """The energy of estimated intervals in kWh; in kvarh for a line of a reactive flow."""
    substituted_kwh: Amount = Decimal(0)
    """The energy of substituted intervals in kWh; in kvarh for a line of a reactive flow."""


class QuantityRounding(ContractModel):
    """How the energy of each interval is rounded before it is priced."""

    step_kwh: Amount
    """The step in kWh."""
    mode: Literal["half_even", "half_up", "down", "up"]
    """To the nearest multiple, of two as near the even one or that away from 0; to 0; from 0."""
    minutes: Count | None = None
    """The length of the intervals that are rounded, in minutes; null for those of the meter."""


class InvoiceLine(ContractModel):
    """One charge: which component of which tariff version, on what, at what rate."""

    component_id: Code
    """The component of the tariff version that charges this."""
    kind: LineKind
    """What sort of charge it is."""
    band: str | None = None
    """The band whose energy or demand it is for; null for all."""
    flow: Flow | None = None
    """The flow whose energy it is for; null where it is for none."""
    quantity: Amount
    """How much is charged, in `unit`."""
    unit: Annotated[str, Field(max_length=16)]
    """The unit of the quantity, such as kWh, kW or month."""
    quantity_rounding: QuantityRounding | None = None
    """How each interval's kWh were rounded before they were added up; null for not at all."""
    rate: Amount
    """The price of one `unit`, in the invoice's currency."""
    amount_exact: Amount
    """Quantity × rate, before rounding, in the invoice's currency."""
    amount: Amount
    """The rounded amount, in the invoice's currency."""
    tariff_version_id: UUID
    """The tariff version that the component is of."""
    start_on: Day
    """The first local date that is charged."""
    end_on: Day
    """The local date after the last that is charged."""
    payee: Annotated[str, Field(max_length=100)] | None = None
    """Who receives the money, where it is not the supplier."""
    tax_class: Annotated[str, Field(max_length=100)] | None = None
    """The class by which taxes select the line."""
    quality: DataQuality | None = None
    """What it rests on; null for a line that rests on no reading, and where it is not known."""


SectionChange = Literal["revision", "restatement", "added"]


class InvoiceSection(ContractModel):
    """A section of a collective invoice: the bill of one agreement's period.

    The sections' lines are the invoice's, in their order; taxes are rounded in each section, as its
    tariff rounds, and the invoice's taxes are their sum.
    """

    section_id: UUID
    """The section, under which explanation, evidence and proof of its bill are found."""
    agreement_id: UUID
    """The agreement that is billed."""
    meter_id: UUID
    """The meter whose energy is billed."""
    start_on: Day
    """The period's first local date."""
    end_on: Day
    """The local date after the period's last."""
    revision: Annotated[Count, Field(ge=1)]
    """The number of the closed period's revision that is billed, counted from 1."""
    restatement: Count = 0
    """How often the same revision was issued before: an earlier period, or another section, was
    corrected."""
    line_count: Annotated[int, Field(ge=0, le=LINES_MAX)]
    """How many of the invoice's lines are its own: those after the lines of the section before."""
    net: Amount
    """The sum of its lines but taxes, in the invoice's currency."""
    tax: Amount
    """The sum of its taxes, in the invoice's currency."""
    total: Amount
    """Net and tax, in the invoice's currency."""
    quality: DataQuality | None = None
    """What all that was metered for it rests on."""
    proof_root: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """The root of the section's own proof, SHA-256 in hexadecimal."""
    approved_by: Text | None = None
    """The API key that approved its draft; null where the tenant approves none."""
    approved_at: Instant | None = None
    """When its draft was approved, in UTC."""
    change: SectionChange | None = None
    """How it differs from the invoice whose place this one takes; null where it does not."""
