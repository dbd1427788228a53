import type { MapName } from "./state.js";

/** HAProxy's files and sockets, in its folder. */
export const paths = {
  configuration: (folder: string) => `${folder}/haproxy.cfg`,
  slots: (folder: string) => `${folder}/slots`,
  slot: (folder: string, slot: string) => `${folder}/slots/${slot}.cfg`,
  map: (folder: string, map: MapName) => `${folder}/${map}.map`,
  /** Microseconds, read as an IPv4 address → bucket: HAProxy finds the longest prefix. */
  buckets: (folder: string) => `${folder}/buckets.map`,
  script: (folder: string) => `${folder}/sluice.lua`,
  /** Written while it is kept at the current routes: for what decides whether visitors are led here (provisioning/tasks). */
  following: (folder: string) => `${folder}/following`,
  wakeSocket: (folder: string) => `${folder}/wake.sock`,
  adminSocket: (folder: string) => `${folder}/admin.sock`,
  masterSocket: (folder: string) => `${folder}/master.sock`,
} as const;
