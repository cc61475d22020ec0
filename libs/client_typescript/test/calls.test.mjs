// Calls against a service that is played by a function.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Webhook } from "standardwebhooks";

import { answer, connect, optionsOf, pages, Problem, readWebhook, ServiceAway } from "gridtally-client";

const url = "http://service.test";
const urls = { ingest: url, tariff: url, billing: url, ledger: url, simulation: url };
const retries = { attempts: 3, firstWaitMs: 1, longestWaitMs: 2 };
const json = (status, body, type = "application/json", more = {}) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": type, ...more } });
const refusal = (status, more = {}) =>
  json(
    status,
    { code: "some_code", detail: "No.", errors: [{ pointer: "/name", detail: "is missing" }] },
    "application/problem+json",
    more,
  );

function played(...answers) {
  const requests = [];
  const fetch = async (request) => {
    requests.push(request);
    const next = answers.shift();
    if (next instanceof Error) throw next;
    return next;
  };
  return { requests, gridtally: connect({ urls, apiKey: "key", retries, fetch }) };
}

const customer = { name: "Ada", currency: "EUR" };

test("a list goes through all its pages, with the key", async () => {
  const { requests, gridtally } = played(
    json(200, { items: [{ id: 1 }, { id: 2 }], next_cursor: "next" }),
    json(200, { items: [{ id: 3 }], next_cursor: null }),
  );
  const ids = [];
  const listed = pages((cursor) =>
    gridtally.billing.GET("/v1/invoices", { params: { query: { ...cursor } } }),
  );
  for await (const invoice of listed) ids.push(invoice.id);
  assert.deepEqual(ids, [1, 2, 3]);
  assert.equal(new URL(requests[1].url).searchParams.get("cursor"), "next");
  assert.equal(requests[0].headers.get("authorization"), "Bearer key");
});

test("a refusal is a problem that says what and where, and is not repeated", async () => {
  const { requests, gridtally } = played(refusal(422, { "x-correlation-id": "c-1" }));
  await assert.rejects(answer(gridtally.billing.POST("/v1/customers", { body: customer })), (failure) => {
    assert.ok(failure instanceof Problem);
    assert.equal(failure.message, "422 some_code: No.; /name: is missing");
    assert.equal(failure.correlationId, "c-1");
    return true;
  });
  assert.equal(requests.length, 1);
});

test("what is no problem document is a problem too", async () => {
  const { gridtally } = played(new Response("<html>", { status: 500 }));
  await assert.rejects(answer(gridtally.billing.GET("/v1/seller")), /500 http_500/);
});

test("a busy service is asked again, under the same key", async () => {
  const { requests, gridtally } = played(
    refusal(503, { "retry-after": "0" }),
    new TypeError("fetch failed"),
    json(201, { id: "x" }),
  );
  const made = await answer(gridtally.billing.POST("/v1/customers", { body: customer }));
  assert.equal(made.id, "x");
  const keys = new Set(requests.map((request) => request.headers.get("idempotency-key")));
  assert.equal(keys.size, 1);
  assert.match([...keys][0], /^[0-9a-f-]{36}$/);
});

test("what may have been done is not sent again", async () => {
  const { requests, gridtally } = played(new TypeError("fetch failed"));
  const body = { meter_id: "m", flow: "import", start_at: "2025-01-01T00:00:00Z", minutes: 15, values: [1] };
  await assert.rejects(answer(gridtally.ingest.POST("/v1/readings", { body })), ServiceAway);
  assert.equal(requests[0].headers.get("idempotency-key"), null);
  assert.equal(requests.length, 1);
});

test("it gives up with what was said last", async () => {
  const { requests, gridtally } = played(refusal(429), refusal(429), refusal(503));
  await assert.rejects(answer(gridtally.billing.GET("/v1/seller")), /503 some_code/);
  assert.equal(requests.length, 3);
});

test("the environment says where the services are", () => {
  assert.throws(() => optionsOf({}), /set INGEST_URL/);
});

test("only what the endpoint's secret has signed is read", () => {
  const [old, secret] = ["A", "B"].map((letter) => `whsec_${letter.repeat(32)}`);
  const content = JSON.stringify({ type: "invoice.issued", timestamp: "t", data: { total: "12.30" } });
  const at = new Date();
  const headers = {
    "webhook-id": "msg_1",
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": new Webhook(secret).sign("msg_1", at, content),
  };
  assert.equal(readWebhook(content, headers, old, secret).data.total, "12.30");
  assert.throws(() => readWebhook(content, headers, old));
  assert.throws(() => readWebhook(content, headers));
  assert.throws(() => readWebhook(content.replace("12.30", "12.31"), headers, secret));
});
