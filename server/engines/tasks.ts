import type { Exit, User } from "../../core/exec/exec.js";
import type { PlacedArtifact } from "./engine.js";

/** A command that runs once and ends: an installation, a gate, a build, a release command. */
export interface TaskSpec {
  readonly app: string;
  /** `v42` */
  readonly release: string;
  readonly artifact: PlacedArtifact;
  /** A line for `sh -c`, run in the artifact's folder. */
  readonly command: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly user?: User;
}

export interface TaskOptions {
  /** Ends the task when it aborts. */
  readonly signal: AbortSignal;
  /** Called with each line of its output. */
  readonly onLine: (line: string) => void;
}

/** Runs tasks, at a lower priority than instances. */
export interface Tasks {
  /** Resolves when the command and everything it started have ended. Rejects with the signal's reason. */
  runOnce(task: TaskSpec, options: TaskOptions): Promise<Exit>;
  /** Ends what tasks of an earlier server left running. Returns the number of processes. */
  endLeftovers(): Promise<number>;
}
