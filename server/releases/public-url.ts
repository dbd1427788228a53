import { releaseName } from "../../core/names.js";
import { PRODUCTION } from "../../core/records/routes/route-table.js";
import type { ReleaseRecord } from "../../core/records/releases/release-record.js";
import type { Settings } from "../../core/settings/settings.js";

/** Where a release's track is served. */
export function publicUrl(settings: Settings, { app, track }: Pick<ReleaseRecord, "app" | "track">): string {
  const host = track === PRODUCTION ? `${app}.${settings.domain}` : `${track}.${app}.${settings.domain}`;
  return `http://${host}${settings.httpPort === 80 ? "" : `:${settings.httpPort}`}`;
}

/** Where one release can be looked at while it runs. */
export function releaseUrl(
  settings: Settings,
  { app, number }: Pick<ReleaseRecord, "app" | "number">,
): string {
  return publicUrl(settings, { app, track: releaseName(number) });
}

/** Where this server's control port is reached by others: webhooks, pages. */
export function controlUrl({ controlBind, domain, controlPort, control }: Settings): string {
  if (control.domain !== undefined)
    return `https://${control.domain}${controlPort === 443 ? "" : `:${controlPort}`}`;
  return `http://${inUrl(isEveryAddress(controlBind) ? domain : controlBind)}:${controlPort}`;
}

/** The same, for programs on this machine. */
export function localControlUrl({ controlBind, controlPort }: Settings): string {
  return `http://${inUrl(isEveryAddress(controlBind) ? "127.0.0.1" : controlBind)}:${controlPort}`;
}

function isEveryAddress(bind: string): boolean {
  return bind === "0.0.0.0" || bind === "::";
}

function inUrl(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
