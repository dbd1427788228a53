import { SIZED_ROLES } from "../../core/records/fleet/fleet-host.js";
import type { FleetNeeds } from "./fleet-needs.js";

/**
 * Once some host is for a role, others without a label for it get none of its instances. The server's own host, if it runs
 * instances, is for every role that some other host is for.
 */
export async function labelServer({ hosts, engine, settings }: FleetNeeds): Promise<void> {
  if (!settings.serverRunsInstances) return;
  const given = new Set((await hosts.list()).flatMap(({ roles }) => roles));
  const roles = SIZED_ROLES.filter((role) => given.has(role));
  const server = (await engine.list()).find(({ isServer }) => isServer);
  if (server === undefined || roles.every((role) => server.roles.includes(role))) return;
  await engine.labelRoles(server.id, [...new Set([...server.roles, ...roles])]);
}
