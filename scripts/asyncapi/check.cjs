// Reads an AsyncAPI document with AsyncAPI's own parser, which also knows what no JSON schema says
// (references, examples that follow their schemas). Any remark of it is a failure.
const { readFileSync } = require("node:fs");
const { Parser } = require("@asyncapi/parser");

async function main(path) {
  const { document, diagnostics } = await new Parser().parse(readFileSync(path, "utf8"));
  for (const { code, path: at, message } of diagnostics) {
    console.error(`${path}: ${at.join("/")}: ${message} (${code})`);
  }
  if (document === undefined || diagnostics.length > 0) {
    process.exit(1);
  }
  const operations = document.operations().all().length;
  console.log(`${path}: ${document.channels().all().length} channels, ${operations} operations`);
}

main(process.argv[2]);
