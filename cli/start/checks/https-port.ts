import { readFile } from "node:fs/promises";
import { serviceState } from "../../../core/exec/runsv.js";
import type { Home } from "../../../core/home.js";
import type { Settings } from "../../../core/settings/settings.js";
import { paths } from "../../../proxy/haproxy/config/paths.js";
import type { Context } from "../context.js";
import { isPortFree } from "./port-check.js";

export interface HttpsPort {
  /** Undefined: there is no https. */
  readonly httpsPort: number | undefined;
  /** The usual port, when somebody else has it, and nobody has set another. */
  readonly taken: number | undefined;
}

/** Where https is served: as it is set, else at the usual port, unless another program has that. */
export async function httpsPortOf({
  home,
  settings,
  path,
}: Pick<Context, "home" | "settings" | "path">): Promise<HttpsPort> {
  const { bind, httpPort, httpsPort } = settings;
  if (httpsPort !== undefined)
    return { httpsPort: httpsPort === 0 ? undefined : httpsPort, taken: undefined };
  const usual = httpPort === 80 ? 443 : 8443;
  const isFree =
    (await isServedByUs(home, usual)) || (await isPortFree(bind, usual, { name: "haproxy", path }));
  return isFree ? { httpsPort: usual, taken: undefined } : { httpsPort: undefined, taken: usual };
}

/** Whether our HAProxy, which runs on while the server is away, has this port for TLS. */
export async function isServedByUs(home: Home, port: number): Promise<boolean> {
  if ((await serviceState(home.service("haproxy"))).pid === undefined) return false;
  const folder = home.haproxy().replace(/\/$/, "");
  const text = await readFile(paths.configuration(folder), "utf8").catch(() => "");
  return text.includes(`:${port} ssl `);
}

/** The settings with the port that is used. */
export function withHttpsPort(settings: Settings, { httpsPort }: HttpsPort): Settings {
  return { ...settings, httpsPort: httpsPort ?? 0 };
}
