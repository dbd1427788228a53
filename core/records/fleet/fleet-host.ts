import { z } from "zod";
import type { HostRole } from "../hosts/host-record.js";

/** What a host can be provisioned for. The monitor runs on every host and is no role. */
export const FLEET_ROLES = ["proxy", "redis", "production", "staging"] as const satisfies readonly HostRole[];
export type FleetRole = (typeof FLEET_ROLES)[number];

/** Those that run instances: how many hosts they have follows the load. */
export const SIZED_ROLES = ["production", "staging"] as const satisfies readonly FleetRole[];
export type SizedRole = (typeof SIZED_ROLES)[number];

export function isSizedRole(role: string): role is SizedRole {
  return role === "production" || role === "staging";
}

/**
 * `creating`: a droplet that is ordered · `configuring`: reached over SSH · `saving`: its disk becomes a snapshot · `ready`: joined · `leaving`: its instances drain,
 * then it leaves and a droplet is destroyed · `failed`: see `failure`. A record is removed with its host.
 */
export const FLEET_PHASES = ["creating", "configuring", "saving", "ready", "leaving", "failed"] as const;
export type FleetPhase = (typeof FLEET_PHASES)[number];

/** What may follow what. A failed host is configured again, or leaves. */
export const NEXT_PHASES: Readonly<Record<FleetPhase, readonly FleetPhase[]>> = {
  creating: ["configuring", "leaving", "failed"],
  configuring: ["saving", "ready", "leaving", "failed"],
  saving: ["leaving", "failed"],
  ready: ["configuring", "leaving"],
  leaving: [],
  failed: ["configuring", "leaving"],
};

const dropletSchema = z.object({
  /** A tag of its own, by which it is found when the answer to its order was lost. */
  mark: z.string(),
  /** Undefined until its order was answered. */
  id: z.number().optional(),
  size: z.string(),
  region: z.string(),
  image: z.union([z.string(), z.number()]),
  /** US dollars a month. */
  monthlyUsd: z.number(),
  /** The host's first SSH key pair, in OpenSSH's format and sealed, until another has replaced it. */
  sealedHostKey: z.string().optional(),
  /** The private half of `nextHostKey`, sealed. */
  sealedNextHostKey: z.string().optional(),
});

const failureSchema = z.object({
  /** What was being done: a step, or a task of its configuration. */
  step: z.string(),
  message: z.string(),
  hint: z.string(),
  at: z.string(),
});

export const fleetHostSchema = z.object({
  v: z.literal(1),
  /** Its host name, and what it is called everywhere. */
  name: z.string(),
  roles: z.array(z.enum(FLEET_ROLES)),
  phase: z.enum(FLEET_PHASES),
  /** Of the phase; ISO 8601. */
  since: z.string(),
  createdAt: z.string(),
  /** Whose token it was, or `autoscaler`. */
  by: z.string(),
  reason: z.string().optional(),
  /** Of its order: the same one, sent again, orders nothing. */
  idempotencyKey: z.string().optional(),
  /** The last line of its log when it was ordered: what is done to it comes after that. */
  logAfter: z.string().optional(),
  /** Where SSH reaches it. Undefined while a droplet has none. */
  address: z.string().optional(),
  port: z.number(),
  user: z.string(),
  /** At which the other hosts reach it. */
  privateAddress: z.string().optional(),
  /** `ssh-ed25519 AAAA…`; undefined until it was seen first. */
  hostKey: z.string().optional(),
  /** By which it may be known already: it is being given another. */
  nextHostKey: z.string().optional(),
  /** A private SSH key that reaches it first, sealed, until Sluice's own does. */
  sealedIdentity: z.string().optional(),
  /** systemd's, by which a machine is known when it gets another name (machine-id(5)). */
  machineId: z.string().optional(),
  /** Of the Swarm. */
  node: z.string().optional(),
  /** Of the Sluice that was put there last. */
  version: z.string().optional(),
  droplet: dropletSchema.optional(),
  /** Of a droplet from whose disk later ones of a role are made. It has no role itself, and is destroyed then. */
  snapshot: z.object({ role: z.enum(FLEET_ROLES) }).optional(),
  /** Private addresses of the hosts that it lets in. */
  peers: z.array(z.string()).default([]),
  /** Of the proxies with which it shares an address, itself among them; empty for one that shares none. */
  proxies: z.array(z.string()).default([]),
  /** Of the replicas of Redis that it knows. */
  replicas: z.array(z.string()).default([]),
  /** Whether it has the reserved IP that proxies share. */
  hasReservedAddress: z.boolean().default(false),
  /** Since when the engine has lost it; ISO 8601. */
  downSince: z.string().optional(),
  /** From its order on, the first time. */
  readyAfterSeconds: z.number().optional(),
  failure: failureSchema.optional(),
  /** A droplet that fails stays, for a look at it. */
  keepFailed: z.boolean().default(false),
  /** Whether its instances may be cut off: it is gone for good. */
  isGone: z.boolean().default(false),
});

/** A host that Sluice configures: what is known of it, and how far it is. */
export type FleetHost = z.infer<typeof fleetHostSchema>;
