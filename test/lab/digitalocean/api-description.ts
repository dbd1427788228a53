import { OpenApiDocument } from "./openapi-document.js";
import { Operation } from "./operation.js";

const METHODS = ["get", "post", "put", "delete"];

/** DigitalOcean's own description of its API: what requests and answers must look like. */
export class ApiDescription {
  private readonly operations: readonly Operation[];

  constructor() {
    const document = new OpenApiDocument();
    this.operations = Object.keys(document.at(["paths"])).flatMap((template) =>
      METHODS.filter((method) => method in document.at(["paths", template])).map(
        (method) => new Operation(document, method, template),
      ),
    );
  }

  /** The operation that a request is for, with the parameters in its path. */
  find(method: string, path: string): { operation: Operation; params: Record<string, string> } | undefined {
    for (const operation of this.operations) {
      const params = operation.match(method, path);
      if (params !== undefined) return { operation, params };
    }
    return undefined;
  }
}
