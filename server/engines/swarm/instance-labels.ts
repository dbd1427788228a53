import { createHash } from "node:crypto";

/** On services, secrets and nodes. */
export const LABELS = {
  /** Which Sluice has made it: several may use one Swarm. */
  owner: "sluice.owner",
  /** `APP.vN.PROCESS.INDEX` */
  instance: "sluice.instance",
  app: "sluice.app",
  release: "sluice.release",
  process: "sluice.process",
  index: "sluice.index",
  /** Of the hosts that it may run on. */
  role: "sluice.role",
  /** Of a node that takes no more instances, and whose own are moved to others: `true`. */
  draining: "sluice.draining",
  /** Of what removes old images from hosts: which Sluice has made it. */
  cleaner: "sluice.cleaner",
} as const;

/** A node with it is for instances of that role: `sluice.role.production=true`. */
export function roleLabel(role: string): string {
  return `sluice.role.${role}`;
}

/** Of a Swarm's names. */
const LONGEST_NAME = 63;
const HASH_LENGTH = 10;

/**
 * The name of an instance's service: one that people recognise, and that no other instance has, of whichever Sluice. Leaves
 * room for a part that names a version of its secret.
 */
export function serviceName(owner: string, id: string): string {
  const readable = id.replaceAll(".", "-").slice(0, LONGEST_NAME - 2 * (HASH_LENGTH + 1));
  return `${readable.replace(/-+$/, "")}-${hashOf(`${owner} ${id}`)}`;
}

export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, HASH_LENGTH);
}
