import { createHmac } from "node:crypto";
import { Agent, request } from "node:http";
import { wallClock } from "../machine/wall-clock.js";

export interface DelivererOptions {
  /** `http://127.0.0.1:PORT/PATH` */
  readonly url: string;
  readonly secret: string;
  readonly commit: string;
  readonly seconds: number;
  /** On a fixed schedule; without it as many as go through on `CONNECTIONS`. */
  readonly perSecond?: number;
}

export interface Delivered {
  /** From when it was due (or sent) to the end of its answer. */
  readonly ms: number;
  /** 0: no answer. */
  readonly status: number;
}

export const CONNECTIONS = 32;

/** Signed push events in GitHub's form, each with an id of its own. */
export async function deliverAll(options: DelivererOptions): Promise<Delivered[]> {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: options.perSecond === undefined ? CONNECTIONS : 1000,
  });
  try {
    return await (options.perSecond === undefined
      ? closedLoop(options, agent)
      : openLoop(options, options.perSecond, agent));
  } finally {
    agent.destroy();
  }
}

async function openLoop(options: DelivererOptions, perSecond: number, agent: Agent): Promise<Delivered[]> {
  const began = wallClock();
  const all: Promise<Delivered>[] = [];
  const total = options.seconds * perSecond;
  await new Promise<void>((resolve) => {
    const send = (): void => {
      let due = began + (all.length * 1000) / perSecond;
      for (; due <= wallClock() && all.length < total; due = began + (all.length * 1000) / perSecond)
        all.push(deliverOne(options, due, agent));
      if (all.length >= total) resolve();
      else setTimeout(send, Math.max(0, due - wallClock()));
    };
    send();
  });
  return Promise.all(all);
}

async function closedLoop(options: DelivererOptions, agent: Agent): Promise<Delivered[]> {
  const until = wallClock() + options.seconds * 1000;
  const all: Delivered[] = [];
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (wallClock() < until) all.push(await deliverOne(options, wallClock(), agent));
    }),
  );
  return all;
}

let count = 0;

async function deliverOne(
  { url, secret, commit }: DelivererOptions,
  due: number,
  agent: Agent,
): Promise<Delivered> {
  const id = `${process.pid}-${count++}`;
  const status = await deliver({ url, secret, commit, id, agent });
  return { ms: wallClock() - due, status };
}

/** Answers the status; 0 when there was no answer. */
export async function deliver({
  url,
  secret,
  commit,
  id,
  agent,
}: Pick<DelivererOptions, "url" | "secret" | "commit"> & {
  readonly id: string;
  readonly agent: Agent;
}): Promise<number> {
  // As large as a small push at GitHub.
  const body = JSON.stringify({ ref: "refs/heads/master", after: commit, id, padding: "x".repeat(7000) });
  return new Promise((resolve) => {
    const outgoing = request(
      url,
      {
        method: "POST",
        agent,
        headers: {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          "x-github-event": "push",
          "x-github-delivery": id,
          "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
        },
      },
      (response) => {
        response.resume();
        response.once("end", () => resolve(response.statusCode ?? 0));
        response.once("error", () => resolve(0));
      },
    );
    outgoing.once("error", () => resolve(0));
    outgoing.end(body);
  });
}
