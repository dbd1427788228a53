import { exitOf } from "../../../../core/exec/sandbox/exit-of.js";
import { formatAddress } from "../../../../core/instances/address.js";
import { describeEnd } from "../../describe-end.js";
import type { InstanceState } from "../../engine.js";
import { OUT_OF_MEMORY_STATUS } from "../starting/entry-script.js";
import { PROGRAM_SHELL } from "../starting/program-script.js";
import { describeRefusals, refusalsOf } from "./refusals.js";
import type { SwarmNode, SwarmTask } from "../swarm-api.js";

/** States of a task that has begun and ended (swarmkit, "Task lifecycle"). */
const ENDED = new Set(["complete", "failed"]);
/** Of one that its host could not even prepare. */
const REJECTED = "rejected";
/** Docker's words for a status that a container's own program had. */
const ENDED_ITSELF = /^task: non-zero exit/;
const UNHEALTHY = /unhealthy container/;
/** Docker's, of a container that it could not start for a reason of the host's. */
const NOT_STARTED_STATUS = 128;
const KILLED = { status: undefined, signal: "SIGKILL" } as const;
/** Of the last task only those are certain that its host tells of: one that is lost says `running` for ever. */
const SILENT_HOST = new Set(["down", "disconnected"]);

/** What a manager knows of an instance's tasks and of the nodes → its state. Pure. */
export function instanceState(
  id: string,
  tasks: readonly SwarmTask[],
  nodes: ReadonlyMap<string, SwarmNode>,
  nowMs: number,
): InstanceState {
  const current = currentTask(tasks, nodes);
  const node = current && nodes.get(current.NodeID);
  const running = current?.Status.State === "running";
  const ended = endedTasks(tasks);
  const refusals = describeRefusals(refusalsOf(tasks, nowMs), nodes);
  return {
    id,
    host: node?.Description.Hostname,
    address: current && node && addressOf(current, node),
    running,
    pid: running ? current.Status.ContainerStatus?.PID : undefined,
    ends: ended.length,
    lastEnd: lastEndOf(ended.at(-1)),
    ...(refusals.length === 0 ? {} : { refusals }),
  };
}

/** Those that ended by themselves, the last one last. A Swarm keeps a few of each instance. */
export function endedTasks(tasks: readonly SwarmTask[]): SwarmTask[] {
  return tasks
    .filter(({ Status }) => ENDED.has(Status.State))
    .sort((a, b) => a.Status.Timestamp.localeCompare(b.Status.Timestamp));
}

/** The one that is to run, on a host that is there: an address is worth nothing otherwise. */
export function currentTask(
  tasks: readonly SwarmTask[],
  nodes: ReadonlyMap<string, SwarmNode>,
): SwarmTask | undefined {
  return tasks
    .filter(({ DesiredState, Status }) => DesiredState === "running" && !isOver(Status.State))
    .filter(({ NodeID }) => !SILENT_HOST.has(nodes.get(NodeID)?.Status.State ?? "down"))
    .sort((a, b) => a.CreatedAt.localeCompare(b.CreatedAt))
    .at(-1);
}

function isOver(state: string): boolean {
  return ENDED.has(state) || state === REJECTED;
}

/** Where other hosts reach it. A manager knows itself by the address that it has announced. */
export function nodeAddress({ Status, ManagerStatus }: SwarmNode): string {
  const announced = ManagerStatus?.Addr.replace(/:\d+$/, "");
  return announced === undefined || announced === "" ? Status.Addr : announced;
}

function addressOf({ Status }: SwarmTask, node: SwarmNode): string | undefined {
  // It publishes one at most.
  const published = Status.PortStatus?.Ports?.[0];
  if (Status.State !== "running" || published === undefined) return undefined;
  return formatAddress({ kind: "port", host: nodeAddress(node), port: published.PublishedPort });
}

function lastEndOf(task: SwarmTask | undefined): string | undefined {
  if (task === undefined) return undefined;
  const { Err, ContainerStatus } = task.Status;
  // Docker ends it by TERM, and says only here why.
  if (UNHEALTHY.test(Err)) return "unhealthy: its HEALTHCHECK failed";
  const status = ContainerStatus?.ExitCode ?? 0;
  const hasRun = (ContainerStatus?.PID ?? 0) !== 0 || ![0, NOT_STARTED_STATUS].includes(status);
  if (!hasRun && Err !== "" && !ENDED_ITSELF.test(Err)) return `could not be started: ${Err}`;
  if (status === OUT_OF_MEMORY_STATUS) return describeEnd(KILLED, "memory");
  const exit = exitOf(status);
  if (exit.signal === "SIGXFSZ") return describeEnd(exit, "disk");
  // Nothing of ours runs beside an image's own program; Docker tells only its own host why it was killed.
  const isProgram = task.Spec?.ContainerSpec?.Command?.[0] === PROGRAM_SHELL;
  return describeEnd(exit, isProgram && exit.signal === KILLED.signal ? "perhaps memory" : undefined);
}
