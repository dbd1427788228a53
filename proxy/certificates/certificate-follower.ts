import { covers, type Certificate } from "../../core/records/certificates/certificate.js";
import {
  certificatesRevision,
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

/** Makes a proxy serve the certificates in Redis, each for names of its own app alone. */
export class CertificateFollower {
  /** Of what is served; 0: it must all be read. */
  private applied = 0;
  private unreadable: readonly string[] = [];
  private refusedByProxy: readonly string[] = [];
  private certificates: readonly Certificate[] = [];
  /** App ("" for Sluice itself) → its certificates, and for which names they are served. */
  private byApp = new Map<string, readonly { certificate: Certificate; names: readonly string[] }[]>();
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

  /**
   * Serves what is new. `tables`: of all apps; `changed`: those whose table is another one. Returns the apps whose routes depend
   * on what has changed, and what is to be done when those are applied.
   */
  async follow(
    tables: ReadonlyMap<string, RouteTable>,
    changed: Iterable<string>,
  ): Promise<{ readonly apps: readonly string[]; readonly finish: () => Promise<void> }> {
    const { proxy, redis } = this.options;
    const revision = await certificatesRevision(redis);
    const isNew = revision !== this.applied || this.applied === 0;
    const isDue = performance.now() - this.lookedMs > LOOK_AGAIN_MS;
    const before = this.byApp;
    const apps = new Set(changed);
    if (isNew || isDue) {
      await this.read(redis);
      for (const name of [...before.keys(), ...this.certificates.map(appOf)]) apps.add(name);
    }
    if (apps.size === 0 && !isNew) return { apps: [], finish: async () => undefined };
    this.byApp = this.assigned(tables, before, apps);
    const served = this.served();
    this.refusedByProxy = await proxy.addCertificates(served);
    const affected = apps.has("") ? [...tables.keys()] : [...apps].filter((app) => tables.has(app));
    return {
      apps: affected.filter((app) => isNew || isDue || this.hasOther(before, app)),
      finish: async () => {
        await proxy.keepCertificates(served);
        if (isNew) this.applied = revision;
        this.lookedMs = performance.now();
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

  private async read(redis: Database): Promise<void> {
    const { proxy, log } = this.options;
    await proxy.answerChallenges(await challengeAnswers(redis));
    const { certificates, unreadable } = await readCertificates(redis, await this.options.box());
    if (unreadable.length > 0) log.error({ certificates: unreadable }, "certificates cannot be read");
    this.certificates = certificates;
    this.unreadable = unreadable;
  }

  private assigned(
    tables: ReadonlyMap<string, RouteTable>,
    before: CertificateFollower["byApp"],
    apps: ReadonlySet<string>,
  ): CertificateFollower["byApp"] {
    const next = new Map(before);
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

  private served(): ServedCertificate[] {
    return [...this.byApp.values()].flatMap((all) =>
      all.map(({ certificate: { id, pem }, names }) => ({ id, names, pem })),
    );
  }

  private hasOther(before: CertificateFollower["byApp"], app: string): boolean {
    const text = (of: CertificateFollower["byApp"]): string =>
      JSON.stringify((of.get(app) ?? []).map(({ certificate, names }) => [certificate.id, names]));
    return text(before) !== text(this.byApp);
  }
}

function appOf({ app }: Pick<Certificate, "app">): string {
  return app ?? "";
}
