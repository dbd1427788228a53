import { Ajv, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import { readFileSync } from "node:fs";

export type Json = Readonly<Record<string, unknown>>;

const NAME = "digitalocean";

/** openapi.json, which reduce-openapi.ts makes, and validators for the schemas in it. */
export class OpenApiDocument {
  private readonly document: Json;
  private readonly ajv: Ajv;
  private readonly coercing: Ajv;

  constructor() {
    const text = readFileSync(new URL("openapi.json", import.meta.url), "utf8");
    this.document = asObject(withNull(JSON.parse(text)));
    this.ajv = this.newAjv(false);
    // For paths and queries, where all values are text.
    this.coercing = this.newAjv(true);
  }

  at(keys: readonly string[]): Json {
    return keys.reduce((node, key) => asObject(node[key], key), this.document);
  }

  /** The value at a path of keys and its JSON pointer (RFC 6901), after all `$ref`s. */
  resolve(keys: readonly string[]): { value: Json; pointer: string } {
    let pointer = pointerOf(keys);
    let value = this.at(keys);
    while (typeof value.$ref === "string") {
      pointer = value.$ref;
      value = this.at(keysOf(pointer));
    }
    return { value, pointer };
  }

  validatorOf(pointer: string): ValidateFunction {
    return this.ajv.compile({ $ref: `${NAME}${pointer}` });
  }

  /** For texts by name: each has a schema, and there may be no others. */
  textsValidatorOf(pointers: ReadonlyMap<string, string>, required: readonly string[]): ValidateFunction {
    const properties = Object.fromEntries(
      [...pointers].map(([name, pointer]) => [name, { $ref: `${NAME}${pointer}` }]),
    );
    return this.coercing.compile({ type: "object", properties, required, additionalProperties: false });
  }

  /** Names of all fields in a schema, its alternatives included. */
  fieldsOf(pointer: string): Set<string> {
    const { value, pointer: resolved } = this.resolve(keysOf(pointer));
    const found = new Set(Object.keys(asObject(value.properties ?? {})));
    for (const word of ["allOf", "anyOf", "oneOf"])
      for (const index of Object.keys(asObject(value[word] ?? {})))
        for (const name of this.fieldsOf(`${resolved}/${word}/${index}`)) found.add(name);
    return found;
  }

  private newAjv(coerceTypes: boolean): Ajv {
    const ajv = new Ajv({
      // The document has words of OpenAPI besides those of JSON Schema, and patterns with needless escapes.
      ...{ strict: false, validateSchema: false, unicodeRegExp: false },
      ...{ allErrors: true, coerceTypes },
    });
    addFormats.default(ajv);
    ajv.addSchema(this.document, NAME);
    return ajv;
  }
}

function pointerOf(keys: readonly string[]): string {
  return `#/${keys.map((key) => key.replaceAll("~", "~0").replaceAll("/", "~1")).join("/")}`;
}

function keysOf(pointer: string): string[] {
  return pointer
    .slice(2)
    .split("/")
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** Replaces OpenAPI's `nullable` by a type of JSON Schema. Nothing may move, because `$ref`s are paths. */
function withNull(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withNull);
  if (typeof node !== "object" || node === null) return node;
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(node)) copy[key] = withNull(value);
  const { nullable, type, ...rest } = copy;
  if (nullable !== true) return copy;
  if (type === undefined) throw new Error("openapi.json: something without a type may be null");
  return { ...rest, type: [type, "null"] };
}

export function asObject(value: unknown, name = "it"): Json {
  if (typeof value !== "object" || value === null) throw new Error(`openapi.json: ${name} is not an object`);
  // What is an object has fields of any kind.
  return value as Json;
}
