import type { User } from "../../core/exec/exec.js";
import type { ImageProgram } from "../../core/records/releases/artifact.js";
import type { InstanceRole } from "./engine-hosts.js";

/** What instances and tasks run from, where the engine finds it. */
export type PlacedArtifact = PlacedTree | PlacedImage | PlacedProgram;

export interface PlacedTree {
  readonly kind: "tree";
  readonly folder: string;
  /** Where its programs find it. */
  readonly at: string;
}

/** Of a release's tree, in a registry that every host reaches. */
export interface PlacedImage {
  readonly kind: "image";
  /** `REGISTRY/APP@sha256:…` */
  readonly reference: string;
  readonly at: string;
}

/** An image that brings its own way to start, and is whatever its Dockerfile made of it. */
export interface PlacedProgram {
  readonly kind: "program";
  readonly reference: string;
  readonly program: ImageProgram;
}

/** One copy of a release's process: what should run. The engine decides where. */
export interface InstanceSpec {
  /** `core/instances/instance-id`. */
  readonly id: string;
  readonly app: string;
  readonly artifact: PlacedArtifact;
  /** A line for `sh -c`, run in the artifact's folder; empty: what a `program` starts by itself. */
  readonly command: string;
  /** The environment, without the address that `listen` adds. A `program` has its own besides. */
  readonly env: Readonly<Record<string, string>>;
  readonly user?: User;
  readonly limits: InstanceLimits;
  /** `port` adds PORT to the environment, `socket` adds SOCKET; `nothing` for a process that serves nobody. */
  readonly listen: "port" | "socket" | "nothing";
  /** Of the hosts it may run on; where no host has one, and on one machine, it runs anywhere. */
  readonly role?: InstanceRole;
}

export interface InstanceLimits {
  readonly memoryMegabytes: number;
  /** Processes and threads. */
  readonly processes: number;
  /** Of what it writes into its folder, and of its /tmp; both lie in memory. */
  readonly scratchMegabytes: number;
}

export interface InstanceState {
  readonly id: string;
  /** The host it runs on; undefined while it runs nowhere. */
  readonly host: string | undefined;
  /** Where it listens (`core/instances/address`), as soon as that is decided. It may change while the instance is kept. */
  readonly address: string | undefined;
  /** Its process exists. False between two tries of one that keeps ending. */
  readonly running: boolean;
  /** Of its process group's first process, on its host; that one exists between two tries too. */
  readonly pid: number | undefined;
  /** How often it has ended since it was first started. */
  readonly ends: number;
  /** How it ended the last time: `status 1`, `killed by SIGKILL`, `killed by SIGKILL, out of memory`. */
  readonly lastEnd: string | undefined;
  /** Of an engine with several hosts: those that could not start it, and why (`web-2: No such image: …`), since it ran last. */
  readonly refusals?: readonly string[];
}

/**
 * Runs instances. It keeps an instance running (and restarts it when it dies, after a pause) until the instance is
 * stopped, whether the caller lives or not. Every method can be called again with the same effect. An engine that cannot
 * be reached throws `engine-unavailable`: then nothing is known about its instances, least of all that they are gone.
 */
export interface Engine {
  /**
   * Starts an instance. One that it keeps already stays as it was first given, whatever the spec says now. Where it listens
   * is found in its state, then or later.
   */
  start(spec: InstanceSpec): Promise<void>;
  /** TERM to all its processes, `graceSeconds`, KILL; then forgets it. Its log stays. An unknown one is no error. */
  stop(id: string, graceSeconds: number): Promise<void>;
  /** Every instance it keeps, of every app. */
  list(): Promise<InstanceState[]>;
  /** One instance; undefined when it keeps none of that id. */
  state(id: string): Promise<InstanceState | undefined>;
  /** Addresses on which the instance's processes listen now, for people (`0.0.0.0:3000`). */
  listening(id: string): Promise<string[]>;
  /** Instances that share a host with others of their process while another host has none of it; one of each process. */
  crowded(): Promise<string[]>;
  /** The states of instances that got another address, as that happens; some may be missed (`list` has them). Ends when the signal aborts. */
  moves(signal: AbortSignal): AsyncIterable<InstanceState>;
}
