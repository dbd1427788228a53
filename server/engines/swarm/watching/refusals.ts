import type { SwarmNode, SwarmTask } from "../swarm-api.js";

/** After that a host may have room again. */
const REMEMBERED_MS = 5 * 60_000;
/** A host has prepared the task, and tried to run it. */
const BEGUN = new Set(["running", "complete", "failed"]);
/** A host has been given the task. It begins to prepare it within a moment, unless it cannot even write that down. */
const GIVEN = new Set(["assigned", "accepted"]);
const LONGEST_SILENCE_MS = 10_000;

/**
 * Host → why it could not prepare an instance, since that ran last: it cannot fetch the image, say, or its disk is full. `tasks`:
 * all of the instance that the Swarm knows. Pure.
 */
export function refusalsOf(tasks: readonly SwarmTask[], nowMs: number): Map<string, string> {
  const refusals = new Map<string, string>();
  for (const task of inOrder(tasks)) {
    const reason = refusalOf(task, nowMs);
    if (BEGUN.has(task.Status.State)) refusals.clear();
    else if (reason !== undefined) refusals.set(task.NodeID, reason);
  }
  return refusals;
}

/** The same for people: `web-2: No such image: …`. */
export function describeRefusals(
  refusals: ReadonlyMap<string, string>,
  nodes: ReadonlyMap<string, SwarmNode>,
): string[] {
  return [...refusals].map(([id, reason]) => `${nodes.get(id)?.Description.Hostname ?? id}: ${reason}`);
}

/** Hosts that could not prepare an instance a short while ago, and have not run one since. `tasks`: of all instances. Pure. */
export function refusingNodes(tasks: readonly SwarmTask[], nowMs: number): Set<string> {
  const nodes = new Set<string>();
  for (const task of inOrder(tasks)) {
    const isRecent = nowMs - Date.parse(task.Status.Timestamp) < REMEMBERED_MS;
    if (BEGUN.has(task.Status.State)) nodes.delete(task.NodeID);
    else if (refusalOf(task, nowMs) !== undefined && isRecent) nodes.add(task.NodeID);
  }
  return nodes;
}

function refusalOf({ CreatedAt, Status }: SwarmTask, nowMs: number): string | undefined {
  if (Status.State === "rejected") return Status.Err;
  // The host's clock, which may be slow, and the manager's.
  const silentMs = nowMs - Math.max(Date.parse(Status.Timestamp), Date.parse(CreatedAt));
  if (!GIVEN.has(Status.State) || silentMs < LONGEST_SILENCE_MS) return undefined;
  return `Docker has not begun to start it for ${Math.floor(silentMs / 1000)} s`;
}

function inOrder(tasks: readonly SwarmTask[]): SwarmTask[] {
  return [...tasks].sort((a, b) => a.Status.Timestamp.localeCompare(b.Status.Timestamp));
}
