import { request, type RequestOptions } from "node:http";
import type { Address } from "../../../core/instances/address.js";
import { reachSocket } from "../../../core/instances/reach-socket.js";
import type { HealthCheck } from "../../../core/records/releases/health-check.js";

export interface ProbeAnswer {
  readonly status: number;
  /** The first bytes. */
  readonly body: string;
}

/** What came of one GET: an answer, no connection yet, or no answer in time. */
export type Probe =
  | { readonly kind: "answered"; readonly answer: ProbeAnswer }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "silent"; readonly reason: string };

const BODY_BYTES = 65_536;

/** One GET to an instance, from outside it. */
export async function probe(
  address: Address,
  path: string,
  host: string,
  check: Pick<HealthCheck, "timeout" | "httpHeaders">,
  signal: AbortSignal,
): Promise<Probe> {
  if (address.kind === "port")
    return ask({ host: address.host, port: address.port }, path, host, check, signal);
  try {
    const { path: socketPath, close } = await reachSocket(address.path);
    return await ask({ socketPath }, path, host, check, signal).finally(close);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const isAbsent = error instanceof Error && "code" in error && error.code === "ENOENT";
    return { kind: isAbsent ? "refused" : "silent", reason };
  }
}

async function ask(
  target: Pick<RequestOptions, "host" | "port" | "socketPath">,
  path: string,
  host: string,
  check: Pick<HealthCheck, "timeout" | "httpHeaders">,
  signal: AbortSignal,
): Promise<Probe> {
  const headers = Object.fromEntries(check.httpHeaders.map(({ name, value }) => [name, value]));
  return new Promise((resolve) => {
    const outgoing = request({
      ...target,
      path,
      agent: false,
      signal,
      headers: { host, "user-agent": "sluice-health", ...headers },
    });
    const deadline = setTimeout(
      () => outgoing.destroy(new Error(`got no answer within ${check.timeout} s`)),
      check.timeout * 1000,
    );
    const finish = (result: Probe): void => {
      clearTimeout(deadline);
      resolve(result);
      outgoing.destroy();
    };
    outgoing.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
        if (body.length >= BODY_BYTES) finish(answered(response.statusCode, body));
      });
      response.on("end", () => finish(answered(response.statusCode, body)));
      response.on("error", (error) => finish({ kind: "silent", reason: error.message }));
    });
    outgoing.on("error", (error) => {
      const refused = "code" in error && (error.code === "ECONNREFUSED" || error.code === "ENOENT");
      finish({ kind: refused ? "refused" : "silent", reason: reasonOf(error) });
    });
    outgoing.end();
  });
}

function answered(status: number | undefined, body: string): Probe {
  return { kind: "answered", answer: { status: status ?? 0, body } };
}

function reasonOf(error: Error): string {
  return "code" in error && error.code === "ECONNRESET"
    ? "closed the connection without an answer"
    : error.message;
}
