import type { Exit, User } from "../../core/exec/exec.js";
import type { InstanceLimits, PlacedProgram, PlacedTree } from "./engine.js";

/** A command that runs once and ends: an installation, a gate, a build, a release command. */
export interface TaskSpec {
  readonly app: string;
  /** `v42` */
  readonly release: string;
  readonly artifact: PlacedTree | PlacedProgram;
  /** `kept`: what it writes in the artifact's folder stays; of a `program`, in the image of that name. */
  readonly changes: "kept" | "lost";
  /** A line for `sh -c`, run in the artifact's folder. */
  readonly command: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly user?: User;
  readonly limits: InstanceLimits;
  /** Other folders that it may write in: folder → where it finds them. */
  readonly folders?: Readonly<Record<string, string>>;
}

export interface TaskOptions {
  /** Ends the task when it aborts. */
  readonly signal: AbortSignal;
  /** Called with each line of its output. */
  readonly onLine: (line: string) => void;
}

export interface TaskEnd extends Exit {
  /** Limits that stood in its way. */
  readonly exceeded: readonly ("memory" | "processes")[];
}

/** Runs tasks, at a lower priority than instances. */
export interface Tasks {
  /** Resolves when the command and everything it started have ended. Rejects with the signal's reason. */
  runOnce(task: TaskSpec, options: TaskOptions): Promise<TaskEnd>;
  /** Ends what tasks of an earlier server left running. Returns the number of processes. */
  endLeftovers(): Promise<number>;
}
