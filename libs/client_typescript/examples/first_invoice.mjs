// From nothing to a first invoice, against the installation that the environment names.
import { randomUUID } from "node:crypto";
import { answer, connect, optionsOf, pages } from "gridtally-client";

const ZONE = "Europe/Berlin";
const gridtally = connect(optionsOf(process.env));

const tariff = await answer(
  gridtally.tariff.POST("/v1/tariffs", {
    body: { code: `first-${randomUUID().slice(0, 8)}`, name: "First tariff", currency: "EUR", zone: ZONE },
  }),
);
const components = [
  { kind: "energy", id: "energy", rate: "0.30" },
  { kind: "fixed", id: "standing", rate: "5.00", per: "month" },
  { kind: "tax", id: "vat", rate: "0.19", component_ids: ["energy", "standing"] },
];
const document = { currency: "EUR", zone: ZONE, components };
const draft = await answer(
  gridtally.tariff.POST("/v1/tariffs/{tariff_id}/versions", {
    params: { path: { tariff_id: tariff.id } },
    body: { effective_from: "2025-01-01", document },
  }),
);
await answer(
  gridtally.tariff.POST("/v1/tariffs/{tariff_id}/versions/{number}/publish", {
    params: { path: { tariff_id: tariff.id, number: draft.number } },
  }),
);
const home = await answer(
  gridtally.ledger.POST("/v1/properties", { body: { name: "Home", zone: ZONE } }),
);
const meter = home.meters.find((meter) => meter.meter_type === "total");
const customer = await answer(
  gridtally.billing.POST("/v1/customers", { body: { name: "Ada", currency: "EUR" } }),
);
const agreement = await answer(
  gridtally.billing.POST("/v1/agreements", {
    body: {
      customer_id: customer.id,
      meter_id: meter.id,
      tariff_id: tariff.id,
      start_on: "2025-01-01",
      end_on: "2025-02-01",
    },
  }),
);
await answer(
  gridtally.ingest.POST("/v1/readings", {
    body: {
      meter_id: meter.id,
      flow: "import",
      start_at: "2024-12-31T23:00:00Z",
      minutes: 15,
      values: Array(31 * 96).fill(100),
    },
  }),
);
for (;;) {
  const issued = pages((cursor) =>
    gridtally.billing.GET("/v1/invoices", {
      params: { query: { agreement_id: agreement.id, ...cursor } },
    }),
  );
  const { value: invoice } = await issued.next();
  if (invoice) {
    console.log(invoice.number, invoice.total, invoice.currency);
    break;
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
}
