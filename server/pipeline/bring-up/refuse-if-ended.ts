import { AppError } from "../../../core/errors/app-error.js";
import { instanceName } from "../../../core/instances/instance-id.js";
import type { Artifact } from "../../../core/records/releases/artifact.js";
import type { InstanceRecord } from "../../../core/records/releases/release-record.js";
import type { InstanceState } from "../../engines/engine.js";
import type { InstanceLogs } from "../../engines/instance-logs.js";
import { unlessUnavailable } from "../../engines/unless-unavailable.js";
import type { ReleaseWork } from "../step.js";

const LOG_LINES = 20;
/** It does not tell whether it did. */
const OF_DOCKER = "Its image has a HEALTHCHECK: Docker ends an instance that fails it.";

/**
 * Throws `instance-died` when an instance has ended since this work started it. Returns its state; while the engine does not
 * answer, nothing is known.
 */
export async function refuseIfEnded(
  { tools, endsBefore, record }: ReleaseWork,
  instance: Pick<InstanceRecord, "id" | "process" | "index">,
): Promise<InstanceState | undefined> {
  const state = await unlessUnavailable(tools.engine.state(instance.id));
  if (state === undefined || state.ends <= (endsBefore.get(instance.id) ?? 0)) return state;
  throw new AppError("instance-died", {
    instance: instanceName(instance),
    status: state.lastEnd ?? "unknown",
    remark: mayBeUnhealthy(record.artifact, state.lastEnd) ? OF_DOCKER : "",
    log: await lastLines(tools.logs, instance.id),
  });
}

function mayBeUnhealthy(artifact: Artifact, lastEnd = ""): boolean {
  if (artifact.kind !== "dockerfile" || artifact.program.healthCheck === undefined) return false;
  return !lastEnd.startsWith("unhealthy");
}

/** What an instance wrote at last, for a message. */
export async function lastLines(logs: InstanceLogs, id: string): Promise<string> {
  const lines: string[] = [];
  const { signal } = new AbortController();
  for await (const { text } of logs.read(id, { lines: LOG_LINES, follow: false, signal }))
    lines.push(`  ${text}`);
  return lines.join("\n");
}
