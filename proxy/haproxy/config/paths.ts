import type { MapName } from "./state.js";

/** HAProxy's files and sockets, in its folder. */
export const paths = {
  configuration: (folder: string) => `${folder}/haproxy.cfg`,
  slots: (folder: string) => `${folder}/slots`,
  slot: (folder: string, slot: string) => `${folder}/slots/${slot}.cfg`,
  map: (folder: string, map: MapName) => `${folder}/${map}.map`,
  /** Microseconds, read as an IPv4 address → bucket: HAProxy finds the longest prefix. */
  buckets: (folder: string) => `${folder}/buckets.map`,
  /** Page → what HAProxy answers with it. */
  pages: (folder: string) => `${folder}/pages.map`,
  script: (folder: string) => `${folder}/sluice.lua`,
  /** Written while it is kept at the current routes: for what decides whether visitors are led here (provisioning/tasks). */
  following: (folder: string) => `${folder}/following`,
  certificates: (folder: string) => `${folder}/certificates`,
  certificate: (folder: string, name: string) => `${folder}/certificates/${name}.pem`,
  /** Which certificate is served for which names (configuration manual 2.6, 5.1, `crt-list`). The first is for all others. */
  certificateList: (folder: string) => `${folder}/certificates/list.txt`,
  /** Token of an authority → what it is answered. */
  challenges: (folder: string) => `${folder}/challenges.map`,
  /** Lines of access logs come through it. */
  accessPipe: (folder: string) => `${folder}/access.pipe`,
  wakeSocket: (folder: string) => `${folder}/wake.sock`,
  adminSocket: (folder: string) => `${folder}/admin.sock`,
  masterSocket: (folder: string) => `${folder}/master.sock`,
} as const;
