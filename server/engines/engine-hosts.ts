/** What an instance's host can be for. */
export type InstanceRole = "production" | "staging";

/** A host that runs instances, as the engine knows it. */
export interface EngineHost {
  /** The engine's own. */
  readonly id: string;
  /** Its host name. */
  readonly name: string;
  /** At which the other hosts reach it. */
  readonly address: string;
  /** What it is labelled for; none where it is for all. */
  readonly roles: readonly InstanceRole[];
  /** Whether this Sluice's server runs there. */
  readonly isServer: boolean;
  /** `unknown`: it may be back in a moment, so nothing follows from it. */
  readonly state: "ready" | "down" | "unknown";
  /** Whether it takes new instances now. */
  readonly takesInstances: boolean;
  /** Whether it takes no more instances, and those that it has are moved to others. */
  readonly draining: boolean;
  /** Ids of the instances that run there, or that it has not let go: one that is down may still run them. */
  readonly instances: readonly string[];
}

/**
 * The hosts of an engine that has several. What is set is kept by the engine itself, so that it outlives the server. Each method
 * can be called again with the same effect, and throws `engine-unavailable`.
 */
export interface EngineHosts {
  list(): Promise<EngineHost[]>;
  /** With what other hosts join, and where: `10.0.0.2:2377`. */
  joinToken(): Promise<{ readonly token: string; readonly manager: string }>;
  /** From then on it is for these roles, and others mean nothing. */
  labelRoles(id: string, roles: readonly string[]): Promise<void>;
  /** Begins or ends a drain. Moving the instances is the caller's. Throws `host-unknown`. */
  setDraining(id: string, draining: boolean): Promise<void>;
  /** Forgets a host that runs nothing, or is down. Throws `host-in-use`. */
  remove(id: string): Promise<void>;
}

/** Whether some host takes an instance of that role now. Where no host has the role, any host does. Pure. */
export function hasRoomFor(role: InstanceRole, hosts: readonly EngineHost[]): boolean {
  const own = hosts.filter(({ roles }) => roles.includes(role));
  return (own.length > 0 ? own : hosts).some(({ takesInstances }) => takesInstances);
}
