import type { User } from "../../core/exec/exec.js";

/** One copy of a release's process, as it should run. */
export interface InstanceSpec {
  /** `APP.vN.PROCESS.INDEX`, unique. */
  readonly id: string;
  readonly app: string;
  /** A line for `sh -c`. */
  readonly command: string;
  /** The working folder. */
  readonly directory: string;
  /** The whole environment, without the address that `listen` adds. */
  readonly env: Readonly<Record<string, string>>;
  readonly user?: User;
  readonly memoryMegabytes: number;
  /** `port` adds PORT to the environment, `socket` adds SOCKET; `nothing` for a process that serves nobody. */
  readonly listen: "port" | "socket" | "nothing";
}

export interface InstanceState {
  readonly id: string;
  readonly address: string | undefined;
  /** Its process is there; not between two tries of one that keeps ending. */
  readonly running: boolean;
  /** Of its process group's first process; that one is there between two tries too. */
  readonly pid: number | undefined;
  /** How often it has ended since it was first started. */
  readonly ends: number;
  /** How it ended the last time: `status 1`, `killed by SIGKILL`. */
  readonly lastEnd: string | undefined;
}

/**
 * Runs instances. What it was given it keeps running (restarting what dies, with a growing pause) until it is told to
 * stop, whether the caller lives or not. Every method can be called again with the same effect.
 */
export interface Engine {
  /**
   * Starts an instance; one that it keeps already goes on as it was given first, whatever else the spec says now. Returns
   * where it will listen: `127.0.0.1:PORT`, `unix@PATH` or nothing.
   */
  start(spec: InstanceSpec): Promise<{ address: string | undefined }>;
  /** TERM to all its processes, `graceSeconds`, KILL; then forgets it. Its log stays. One that is unknown is no error. */
  stop(id: string, graceSeconds: number): Promise<void>;
  /** Every instance it keeps, of every app. */
  list(): Promise<InstanceState[]>;
  /** One instance, or undefined. */
  state(id: string): Promise<InstanceState | undefined>;
  /** Addresses on which the instance's processes listen now, for people (`0.0.0.0:3000`). */
  listening(id: string): Promise<string[]>;
  /** Its log, oldest line first: the last `lines`, then (with `follow`) what comes, until the signal aborts. */
  logs(id: string, options: LogOptions): AsyncIterable<LogLine>;
  /**
   * Removes the logs of instances that it keeps no more: of one, of a release (`APP.vN`) or of an app (`APP`), also of those
   * that were scaled away long ago.
   */
  forget(id: string): Promise<void>;
}

export interface LogOptions {
  readonly lines: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

export interface LogLine {
  /** ISO 8601. */
  readonly at: string;
  readonly text: string;
}
