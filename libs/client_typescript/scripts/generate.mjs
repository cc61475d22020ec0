// Writes src/generated: the types of each service, and which operations take an idempotency key.
//
//     node scripts/generate.mjs [folder of the OpenAPI documents]
import { mkdir, readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const SERVICES = ["ingest", "tariff", "billing", "ledger", "simulation"];
const documents = process.argv[2] ?? new URL("../../../docs/openapi", import.meta.url).pathname;
const target = new URL("../src/generated/", import.meta.url);

const takesKey = (operation) =>
  (operation.parameters ?? []).some((p) => p.in === "header" && p.name === "idempotency-key");

await mkdir(target, { recursive: true });
const keyed = {};
for (const service of SERVICES) {
  const document = JSON.parse(await readFile(`${documents}/${service}.json`, "utf8"));
  const types = astToString(await openapiTS(document));
  await writeFile(new URL(`${service}.ts`, target), types);
  keyed[service] = Object.entries(document.paths)
    .filter(([, item]) => item.post && takesKey(item.post))
    .map(([path]) => `^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`);
}
await writeFile(
  new URL("keyed.ts", target),
  `/** Paths whose POST takes an idempotency key, by service. */\nexport const KEYED = ${JSON.stringify(keyed, null, 2)} as const;\n`,
);
