import {
  billedSnapshotsSchema,
  snapshotBegunSchema,
  type SnapshotOptions,
} from "../../../core/api/machines/snapshots.js";
import { systemClock } from "../../../core/clock.js";
import { AppError } from "../../../core/errors/app-error.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import { followHost } from "../../client/follow-host.js";
import { hostLine } from "../../show/host-line.js";
import { snapshotLine } from "../../show/bill-lines.js";
import type { Context } from "../../start/context.js";

/** `sluice provision snapshot [--role ROLE]`. Throws `snapshot-not-taken`. */
export async function provisionSnapshot(context: Context, request: SnapshotOptions): Promise<void> {
  const client = new Client(context);
  const path = apiPath("hosts", "snapshots");
  const { snapshot, begun } = await client.call("POST", path, snapshotBegunSchema, request);
  if (begun !== null)
    await followHost(client, begun, {
      onLine: (line) => context.print(hostLine(line)),
      sleep: async (ms) => systemClock.sleep(ms),
    });
  const taken = (await client.call("GET", path, billedSnapshotsSchema)).find(({ name }) => name === snapshot);
  if (taken === undefined) throw new AppError("snapshot-not-taken", { snapshot });
  const text = begun === null ? "The snapshot is there already" : "The snapshot is taken";
  context.print(hostLine({ kind: "heading", text }));
  context.print(hostLine({ kind: "task", text: snapshotLine(taken) }));
}
