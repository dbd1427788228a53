import type { Command } from "commander";
import { systemClock } from "../../../core/clock.js";
import { alertsSummarySchema } from "../../../core/api/machines/alerts.js";
import { hostSamplesSchema, hostsSchema } from "../../../core/api/machines/hosts.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { CHART_SECONDS, topLines, type TopHost } from "../../show/top-lines.js";

const EVERY_MS = 1000;
/** ECMA-48: the cursor to the top left; clear from there on. */
const FROM_THE_TOP = "\u001b[H\u001b[J";

/** `sluice top`: once a second until Ctrl-C on a terminal, else once. */
export function topVerb(command: Command, context: () => Promise<Context>): void {
  command.action(async () => top(await context()));
}

async function top(context: Context): Promise<void> {
  const client = new Client(context);
  for (;;) {
    const lines = await look(client);
    context.print((context.isTerminal ? FROM_THE_TOP : "") + lines.join("\n"));
    if (!context.isTerminal) return;
    await systemClock.sleep(EVERY_MS);
  }
}

async function look(client: Client): Promise<string[]> {
  const summaries = await client.call("GET", apiPath("hosts"), hostsSchema);
  const from = Date.now() - CHART_SECONDS * 1000;
  const hosts = await Promise.all(
    summaries
      .filter(({ startedAt }) => startedAt !== null)
      .map(async (summary): Promise<TopHost> => {
        const path = `${apiPath("hosts", summary.host, "samples")}?step=1&from=${from}`;
        return { summary, samples: await client.call("GET", path, hostSamplesSchema) };
      }),
  );
  return topLines(hosts, await client.call("GET", apiPath("alerts"), alertsSummarySchema), Date.now());
}
