/** Program → the Debian package it comes with, besides those of every engine. */
export const SWARM_PROGRAMS = new Map([
  ["dockerd", "docker.io"],
  ["docker-registry", "docker-registry"],
  ["docker", "docker.io"],
  ["mmdebstrap", "mmdebstrap"],
  ["busybox", "busybox-static"],
  ["openssl", "openssl"],
]);
