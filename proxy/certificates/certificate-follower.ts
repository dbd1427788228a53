import { covers, type Certificate } from "../../core/records/certificates/certificate.js";
import {
  certificateRevisions,
  challengeAnswers,
  readCertificates,
} from "../../core/records/certificates/certificates.js";
import type { RouteTable } from "../../core/records/routes/route-table.js";
import type { Log } from "../../core/log.js";
import type { Database } from "../../core/redis/database.js";
import type { SecretBox } from "../../core/secrets.js";
import type { HttpsOnly, Proxy, ServedCertificate } from "../proxy.js";
import { hstsSeconds } from "./hsts-seconds.js";
import { servedNames } from "../../core/records/certificates/served-names.js";

export interface CertificateFollowerOptions {
  readonly proxy: Proxy;
  readonly redis: Database;
  readonly domain: string;
  /** What opens certificates; undefined while this host has no key for them. */
  readonly box: () => Promise<SecretBox | undefined>;
  readonly log: Log;
}

/** How long what depends on the time of day stays as it is. */
const LOOK_AGAIN_MS = 3_600_000;
/** HAProxy takes so much in a line of its runtime API (`tune.bufsize`, 16 KiB), and others need not have more. */
const MOST_CHARACTERS = 5000;

/** A certificate, and for which names it is served. */
interface Assigned {
  readonly certificate: Certificate;
  readonly names: readonly string[];
}

/** App ("" for Sluice itself) → its certificates. */
type ByApp = ReadonlyMap<string, readonly Assigned[]>;

/** What is to be done for certificates that have changed. */
export interface CertificateChange {
  /** Apps whose routes depend on it. */
  readonly apps: readonly string[];
  /** Takes away what their routes do not need any more: once those are applied. */
  readonly finish: () => Promise<void>;
}

const NO_CHANGE: CertificateChange = { apps: [], finish: async () => Promise.resolve() };

/** Makes a proxy serve the certificates in Redis, each for names of its own app alone. */
export class CertificateFollower {
  /** Of what is served; 0: it must all be read. */
  private applied = 0;
  /** Of the certificates that are served. */
  private newest = 0;
  private certificates: readonly Certificate[] = [];
  private unreadable: readonly string[] = [];
  private refusedByProxy: readonly string[] = [];
  private byApp: ByApp = new Map();
  /** Apps whose routes must be applied again, while that is not done. */
  private readonly owed = new Set<string>();
  private lookedMs = 0;

  constructor(private readonly options: CertificateFollowerOptions) {}

  get revision(): number {
    return this.applied;
  }

  /** Ids of certificates that the proxy does not serve although it should. */
  get refused(): readonly string[] {
    return [...this.unreadable, ...this.refusedByProxy];
  }

  /** Reads everything again, and compares it with what the proxy serves. */
  beginAgain(): void {
    this.applied = 0;
  }

  /** Serves what is new. `tables`: of all apps; `changed`: those whose table is another one. */
  async follow(
    tables: ReadonlyMap<string, RouteTable>,
    changed: Iterable<string>,
  ): Promise<CertificateChange> {
    const { proxy, redis } = this.options;
    const { revision, changed: newest } = await certificateRevisions(redis);
    const isFirst = this.applied === 0;
    const isDue = performance.now() - this.lookedMs > LOOK_AGAIN_MS;
    if (isFirst || revision !== this.applied) await proxy.answerChallenges(await challengeAnswers(redis));
    const apps = new Set([...changed, ...this.owed]);
    if (isFirst || isDue || newest !== this.newest) {
      await this.read();
      for (const name of [...this.byApp.keys(), ...this.certificates.map(appOf)]) apps.add(name);
    }
    if (apps.size === 0 && revision === this.applied) return NO_CHANGE;
    const next = this.assigned(tables, apps);
    const isOther = (app: string): boolean =>
      isFirst || isDue || marksOf(next, app) !== marksOf(this.byApp, app);
    const others = [...apps].filter(isOther);
    const served = others.length === 0 && this.owed.size === 0 ? undefined : servedOf(next);
    // Nothing is sent on to https before that is served.
    if (served !== undefined) this.refusedByProxy = await proxy.addCertificates(served);
    this.byApp = next;
    for (const app of others.includes("") ? tables.keys() : others) this.owed.add(app);
    return {
      apps: [...this.owed].filter((app) => tables.has(app)),
      finish: async () => {
        if (served !== undefined) await proxy.keepCertificates(served);
        this.owed.clear();
        this.applied = revision;
        this.newest = newest;
        if (isDue) this.lookedMs = performance.now();
      },
    };
  }

  /** Whether a host of an app has a certificate that is valid now. A wildcard has one by a wildcard only. */
  covered({ app, https }: RouteTable, host: string): HttpsOnly | undefined {
    const now = Date.now();
    const all = [...(this.byApp.get(app) ?? []), ...(this.byApp.get("") ?? [])];
    const found = all.filter(
      ({ certificate, names }) =>
        certificate.notAfter > now &&
        !this.refusedByProxy.includes(certificate.id) &&
        names.some((name) => covers(name, host)),
    );
    if (found.length === 0) return undefined;
    const since = Math.min(...found.map(({ certificate }) => certificate.since));
    return { hstsSeconds: https.hstsSeconds ?? hstsSeconds(now - since) };
  }

  private async read(): Promise<void> {
    const { redis, log, box } = this.options;
    const { certificates, unreadable } = await readCertificates(redis, await box());
    if (unreadable.length > 0) log.error({ certificates: unreadable }, "certificates cannot be read");
    this.certificates = certificates;
    this.unreadable = unreadable;
  }

  /** As it is, but for these apps. */
  private assigned(tables: ReadonlyMap<string, RouteTable>, apps: ReadonlySet<string>): ByApp {
    const next = new Map(this.byApp);
    for (const app of apps) next.delete(app);
    for (const certificate of this.certificates) {
      const app = appOf(certificate);
      const table = tables.get(app);
      if (!apps.has(app) || (app !== "" && table === undefined)) continue;
      const names = servedNames(certificate, table, this.options.domain);
      if (names.length > 0) next.set(app, [...(next.get(app) ?? []), { certificate, names }]);
    }
    return next;
  }
}

function servedOf(byApp: ByApp): ServedCertificate[] {
  return [...byApp.values()].flatMap((all) =>
    all.flatMap(({ certificate: { id, pem }, names }) =>
      inParts(names).map((part) => ({ id, names: part, pem })),
    ),
  );
}

/** A wildcard's certificate may be for very many names. */
function inParts(names: readonly string[]): string[][] {
  const parts: string[][] = [];
  let characters = MOST_CHARACTERS;
  for (const name of names) {
    characters += name.length + 1;
    if (characters > MOST_CHARACTERS) {
      parts.push([]);
      characters = name.length;
    }
    parts.at(-1)?.push(name);
  }
  return parts;
}

function marksOf(byApp: ByApp, app: string): string {
  return JSON.stringify((byApp.get(app) ?? []).map(({ certificate, names }) => [certificate.id, names]));
}

function appOf({ app }: Pick<Certificate, "app">): string {
  return app ?? "";
}
