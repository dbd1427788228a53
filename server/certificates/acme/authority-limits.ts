import { createHash, randomUUID } from "node:crypto";
import { getDomain } from "tldts";
import { z } from "zod";
import type { Database } from "../../../core/redis/database.js";
import { keys } from "../../../core/redis/keys.js";

const HOUR_MS = 3_600_000;
const WEEK_MS = 168 * HOUR_MS;

/**
 * Let's Encrypt's ("Rate Limits"), with one left for whoever asks by hand; other authorities allow as much. `appOrders` is ours:
 * an app that keeps changing its domains takes no more than a sixth of what all share.
 */
const LIMITS = {
  orders: { most: 299, withinMs: 3 * HOUR_MS },
  appOrders: { most: 50, withinMs: 3 * HOUR_MS },
  certificates: { most: 49, withinMs: WEEK_MS },
  duplicates: { most: 4, withinMs: WEEK_MS },
  failures: { most: 4, withinMs: HOUR_MS },
} as const;

type Kind = keyof typeof LIMITS;

const useSchema = z.object({
  directory: z.string(),
  what: z.enum(["orders", "appOrders", "certificates", "duplicates", "failures"]),
  /** An app, a registered domain, a digest of names, or a name; of orders nothing. */
  of: z.string(),
  /** No two are alike. */
  id: z.string(),
});

type Use = z.infer<typeof useSchema> & { readonly at: number };

export interface WantedOrder {
  readonly app: string;
  readonly names: readonly string[];
}

export interface Limited {
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** What was asked of an authority in the last week, in Redis: a limit is not found out by a refusal, which would count, too. */
export class AuthorityLimits {
  constructor(private readonly redis: Database) {}

  /** Those of an order's names for which nothing may be ordered now. `now`: ms since 1970. */
  async limited(directory: string, { app, names }: WantedOrder, now: number): Promise<Map<string, Limited>> {
    const uses = (await this.read(now)).filter((use) => use.directory === directory);
    const check = (what: Kind, of: string, words: string): Limited | undefined => {
      const until = exceeded(uses, what, of, now);
      return until === undefined
        ? undefined
        : { reason: `the authority's limit is near: ${LIMITS[what].most} ${words}`, until };
    };
    const ofAll =
      check("orders", "", "orders in three hours") ??
      check("appOrders", app, `orders of ${app} in three hours`) ??
      check("duplicates", digestOf(names), "certificates for the same names in a week");
    const found = new Map<string, Limited>();
    for (const name of names) {
      const domain = registeredDomain(name);
      const limited =
        ofAll ??
        check("certificates", domain, `certificates for ${domain} in a week`) ??
        check("failures", name, `failures for ${name} in an hour`);
      if (limited !== undefined) found.set(name, limited);
    }
    return found;
  }

  async noteOrder(directory: string, { app }: WantedOrder, now: number): Promise<void> {
    await this.note(
      directory,
      [
        { what: "orders", of: "" },
        { what: "appOrders", of: app },
      ],
      now,
    );
  }

  async noteCertificate(directory: string, names: readonly string[], now: number): Promise<void> {
    const domains = [...new Set(names.map(registeredDomain))].map((of) => ({
      what: "certificates" as const,
      of,
    }));
    await this.note(directory, [...domains, { what: "duplicates", of: digestOf(names) }], now);
  }

  async noteFailures(directory: string, names: readonly string[], now: number): Promise<void> {
    await this.note(
      directory,
      names.map((of) => ({ what: "failures", of })),
      now,
    );
  }

  private async note(
    directory: string,
    uses: readonly Pick<Use, "what" | "of">[],
    now: number,
  ): Promise<void> {
    const entries = uses.flatMap((use) => [
      String(now),
      JSON.stringify({ directory, ...use, id: randomUUID() }),
    ]);
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
function exceeded(uses: readonly Use[], what: Kind, of: string, now: number): number | undefined {
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

function digestOf(names: readonly string[]): string {
  return createHash("sha256")
    .update([...names].sort().join(" "))
    .digest("hex")
    .slice(0, 32);
}
