import { readFile, writeFile } from "node:fs/promises";
import { parse } from "yaml";

/**
 * Makes openapi.json of DigitalOcean's own OpenAPI description (github.com/digitalocean/openapi, Apache-2.0):
 *
 *     node --import tsx test/lab/digitalocean/reduce-openapi.ts DESCRIPTION.yaml
 *
 * Only facts are kept: paths, parameters, scopes, status codes and schemas. Each path is one line, for readable diffs.
 */
const OUTPUT = new URL("./openapi.json", import.meta.url);
/** Keywords that do not affect what is valid. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  ...["description", "summary", "title", "example", "examples", "links", "externalDocs", "tags"],
  ...["default", "deprecated", "operationId", "info", "servers", "components", "discriminator"],
]);
/** The keys below these are names, not keywords. */
const NAMED: ReadonlySet<string> = new Set(["paths", "properties", "responses", "headers", "content"]);

function reduce(node: unknown, hasNames: boolean): unknown {
  if (Array.isArray(node)) return node.map((item) => reduce(item, false));
  if (typeof node !== "object" || node === null) return node;
  const kept = Object.entries(node).filter(
    ([key]) => hasNames || !(LEFT_OUT.has(key) || key.startsWith("x-")),
  );
  return Object.fromEntries(kept.map(([key, value]) => [key, reduce(value, !hasNames && NAMED.has(key))]));
}

const [, , input] = process.argv;
if (input === undefined) throw new Error("which file?");
// What `reduce` returns for a description is one, with less in it.
const { openapi, paths } = reduce(parse(await readFile(input, "utf8")), false) as {
  openapi: string;
  paths: Record<string, unknown>;
};
const lines = Object.entries(paths).map(([path, item]) => `${JSON.stringify(path)}: ${JSON.stringify(item)}`);
await writeFile(
  OUTPUT,
  `{\n"openapi": ${JSON.stringify(openapi)},\n"paths": {\n${lines.join(",\n")}\n}\n}\n`,
);
