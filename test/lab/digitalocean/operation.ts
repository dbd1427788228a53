import type { ErrorObject, ValidateFunction } from "ajv";
import { asObject, type OpenApiDocument } from "./openapi-document.js";

export interface RawRequest {
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** One method of one path. */
export class Operation {
  /** Such as `POST /v2/droplets`. */
  readonly name: string;
  /** That a token must have. */
  readonly scopes: readonly string[];
  private readonly pattern: RegExp;
  private readonly keys: readonly string[];
  private readonly validators = new Map<string, ValidateFunction>();

  constructor(
    private readonly document: OpenApiDocument,
    private readonly method: string,
    template: string,
  ) {
    this.name = `${method.toUpperCase()} ${template}`;
    this.keys = ["paths", template, method];
    this.pattern = new RegExp(`^${template.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`);
    this.scopes = JSON.stringify(document.resolve(this.keys).value.security).match(/\w+:\w+/g) ?? [];
  }

  match(method: string, path: string): Record<string, string> | undefined {
    if (method.toLowerCase() !== this.method) return undefined;
    const found = this.pattern.exec(path);
    if (found === null) return undefined;
    return Object.fromEntries(
      Object.entries(found.groups ?? {}).map(([name, text]) => [name, decodeURIComponent(text)]),
    );
  }

  /** Everything in a request that the description does not allow. */
  problemsOfRequest(params: Record<string, string>, { query, body }: RawRequest): string[] {
    return [
      ...this.problemsOfTexts("path", params),
      ...this.problemsOfTexts("query", query),
      ...this.problemsOfBody(body),
    ];
  }

  problemsOfAnswer(status: number, body: unknown): string[] {
    const responses = asObject(this.document.resolve(this.keys).value.responses);
    const key = [String(status), "default"].find((each) => each in responses);
    if (key === undefined) return [`status ${status} is not described`];
    const response = this.document.resolve([...this.keys, "responses", key]);
    if (response.value.content === undefined)
      return body === undefined ? [] : [`status ${status} must have no body`];
    return this.problems(`answer ${status}`, body, () =>
      this.document.validatorOf(`${response.pointer}/content/application~1json/schema`),
    );
  }

  private problemsOfTexts(place: "path" | "query", given: Readonly<Record<string, string>>): string[] {
    return this.problems(place, { ...given }, () => {
      const parameters = asObject(this.document.resolve(this.keys).value.parameters ?? []);
      const schemas = new Map<string, string>();
      const required: string[] = [];
      for (const index of Object.keys(parameters)) {
        const { value, pointer } = this.document.resolve([...this.keys, "parameters", index]);
        if (value.in !== place) continue;
        schemas.set(String(value.name), `${pointer}/schema`);
        if (value.required === true) required.push(String(value.name));
      }
      return this.document.textsValidatorOf(schemas, required);
    });
  }

  private problemsOfBody(body: unknown): string[] {
    const { requestBody } = this.document.resolve(this.keys).value;
    if (requestBody === undefined) return body === undefined ? [] : ["it must have no body"];
    const { pointer } = this.document.resolve([...this.keys, "requestBody"]);
    const schema = `${pointer}/content/application~1json/schema`;
    const fields = this.document.fieldsOf(schema);
    const unknown = Object.keys(asObject(body ?? {})).filter((name) => !fields.has(name));
    return [
      ...unknown.map((name) => `body: "${name}" is not described`),
      ...this.problems("body", body, () => this.document.validatorOf(schema)),
    ];
  }

  private problems(what: string, value: unknown, make: () => ValidateFunction): string[] {
    const validate = this.validators.get(what) ?? make();
    this.validators.set(what, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).map((error) => `${what}${textOf(error)}`);
  }
}

function textOf({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath}: ${message} ${JSON.stringify(params)}`;
}
