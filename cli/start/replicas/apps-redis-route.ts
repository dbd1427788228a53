import { Readable } from "node:stream";
import { outputOf } from "../../../core/exec/exec.js";
import type { RedisPlaces } from "../../../core/redis/replicas/redis-places.js";

const TABLE = "ip sluice_redis";

/**
 * Leads what instances of this host send to the apps' Redis of the server to where it is now: their `REDIS_URL` stays the
 * same (nft(8), "NAT statements"). `address`: undefined where it is the server's.
 */
export async function routeAppsRedis(
  { server, appsPort }: RedisPlaces,
  address: string | undefined,
  path: string,
): Promise<void> {
  const rule = `ip daddr ${server} tcp dport ${appsPort} dnat to ${address ?? ""}:${appsPort}`;
  const chain = (hook: string): string => `chain ${hook} { type nat hook ${hook} priority -100; ${rule}; }`;
  const table =
    address === undefined ? "" : `table ${TABLE} { ${chain("prerouting")}\n${chain("output")}\n}\n`;
  // Added first: one that is not there cannot be deleted.
  const text = `add table ${TABLE}\ndelete table ${TABLE}\n${table}`;
  await outputOf({ argv: ["nft", "-f", "-"], env: { PATH: path } }, { input: Readable.from([text]) });
}
