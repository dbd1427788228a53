import type { Redis } from "ioredis";
import { z } from "zod";
import { keys } from "../redis/keys.js";

const reportSchema = z.object({
  /** When the proxy was last seen, ms since 1970. */
  seenAt: z.number(),
  /** The newest revision of the route tables that it has applied. */
  revision: z.number(),
  /** Addresses of instances that it gives nothing new, and on which something was still open then. */
  leaving: z.array(z.string()).default([]),
});

export type ProxyReport = z.infer<typeof reportSchema>;

const loadSchema = z.object({
  /** Streams (requests, WebSockets, event streams) that are open now, over all of HAProxy's processes. */
  connections: z.number(),
  /** Seconds since the last request was given to it. */
  idleSeconds: z.number(),
  /** When it was counted, ms since 1970. */
  at: z.number(),
});

export type ReleaseLoad = z.infer<typeof loadSchema>;

/** A proxy that was not seen for this long is not waited for. */
export const PROXY_ALIVE_MS = 5000;
const LOAD_LIFE_SECONDS = 30;

/** What proxies tell: which revision they have applied, and how much is still open on what drains. */
export class ProxyReports {
  constructor(private readonly redis: Redis) {}

  async report(proxy: string, report: ProxyReport): Promise<void> {
    await this.redis
      .pipeline()
      .hset(keys.proxies, proxy, JSON.stringify(report))
      .publish(keys.proxiesChannel, proxy)
      .exec();
  }

  async forget(proxy: string): Promise<void> {
    await this.redis.hdel(keys.proxies, proxy);
  }

  async alive(now: number): Promise<Map<string, ProxyReport>> {
    const all = await this.redis.hgetall(keys.proxies);
    const parsed = Object.entries(all).map(
      ([id, text]) => [id, reportSchema.parse(JSON.parse(text))] as const,
    );
    return new Map(parsed.filter(([, report]) => now - report.seenAt < PROXY_ALIVE_MS));
  }

  /** `loads`: `APP/vN` → its load. */
  async reportLoads(proxy: string, loads: ReadonlyMap<string, ReleaseLoad>): Promise<void> {
    const key = keys.load(proxy);
    const batch = this.redis.multi().del(key);
    for (const [release, load] of loads) batch.hset(key, release, JSON.stringify(load));
    await batch.expire(key, LOAD_LIFE_SECONDS).exec();
  }

  /** The loads that every proxy which is alive reports for a release; undefined for one that has not counted it yet. */
  async loadsOf(release: string, now: number): Promise<(ReleaseLoad | undefined)[]> {
    const proxies = [...(await this.alive(now)).keys()];
    const texts = await Promise.all(proxies.map((proxy) => this.redis.hget(keys.load(proxy), release)));
    return texts.map((text) => (text === null ? undefined : loadSchema.parse(JSON.parse(text))));
  }
}
