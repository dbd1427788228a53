import { Agent, request } from "node:http";
import { pause } from "../pause.js";
import { wallClock } from "../machine/wall-clock.js";

const PAUSE_MS = 3;
const TIMEOUT_MS = 60_000;

/** Asks over one kept connection, with 3 ms between answer and question, until `release` answers. Gives that moment (wall clock). */
export async function firstAnswerOf(release: string, port: number, host: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const deadline = wallClock() + TIMEOUT_MS;
  try {
    while (wallClock() < deadline) {
      if ((await answeringRelease(agent, port, host)) === release) return wallClock();
      await pause(PAUSE_MS);
    }
    throw new Error(`${release} did not answer within ${TIMEOUT_MS / 1000} s`);
  } finally {
    agent.destroy();
  }
}

async function answeringRelease(agent: Agent, port: number, host: string): Promise<unknown> {
  return new Promise((resolve) => {
    const outgoing = request({ host: "127.0.0.1", port, path: "/status", headers: { host }, agent });
    outgoing.once("response", (response) => {
      response.resume();
      response.once("end", () =>
        resolve(response.statusCode === 200 ? response.headers["sluice-release"] : undefined),
      );
      response.once("error", () => resolve(undefined));
    });
    outgoing.once("error", () => resolve(undefined));
    outgoing.end();
  });
}
