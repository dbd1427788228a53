import { mkdir } from "node:fs/promises";
import type { User } from "../../../core/exec/exec.js";
import type { Home } from "../../../core/home.js";
import type { Database } from "../../../core/redis/database.js";
import type { Context } from "../context.js";
import { chownTo } from "../system-user.js";
import { ensureCertificate } from "../registry/registry-certificate.js";

/** Names and values of redis.conf (redis.io, "TLS"). */
export type HostListener = Readonly<Record<string, string>>;

export interface HostListenerOptions extends Pick<Context, "home" | "settings" | "path"> {
  /** Redis' own. */
  readonly user: User | undefined;
}

/**
 * How other hosts reach Sluice's Redis: by TLS at this host's private address. Its certificate is made if there is none.
 * Undefined where there are no other hosts.
 */
export async function hostListener({
  home,
  settings,
  path,
  user,
}: HostListenerOptions): Promise<HostListener | undefined> {
  const { address, redisPort } = settings.fleet;
  if (settings.engine !== "swarm" || address === undefined) return undefined;
  const folder = home.redisCertificate();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await ensureCertificate({ folder, hosts: [address], path, now: Date.now() });
  await chownTo(folder, user);
  return tlsListener(home, address, redisPort);
}

/** For the certificate that lies in the state folder. */
export function tlsListener(home: Home, address: string, port: number): HostListener {
  return {
    bind: address,
    "tls-cert-file": home.redisCertificate("server.crt"),
    "tls-key-file": home.redisCertificate("server.key"),
    "tls-ca-cert-file": home.redisCertificate("ca.crt"),
    "tls-auth-clients": "no",
    "tls-port": String(port),
  };
}

/** One that runs since before listens as it should now, too; a renewed certificate is read again. */
export async function listenForHosts(redis: Database, listener: HostListener | undefined): Promise<void> {
  if (listener !== undefined) {
    await redis.call("CONFIG", "SET", ...Object.entries(listener).flat());
    return;
  }
  const [, port] = await redis.config("GET", "tls-port");
  if (port !== "0") await redis.config("SET", "tls-port", "0");
}
