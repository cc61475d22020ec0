/**
 * The TypeScript client of Gridtally's services.
 *
 *     const gridtally = connect({ urls, apiKey });
 *     const customer = await answer(gridtally.billing.POST("/v1/customers", { body: { name, currency } }));
 *
 * Amounts, prices and energies are texts, as the services write them: no number loses a digit.
 */
import createFetch, { type Client } from "openapi-fetch";
import { Webhook } from "standardwebhooks";

import type { paths as Billing } from "./generated/billing.js";
import type { paths as Ingest } from "./generated/ingest.js";
import type { paths as Ledger } from "./generated/ledger.js";
import type { paths as Simulation } from "./generated/simulation.js";
import type { paths as Tariff } from "./generated/tariff.js";
import { KEYED } from "./generated/keyed.js";
import { type Retries, RETRIES, sendAgain } from "./retries.js";

export type { Billing, Ingest, Ledger, Simulation, Tariff };
export { type FieldError, Problem, ServiceAway } from "./problems.js";
export { type Retries, RETRIES } from "./retries.js";

export type Service = keyof typeof KEYED;

export interface Options {
  /** Where each service answers, such as `http://127.0.0.1:8003`. */
  urls: Record<Service, string>;
  /** A key made by `gridtally keys create`. */
  apiKey: string;
  retries?: Retries;
  /** Stands in for the network. */
  fetch?: (request: Request) => Promise<Response>;
}

/** The operations of every service, typed by its OpenAPI document. */
export interface Gridtally {
  ingest: Client<Ingest>;
  tariff: Client<Tariff>;
  billing: Client<Billing>;
  ledger: Client<Ledger>;
  simulation: Client<Simulation>;
}

/** The clients of an installation. Opens nothing yet. */
export function connect(options: Options): Gridtally {
  const client = <Paths extends object>(service: Service): Client<Paths> =>
    createFetch<Paths>({
      baseUrl: options.urls[service],
      headers: { Authorization: `Bearer ${options.apiKey}` },
      fetch: (request) => send(service, request, options),
    });
  return {
    ingest: client<Ingest>("ingest"),
    tariff: client<Tariff>("tariff"),
    billing: client<Billing>("billing"),
    ledger: client<Ledger>("ledger"),
    simulation: client<Simulation>("simulation"),
  };
}

/** The options that `gridtally env` prints as variables of the environment. */
export function optionsOf(environment: Record<string, string | undefined>): Options {
  const read = (name: string): string => {
    const value = environment[name];
    if (value === undefined) throw new Error(`set ${name}; \`gridtally env\` prints it`);
    return value;
  };
  return {
    urls: {
      ingest: read("INGEST_URL"),
      tariff: read("TARIFF_URL"),
      billing: read("BILLING_URL"),
      ledger: read("LEDGER_URL"),
      simulation: read("SIMULATION_URL"),
    },
    apiKey: read("GRIDTALLY_API_KEY"),
  };
}

/** What a call answers; it throws Problem where the service refused. */
export async function answer<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T;
}

/** Every item of a list: `pages((cursor) => gridtally.billing.GET("/v1/invoices", …))`. */
export async function* pages<Item>(
  ask: (cursor: { cursor?: string }) => Promise<{
    data?: { items: Item[]; next_cursor: string | null };
  }>,
): AsyncGenerator<Item> {
  let cursor: { cursor?: string } = {};
  for (;;) {
    const page = await answer(ask(cursor));
    yield* page.items;
    if (page.next_cursor === null) return;
    cursor = { cursor: page.next_cursor };
  }
}

/** What a webhook says; it throws where none of the secrets signed it within five minutes. */
export function readWebhook(
  content: string,
  headers: Record<string, string>,
  ...secrets: string[]
): { type: string; timestamp: string; data: Record<string, unknown> } {
  let refused: unknown = new Error("no secret was given");
  for (const secret of secrets) {
    try {
      return new Webhook(secret).verify(content, headers) as ReturnType<typeof readWebhook>;
    } catch (failure) {
      refused = failure;
    }
  }
  throw refused;
}

function send(service: Service, request: Request, options: Options): Promise<Response> {
  const path = new URL(request.url).pathname;
  const keyed = KEYED[service].some((pattern) => new RegExp(pattern).test(path));
  if (request.method === "POST" && keyed && !request.headers.has("idempotency-key")) {
    request.headers.set("idempotency-key", crypto.randomUUID());
  }
  return sendAgain(service, request, options.fetch ?? fetch, options.retries ?? RETRIES);
}
