import { hostProgressSchema, type Begun, type HostProgress } from "../../core/api/machines/provision.js";
import { apiPath } from "./api-path.js";
import type { Client } from "./client.js";

const POLL_MS = 500;

export interface FollowHostOptions {
  readonly onLine: (line: HostProgress["lines"][number]) => void;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Hands on what is done to a host, as it is done. Returns its phase in the end; null when it is gone. */
export async function followHost(
  client: Client,
  { host, after }: Begun,
  { onLine, sleep }: FollowHostOptions,
): Promise<HostProgress["phase"]> {
  let last = after;
  for (;;) {
    const path = `${apiPath("hosts", host, "log")}?after=${last}`;
    const { lines, active, phase } = await client.call("GET", path, hostProgressSchema);
    for (const line of lines) onLine(line);
    last = lines.at(-1)?.id ?? last;
    // What was written between the reading of the lines and that of the phase comes in one more round.
    if (!active && lines.length === 0) return phase;
    if (active) await sleep(POLL_MS);
  }
}
