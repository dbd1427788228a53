import { begunSchema } from "../../../core/api/machines/provision.js";
import { systemClock } from "../../../core/clock.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import { followHost } from "../../client/follow-host.js";
import { hostLine } from "../../show/host-line.js";
import type { Context } from "../../start/context.js";

export interface RemoveOptions {
  readonly force?: boolean;
}

/** Takes out a host that Sluice configures, and shows how that goes. Ctrl-C ends the showing alone. */
export async function removeHost(
  context: Context,
  host: string,
  { force = false }: RemoveOptions,
): Promise<void> {
  const client = new Client(context);
  const begun = await client.call("POST", apiPath("hosts", host, "remove"), begunSchema, { force });
  await followHost(client, begun, {
    onLine: (line) => context.print(hostLine(line)),
    sleep: async (ms) => systemClock.sleep(ms),
  });
}
