import type { RemoteHost } from "../ssh/remote-host.js";
import type { HostPlan } from "./host-plan.js";

/** One thing that a host has, or does. It is looked at, set if it is not as it should be, and looked at again. */
export interface Task {
  /** For people: `Docker's settings`. */
  readonly name: string;
  readonly deadlineMs: number;
  /** What is not as it should be, a line each, without secrets. Changes nothing. Throws `host-unfit` for what cannot be set. */
  readonly check: (host: RemoteHost, plan: HostPlan) => Promise<string[]>;
  /** Can be cut short anywhere, and run again. `tell`: what takes long, for people. */
  readonly apply: (host: RemoteHost, plan: HostPlan, tell: (text: string) => void) => Promise<void>;
}

/** Deadlines, from what takes a moment to what is fetched from far away. */
export const DEADLINE_MS = { quick: 60_000, slow: 600_000 } as const;
