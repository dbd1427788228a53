import { adminKeys } from "../tasks/admin-keys.js";
import { dockerSettings } from "../tasks/docker-settings.js";
import { firewall } from "../tasks/firewall.js";
import { hostName } from "../tasks/host-name.js";
import { nodeRuntime } from "../tasks/node-runtime.js";
import { packages } from "../tasks/packages.js";
import { registryAuthority } from "../tasks/registry-authority.js";
import { sluiceRelease } from "../tasks/sluice-release.js";
import { sluiceService } from "../tasks/sluice-service.js";
import { sluiceSettings } from "../tasks/sluice-settings.js";
import { sshServer } from "../tasks/ssh-server.js";
import { swap } from "../tasks/swap.js";
import { swarmMembership } from "../tasks/swarm-membership.js";
import type { Task } from "../tasks/task.js";
import { timeSync } from "../tasks/time-sync.js";
import { upgrades } from "../tasks/upgrades.js";

export type ProvisionedRole = "server" | "proxy" | "redis" | "production" | "staging";

/** What every machine has, in this order: a machine is safe before it is useful. */
const BASE: readonly Task[] = [packages, adminKeys, sshServer, firewall, hostName, upgrades, timeSync, swap];
const SLUICE: readonly Task[] = [nodeRuntime, sluiceRelease, sluiceSettings, sluiceService];
const INSTANCES: readonly Task[] = [dockerSettings, registryAuthority, swarmMembership];

/** Role → what it adds to the base, and before Sluice. */
const TASKS: Readonly<Record<ProvisionedRole, readonly Task[]>> = {
  server: [dockerSettings],
  proxy: [],
  redis: [],
  production: INSTANCES,
  staging: INSTANCES,
};

const BASE_PACKAGES = ["ca-certificates", "nftables", "unattended-upgrades", "sudo", "procps", "iproute2"];

const PACKAGES: Readonly<Record<ProvisionedRole, readonly string[]>> = {
  server: [
    ...["git", "haproxy", "redis-server", "runit", "bubblewrap", "util-linux", "bash", "tar", "openssl"],
    ...["docker.io", "docker-registry", "mmdebstrap", "busybox-static", "iptables"],
  ],
  proxy: ["haproxy", "runit"],
  redis: ["redis-server", "runit"],
  production: ["docker.io", "iptables"],
  staging: ["docker.io", "iptables"],
};

/** The tasks of a host with these roles, in their order. */
export function tasksOf(roles: readonly ProvisionedRole[]): Task[] {
  const own = new Set(roles.flatMap((role) => TASKS[role]));
  return [...BASE, ...own, ...SLUICE];
}

/** The Debian packages that they need. */
export function packagesOf(roles: readonly ProvisionedRole[]): string[] {
  return [...new Set([...BASE_PACKAGES, ...roles.flatMap((role) => PACKAGES[role])])];
}

/** The roles of `sluice up` for a host with these roles. */
export function upRolesOf(roles: readonly ProvisionedRole[]): string[] {
  if (roles.includes("server")) return ["server", "proxy", "monitor"];
  return [
    ...(roles.includes("proxy") ? ["proxy"] : []),
    ...(roles.includes("redis") ? ["redis"] : []),
    "monitor",
  ];
}
