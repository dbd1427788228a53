import { createHash } from "node:crypto";
import type { AppKeys } from "../apps/app-keys.js";
import type { Database } from "../../redis/database.js";
import { keys } from "../../redis/keys.js";

export const ERROR_PAGE_KEYS: AppKeys = { own: [keys.errorPages] };

/** Apps' own pages for visitors whom no instance answers. Route tables and releases name them by a digest. */
export class ErrorPages {
  constructor(private readonly redis: Pick<Database, "hset" | "hget" | "hkeys" | "hdel">) {}

  /** Keeps a page, and of the app's others only `used`. Returns its name (SHA-256, hexadecimal). */
  async add(app: string, html: string, used: readonly string[]): Promise<string> {
    const name = createHash("sha256").update(html).digest("hex");
    await this.redis.hset(keys.errorPages(app), name, html);
    const kept = new Set([name, ...used]);
    const unused = (await this.redis.hkeys(keys.errorPages(app))).filter((other) => !kept.has(other));
    if (unused.length > 0) await this.redis.hdel(keys.errorPages(app), ...unused);
    return name;
  }

  async read(app: string, name: string): Promise<string | undefined> {
    return (await this.redis.hget(keys.errorPages(app), name)) ?? undefined;
  }
}
