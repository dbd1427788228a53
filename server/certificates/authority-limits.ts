import { randomUUID } from "node:crypto";
import { getDomain } from "tldts";
import { z } from "zod";
import type { Database } from "../../core/redis/database.js";
import { keys } from "../../core/redis/keys.js";

const HOUR_MS = 3_600_000;
const WEEK_MS = 168 * HOUR_MS;

/** Let's Encrypt's, which others do not go below ("Rate Limits"); each with one left for whoever asks by hand. */
const LIMITS = {
  orders: { most: 299, withinMs: 3 * HOUR_MS },
  certificates: { most: 49, withinMs: WEEK_MS },
  failures: { most: 4, withinMs: HOUR_MS },
} as const;

const useSchema = z.object({
  directory: z.string(),
  what: z.enum(["orders", "certificates", "failures"]),
  /** A registered domain, or a name; of orders nothing. */
  of: z.string(),
  /** No two are alike. */
  id: z.string(),
});

type Use = z.infer<typeof useSchema> & { readonly at: number };

export interface Limited {
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** What was asked of authorities in the last week, in Redis: a limit is not found out by a refusal, which would count, too. */
export class AuthorityLimits {
  constructor(private readonly redis: Database) {}

  /** Those of the names for which nothing may be ordered now. `now`: ms since 1970. */
  async limited(directory: string, names: readonly string[], now: number): Promise<Map<string, Limited>> {
    const uses = (await this.read(now)).filter((use) => use.directory === directory);
    const found = new Map<string, Limited>();
    const orders = exceeded(uses, "orders", "", now);
    for (const name of names) {
      const domain = registeredDomain(name);
      const certificates = exceeded(uses, "certificates", domain, now);
      const failures = exceeded(uses, "failures", name, now);
      const until = orders ?? certificates ?? failures;
      if (until === undefined) continue;
      const what =
        orders !== undefined
          ? `${LIMITS.orders.most} orders in three hours`
          : certificates !== undefined
            ? `${LIMITS.certificates.most} certificates for ${domain} in a week`
            : `${LIMITS.failures.most} failures for ${name} in an hour`;
      found.set(name, { reason: `the authority's limit is near: ${what}`, until });
    }
    return found;
  }

  async noteOrder(directory: string, now: number): Promise<void> {
    await this.note([{ directory, what: "orders", of: "" }], now);
  }

  async noteCertificate(directory: string, names: readonly string[], now: number): Promise<void> {
    const domains = [...new Set(names.map(registeredDomain))];
    await this.note(
      domains.map((of) => ({ directory, what: "certificates", of })),
      now,
    );
  }

  async noteFailures(directory: string, names: readonly string[], now: number): Promise<void> {
    await this.note(
      names.map((of) => ({ directory, what: "failures", of })),
      now,
    );
  }

  private async note(uses: readonly Omit<z.infer<typeof useSchema>, "id">[], now: number): Promise<void> {
    const entries = uses.flatMap((use) => [String(now), JSON.stringify({ ...use, id: randomUUID() })]);
    if (entries.length > 0) await this.redis.zadd(keys.authorityUses, ...entries);
  }

  private async read(now: number): Promise<Use[]> {
    await this.redis.zremrangebyscore(keys.authorityUses, "-inf", String(now - WEEK_MS));
    const rows = await this.redis.zrangebyscore(keys.authorityUses, "-inf", "+inf", "WITHSCORES");
    const uses: Use[] = [];
    for (let index = 0; index < rows.length; index += 2)
      uses.push({ ...useSchema.parse(JSON.parse(rows[index] ?? "")), at: Number(rows[index + 1]) });
    return uses;
  }
}

/** When the next one is allowed; undefined: now. */
function exceeded(uses: readonly Use[], what: Use["what"], of: string, now: number): number | undefined {
  const { most, withinMs } = LIMITS[what];
  const recent = uses.filter((use) => use.what === what && use.of === of && use.at > now - withinMs);
  const first = recent[recent.length - most];
  return first === undefined ? undefined : first.at + withinMs;
}

/** `example.co.uk` for `www.example.co.uk`: whose certificates are counted together (publicsuffix.org). */
function registeredDomain(name: string): string {
  const bare = name.replace(/^\*\./, "");
  return getDomain(bare, { allowPrivateDomains: true }) ?? bare;
}
