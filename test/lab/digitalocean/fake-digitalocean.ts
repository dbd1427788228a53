import express, { type Request, type Response } from "express";
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { accountRoutes } from "./account-routes.js";
import type { ApiCall } from "./api-call.js";
import { ApiDescription } from "./api-description.js";
import type { CloudMachines } from "./cloud-host.js";
import type { BillItem, Quirk } from "./cloud-parts.js";
import { Cloud } from "./cloud.js";
import { Disruptions, type Disruption } from "./disruptions.js";
import { dropletRoutes } from "./droplet-routes.js";
import { networkRoutes } from "./network-routes.js";
import { regions } from "./offers.js";
import type { Operation } from "./operation.js";
import { problem, type Reply } from "./reply.js";

type Handler = (call: ApiCall, cloud: Cloud) => Reply;

export interface FakeOptions {
  /** To listen at. Hosts of a lab reach the `gateway` of any host. Default: 127.0.0.1. */
  readonly address?: string;
}

const HANDLERS: Readonly<Record<string, Handler>> = { ...accountRoutes, ...dropletRoutes, ...networkRoutes };
const REQUESTS_AN_HOUR = 5000;
const MESSAGES: Readonly<Record<number, readonly [id: string, message: string]>> = {
  401: ["unauthorized", "Unable to authenticate you"],
  403: ["forbidden", "You are not authorized to perform this operation"],
  422: ["unprocessable_entity", "The request cannot be carried out."],
  429: ["too_many_requests", "API rate limit exceeded"],
};

/**
 * A server that speaks DigitalOcean's API and keeps an account, with a bill: what is created exists until it is deleted. Every
 * request and every response is checked against DigitalOcean's own description of the API; `close` rejects when one violates it.
 */
export class FakeDigitalOcean {
  /** The token with all scopes. */
  readonly token = "dop_v1_0123456789abcdef0123456789abcdef";
  /** The operation of every request, such as `GET /v2/droplets/{droplet_id}`, in order. */
  readonly requests: string[] = [];
  /** Where requests or responses differed from the description. */
  readonly violations: string[] = [];
  private readonly scopesOf = new Map<string, readonly string[]>();
  private readonly description = new ApiDescription();
  private readonly disruptions = new Disruptions();
  private remaining = REQUESTS_AN_HOUR;

  private constructor(
    readonly cloud: Cloud,
    private readonly machines: CloudMachines,
    private readonly server: Server,
  ) {}

  static async start(
    machines: CloudMachines,
    { address = "127.0.0.1" }: FakeOptions = {},
  ): Promise<FakeDigitalOcean> {
    const app = express();
    const server = app.listen(0, address);
    await once(server, "listening");
    const fake = new FakeDigitalOcean(new Cloud(machines.boot), machines, server);
    app.use(express.json({ limit: "1mb", strict: false }));
    app.use(async (request, response) =>
      fake.handle(request, response).catch((error: unknown) => {
        fake.violations.push(`${request.method} ${request.path}: ${String(error)}`);
        response.status(500).end();
      }),
    );
    return fake;
  }

  get url(): string {
    // A server that listens on TCP has such an address.
    const { address, port } = this.server.address() as AddressInfo;
    return `http://${address}:${port}`;
  }

  /** Adds a token with these scopes alone. */
  addToken(token: string, scopes: readonly string[]): void {
    this.scopesOf.set(token, scopes);
  }

  /** Makes later requests fail. */
  disrupt(disruption: Disruption): void {
    this.disruptions.add(disruption);
  }

  /** Cancels the disruptions that are left. */
  recover(): void {
    this.disruptions.clear();
  }

  /** Breaks the next droplet that is created. Called twice, it also breaks the one after that. */
  spoilNextDroplet(quirk: Quirk): void {
    this.cloud.quirks.push(quirk);
  }

  /** Adds an address that no droplet has yet. `region`: slug. */
  async addReservedIp(region: string): Promise<string> {
    const found = regions.find(({ slug }) => slug === region);
    const place = await this.machines.reserveAddress?.();
    if (found === undefined || place === undefined) throw new Error(`no reserved IP in ${region}`);
    this.cloud.reservedIps.set(place.address, { place, region: found, droplet: undefined });
    return place.address;
  }

  /** Sets `ratelimit-remaining` of later responses. */
  limitRequests(remaining: number): void {
    this.remaining = remaining;
  }

  /** The monthly cost of the droplets that exist, and all droplets that ever existed. */
  get bill(): { readonly monthlyUsd: number; readonly history: readonly BillItem[] } {
    const existing = this.cloud.history.filter(({ destroyed }) => destroyed === undefined);
    const monthlyUsd = existing.reduce((sum, item) => sum + item.monthlyUsd, 0);
    return { monthlyUsd, history: this.cloud.history };
  }

  /** Stops the server and removes all hosts. */
  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await this.cloud.close();
    if (this.violations.length > 0)
      throw new Error(`violations of DigitalOcean's description of its API:\n${this.violations.join("\n")}`);
  }

  private async handle(request: Request, response: Response): Promise<void> {
    const found = this.description.find(request.method, request.path);
    if (found === undefined) {
      const name = `${request.method} ${request.path}`;
      this.violations.push(`${name}: there is no such path`);
      this.send(response, problem(404, "not_found", name));
      return;
    }
    const { operation, params } = found;
    this.requests.push(operation.name);
    const disruption = this.disruptions.take(operation.name);
    const isDone = disruption === undefined || disruption.afterWork === true || disruption.answer === "lost";
    const reply = isDone ? this.work(operation, params, request) : undefined;
    if (disruption?.answer === "never") return;
    if (disruption?.answer === "lost") request.socket.destroy();
    else
      this.send(
        response,
        this.checked(operation, disruption ? replyOf(disruption, disruption.answer) : reply),
      );
  }

  private work(operation: Operation, params: Record<string, string>, request: Request): Reply {
    const refused = this.refusal(operation, request.get("authorization") ?? "");
    if (refused !== undefined) return refused;
    const query = Object.fromEntries(new URL(request.url, this.url).searchParams);
    // Express leaves it undefined where there is none.
    const body = request.body as unknown;
    const wrong = operation.problemsOfRequest(params, { query, body });
    if (wrong.length > 0) return this.violation(400, operation, wrong);
    const handler = HANDLERS[operation.name];
    if (handler === undefined) return this.violation(500, operation, ["this server does not implement it"]);
    this.cloud.tick();
    const origin = `${request.protocol}://${request.get("host") ?? ""}`;
    return handler({ params, query, body, path: request.path, origin }, this.cloud);
  }

  private checked(operation: Operation, reply: Reply = problem(500, ...messageOf(500))): Reply {
    const wrong = operation.problemsOfAnswer(reply.status, reply.body);
    return wrong.length > 0 ? this.violation(500, operation, wrong) : reply;
  }

  private refusal(operation: Operation, authorization: string): Reply | undefined {
    const token = authorization.replace(/^Bearer /, "");
    const scopes = token === this.token ? operation.scopes : this.scopesOf.get(token);
    if (scopes === undefined) return problem(401, ...messageOf(401));
    return operation.scopes.every((scope) => scopes.includes(scope))
      ? undefined
      : problem(403, ...messageOf(403));
  }

  private violation(status: number, { name }: Operation, problems: readonly string[]): Reply {
    const texts = problems.map((text) => `${name}: ${text}`);
    this.violations.push(...texts);
    return problem(status, "violation", texts.join("; "));
  }

  private send(response: Response, { status, body, headers }: Reply): void {
    const reset = Math.ceil(Date.now() / 1000) + 3600;
    response.status(status).set({
      "ratelimit-limit": String(REQUESTS_AN_HOUR),
      "ratelimit-remaining": String(this.remaining),
      "ratelimit-reset": String(reset),
      ...headers,
    });
    if (body === undefined) response.end();
    else response.json(body);
  }
}

function replyOf({ retryAfterSeconds, message }: Disruption, status: number): Reply {
  const [id, usual] = messageOf(status);
  return {
    ...problem(status, id, message ?? usual),
    ...(retryAfterSeconds === undefined ? {} : { headers: { "retry-after": String(retryAfterSeconds) } }),
  };
}

function messageOf(status: number): readonly [id: string, message: string] {
  return MESSAGES[status] ?? ["server_error", "Server Error"];
}
