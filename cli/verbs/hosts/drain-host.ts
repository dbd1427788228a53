import { drainedSchema } from "../../../core/api/machines/drain.js";
import { hostsSchema, type HostSummary } from "../../../core/api/machines/hosts.js";
import { systemClock } from "../../../core/clock.js";
import { AppError } from "../../../core/errors/app-error.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";

const POLL_MS = 500;

/**
 * Moves a host's instances to others and shows how that goes; Ctrl-C ends the showing alone. Throws `host-drain-stuck` when none
 * of those that are left can be moved now.
 */
export async function drainHost(context: Context, wanted: string): Promise<void> {
  const client = new Client(context);
  const began = systemClock.now();
  const { host } = await client.call("POST", apiPath("hosts", wanted, "drain"), drainedSchema);
  context.print(`-----> Draining ${host}`);
  for (let shown = ""; ;) {
    const summary = await summaryOf(client, host);
    if (summary === undefined || summary.left.length === 0) break;
    if (summary.phase === "down") {
      context.print(
        `       ${host} is down: what ran there is started on other hosts, and nothing comes back`,
      );
      return;
    }
    const line = lineOf(summary);
    if (line !== shown) context.print(line);
    shown = line;
    if (summary.left.every(({ problem }) => problem !== null))
      throw new AppError("host-drain-stuck", { host, problems: problemsOf(summary) });
    await systemClock.sleep(POLL_MS);
  }
  const seconds = ((systemClock.now() - began) / 1000).toFixed(1);
  context.print(`-----> Drained: no instance runs on ${host} (${seconds} s)`);
}

/** It takes instances again. */
export async function undrainHost(context: Context, wanted: string): Promise<void> {
  const path = apiPath("hosts", wanted, "undrain");
  const { host } = await new Client(context).call("POST", path, drainedSchema);
  context.print(`${host} takes instances again.`);
}

async function summaryOf(client: Client, host: string): Promise<HostSummary | undefined> {
  const hosts = await client.call("GET", apiPath("hosts"), hostsSchema);
  return hosts.find((each) => each.host === host);
}

function lineOf({ left }: HostSummary): string {
  return `       ${left.length} left: ${left.map(({ instance }) => instance).join(", ")}`;
}

function problemsOf({ left }: HostSummary): string[] {
  return left.map(({ instance, problem }) => `${instance}: ${problem ?? ""}`);
}
