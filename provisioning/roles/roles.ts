import type { FleetRole } from "../../core/records/fleet/fleet-host.js";
import { adminKeys } from "../tasks/system/admin-keys.js";
import { dockerSettings } from "../tasks/docker/docker-settings.js";
import { firewall } from "../tasks/system/firewall.js";
import { hostName } from "../tasks/system/host-name.js";
import { nodeForApps, nodeRuntime } from "../tasks/sluice/node-runtime.js";
import { noIdentity } from "../tasks/system/no-identity.js";
import { packages } from "../tasks/system/packages.js";
import { registryAuthority } from "../tasks/docker/registry-authority.js";
import { sluiceRelease } from "../tasks/sluice/sluice-release.js";
import { sluiceService } from "../tasks/sluice/sluice-service.js";
import { firstSettings, sluiceSettings } from "../tasks/sluice/sluice-settings.js";
import { sshServer } from "../tasks/system/ssh-server.js";
import { swap } from "../tasks/system/swap.js";
import { swarmMembership } from "../tasks/docker/swarm-membership.js";
import type { Task } from "../tasks/task.js";
import { timeSync } from "../tasks/system/time-sync.js";
import { upgrades } from "../tasks/system/upgrades.js";
import { virtualAddress } from "../tasks/system/virtual-address.js";

export type ProvisionedRole = "server" | FleetRole;

/** What every machine has, in this order: a machine is safe before it is useful. */
const BASE: readonly Task[] = [packages, adminKeys, sshServer, firewall, hostName, upgrades, timeSync, swap];
const SLUICE: readonly Task[] = [nodeRuntime, sluiceRelease, sluiceSettings, sluiceService];
const INSTANCES: readonly Task[] = [dockerSettings, registryAuthority, swarmMembership];

const SERVER: readonly Task[] = [
  ...BASE,
  ...[nodeRuntime, nodeForApps, sluiceRelease, firstSettings, sluiceService],
];

/** Role → what it adds to the base, and before Sluice. */
const TASKS: Readonly<Record<ProvisionedRole, readonly Task[]>> = {
  server: [],
  proxy: [],
  redis: [],
  production: INSTANCES,
  staging: INSTANCES,
};

const BASE_PACKAGES = ["ca-certificates", "nftables", "unattended-upgrades", "sudo", "procps", "iproute2"];

const PACKAGES: Readonly<Record<ProvisionedRole, readonly string[]>> = {
  server: [
    ...["git", "haproxy", "redis-server", "runit", "bubblewrap", "util-linux", "bash", "tar", "openssl"],
    "iptables",
  ],
  proxy: ["haproxy", "runit"],
  redis: ["redis-server", "runit"],
  production: ["docker.io", "iptables"],
  staging: ["docker.io", "iptables"],
};

/** The tasks of a host with these roles, in their order. */
export function tasksOf(roles: readonly ProvisionedRole[]): readonly Task[] {
  if (roles.includes("server")) return SERVER;
  const own = new Set(roles.flatMap((role) => TASKS[role]));
  // Last: no visitor is led to a proxy that does not work yet.
  return [...BASE, ...own, ...SLUICE, ...(roles.includes("proxy") ? [virtualAddress] : [])];
}

/** What a snapshot for a role has: what is the same on each of its hosts, and no secret. */
export const SNAPSHOT: readonly Task[] = [
  ...[packages, adminKeys, sshServer, upgrades, timeSync],
  ...[nodeRuntime, sluiceRelease, noIdentity],
];

/** The Debian packages that they need. */
export function packagesOf(
  roles: readonly ProvisionedRole[],
  { sharesAddress }: { readonly sharesAddress: boolean },
): string[] {
  const own = roles.flatMap((role) => PACKAGES[role]);
  return [...new Set([...BASE_PACKAGES, ...own, ...(sharesAddress ? ["keepalived"] : [])])];
}

/** The roles of `sluice up` for a host with these roles. */
export function upRolesOf(roles: readonly ProvisionedRole[]): string[] {
  if (roles.includes("server")) return ["server", "proxy", "monitor"];
  return [...roles.filter((role) => role === "proxy" || role === "redis"), "monitor"];
}
