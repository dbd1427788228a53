import type { HaproxyOptions } from "../haproxy-options.js";
import { paths } from "../paths.js";
import { maxConnectionsLine } from "./max-connections-line.js";

/** HAProxy configuration manual 2.6, section 3. */
export function globalSection(options: HaproxyOptions): string {
  return `global
  stats socket ${paths.adminSocket(options.folder)} mode 600 level admin expose-fd listeners
  fd-hard-limit ${options.openFiles}
  lua-load-per-thread ${paths.script(options.folder)}
${maxConnectionsLine(options)}${options.user === undefined ? "" : `  user ${options.user}\n  group ${options.user}\n`}`;
}
