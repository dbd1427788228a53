import { AppError } from "../../core/errors/app-error.js";
import type { FleetHost, FleetRole } from "../../core/records/fleet/fleet-host.js";

/** A DNS label of at most 40 characters with a letter first. */
const HOST_NAME = /^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,39}$/;

/** Throws `fleet-name-invalid`. */
export function parseHostName(name: string): string {
  if (!HOST_NAME.test(name)) throw new AppError("fleet-name-invalid", { name });
  return name;
}

/** `production-3`, where there are two. */
export function freeHostName(role: FleetRole, hosts: readonly Pick<FleetHost, "name">[]): string {
  const names = new Set(hosts.map(({ name }) => name));
  let number = 1;
  while (names.has(`${role}-${number}`)) number++;
  return `${role}-${number}`;
}
