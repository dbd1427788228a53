import type { FleetSettings } from "../../../core/settings/fleet-settings.js";

/** Program → the Debian package it comes with, besides those of every engine. */
const PROGRAMS = new Map([
  ["dockerd", "docker.io"],
  ["docker", "docker.io"],
  ["mmdebstrap", "mmdebstrap"],
  ["busybox", "busybox-static"],
]);

/** The same for Sluice's own registry of images. */
const OF_REGISTRY = new Map([
  ["docker-registry", "docker-registry"],
  ["openssl", "openssl"],
]);

/** What the engine `swarm` needs on this machine. */
export function swarmPrograms({ registry }: Pick<FleetSettings, "registry">): ReadonlyMap<string, string> {
  return registry === undefined ? new Map([...PROGRAMS, ...OF_REGISTRY]) : PROGRAMS;
}
