import { systemClock } from "../core/clock.js";
import type { AlertsSummary } from "../server/api/alerts-api.js";
import type { HostSamples, HostSummary } from "../server/api/hosts-api.js";
import { Client } from "./client.js";
import type { Context } from "./context.js";
import { CHART_SECONDS, topLines, type TopHost } from "./show-top.js";

const EVERY_MS = 1000;
/** ECMA-48: the cursor to the top left; clear from there on. */
const FROM_THE_TOP = "\u001b[H\u001b[J";

/** `sluice top`: once a second until Ctrl-C on a terminal, else once. */
export async function top(context: Context, { isTerminal }: { isTerminal: boolean }): Promise<void> {
  const client = new Client(context);
  for (;;) {
    const lines = await look(client);
    context.print((isTerminal ? FROM_THE_TOP : "") + lines.join("\n"));
    if (!isTerminal) return;
    await systemClock.sleep(EVERY_MS);
  }
}

async function look(client: Client): Promise<string[]> {
  // The shapes are the server's own: both come from one build.
  const summaries = (await client.call("GET", "/api/hosts")) as HostSummary[];
  const from = Date.now() - CHART_SECONDS * 1000;
  const hosts = await Promise.all(
    summaries.map(async (summary): Promise<TopHost> => {
      const path = `/api/hosts/${encodeURIComponent(summary.host)}/samples?step=1&from=${from}`;
      return { summary, samples: (await client.call("GET", path)) as HostSamples };
    }),
  );
  return topLines(hosts, (await client.call("GET", "/api/alerts")) as AlertsSummary, Date.now());
}
