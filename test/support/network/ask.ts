import { request, type Agent } from "node:http";
import type { HttpAnswer } from "../running/test-sluice.js";

export interface Question {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** The client's address, one of this machine's. */
  readonly localAddress?: string;
  /** Gives up. */
  readonly signal?: AbortSignal;
  /** Keeps the connection; without it each question has one of its own. */
  readonly agent?: Agent;
}

/** One HTTP request to `127.0.0.1:PORT` or `unix@PATH`. */
export async function ask(address: string | undefined, question: Question = {}): Promise<HttpAnswer> {
  const { path = "/", method = "GET", headers = {}, body, agent = false, signal, localAddress } = question;
  return new Promise((resolve, reject) => {
    const of = { ...targetOf(address), path, method, headers, agent, signal, localAddress };
    const outgoing = request(of, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
      response.on("error", reject);
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function targetOf(address = ""): { socketPath: string } | { host: string; port: string } {
  if (address.startsWith("unix@")) return { socketPath: address.slice("unix@".length) };
  const [host = "", port = ""] = address.split(":");
  return { host, port };
}
