import { toAppError } from "../../core/errors/app-error.js";
import { makeSecret, type SecretBox } from "../../core/secrets.js";
import { Slots } from "../../core/async/slots.js";
import { Ticker } from "../../core/loop/ticker.js";
import type { Certificate } from "../../core/records/certificates/certificate.js";
import type { Certificates } from "../../core/records/certificates/certificates.js";
import { BY_SLUICE, type NewEvent } from "../../core/records/events/event-record.js";
import type { RouteTable } from "../../core/records/routes/route-table.js";
import type { Database } from "../../core/redis/database.js";
import { keys } from "../../core/redis/keys.js";
import { takeLock, type HeldLock } from "../../core/redis/lock.js";
import type { Settings } from "../../core/settings/settings.js";
import type { AppStore } from "../apps/app-store.js";
import type { RoutesNeeds } from "../routes/needs.js";
import type { Authority } from "./acme/authority.js";
import { AuthorityLimits } from "./acme/authority-limits.js";
import { ProxiesAndHook } from "./acme/challenge-answers.js";
import type { RenewalWindows } from "./acme/renewal-windows.js";
import { CertificateOrders, SLUICE, type AppOrder, type Outcome } from "./certificate-orders.js";
import { NamesHere } from "./names-here.js";
import { planOrders } from "./plan-orders.js";
import { renewalAt } from "./renewal.js";
import { Troubles, type Trouble } from "./troubles.js";
import { controlNames, wantedNames } from "./wanted-names.js";

export interface CertificateLoopOptions {
  readonly redis: Database;
  readonly certificates: Certificates;
  /** Seals the accounts' keys. */
  readonly box: SecretBox;
  readonly settings: Settings;
  readonly tools: RoutesNeeds & { readonly apps: AppStore };
  /** This server's name in Redis. */
  readonly id: string;
  readonly path: string;
}

const LOOK_MS = 1000;
/** Without a change of routes or certificates. */
const LOOK_AT_ALL_MS = 60_000;
/** While a few names are expected to point here soon. */
const LOOK_AT_FEW_MS = 5000;
const MOST_FEW = 20;
/** Between two questions to an authority that has answered nobody. */
const LEAST_PAUSE_MS = 10_000;
/** Orders at once. */
const ORDERS = 4;
/** No app can have this name. */
const LEASE = "@certificates";
/**
 * Orders what apps' names need, and renews it, one server at a time. Whoever is killed meanwhile leaves nothing half done: what was
 * not stored is ordered again, under the authority's limits, which are counted in Redis.
 */
export class CertificateLoop {
  private readonly ticker: Ticker;
  private readonly answers: ProxiesAndHook;
  /** None where no authority is to be asked. */
  private authorities: readonly Authority[] = [];
  private readonly troubles: Troubles;
  private acme: { readonly windows: RenewalWindows; renewalName(pem: string): string } | undefined;
  private readonly orders: CertificateOrders;
  private readonly probe = { token: `sluice-${makeSecret().slice(0, 24)}`, answer: makeSecret() };
  private readonly slots = new Slots(ORDERS);
  /** Apps with an order under way. */
  private readonly ordering = new Set<string>();
  /** An app with an order under way was not looked at. */
  private hasSkipped = false;
  private lease: HeldLock | undefined;
  private seen = "";
  private lookedAt = 0;
  private pauseMs = LOOK_AT_ALL_MS;

  constructor(private readonly options: CertificateLoopOptions) {
    const { redis, certificates, settings, tools, path } = options;
    this.answers = new ProxiesAndHook({ redis, certificates, tools, path, dnsHook: settings.tls.dnsHook });
    this.troubles = new Troubles(redis);
    this.orders = new CertificateOrders({
      ...{ certificates, tools, answers: this.answers, troubles: this.troubles },
      here: new NamesHere(settings, this.probe),
      limits: new AuthorityLimits(redis),
      authorities: () => this.authorities,
      renewalName: (certificate) =>
        this.acme?.windows.of(certificate) && this.acme.renewalName(certificate.pem),
    });
    this.ticker = new Ticker({
      everyMs: LOOK_MS,
      job: async (signal) => this.look(signal),
      onError: (error) => tools.log.warn({ err: toAppError(error) }, "certificates"),
    });
  }

  start(): { stop(): Promise<void> } {
    this.ticker.start();
    return {
      stop: async () => {
        await this.ticker.stop();
        await this.lease?.release();
      },
    };
  }

  /**
   * Tries names again that were given up for now, at an authority that was as well: but that one not before ten seconds have
   * passed, however often somebody asks.
   */
  async tryAgain(names: readonly string[]): Promise<void> {
    const now = this.options.tools.clock.now();
    const troubles = await this.troubles.read();
    const isLongAgo = ({ directory }: Authority): boolean =>
      now - (troubles.get(directory)?.triedAt ?? 0) > LEAST_PAUSE_MS;
    const directories = this.authorities.filter(isLongAgo).map(({ directory }) => directory);
    await this.troubles.clear([...names, ...directories]);
    this.lookAtAll();
  }

  /** Why names have no certificate: each for itself, and in general. */
  async reasons(): Promise<{
    readonly byName: ReadonlyMap<string, Trouble>;
    readonly general: string | undefined;
  }> {
    const troubles = await this.troubles.read();
    const { email, directory } = this.options.settings.tls;
    const general =
      email === undefined
        ? "sluice.yml has no tls.email, so no authority is asked (docs/https.md)"
        : troubles.get(directory)?.reason;
    return { byName: troubles, general };
  }

  private async look(signal: AbortSignal): Promise<void> {
    const { redis, tools } = this.options;
    const seen = (await redis.mget(keys.revision, keys.certificatesRevision)).join();
    const now = tools.clock.now();
    if (seen === this.seen && now - this.lookedAt < this.pauseMs) return;
    if (!(await this.holdsLease())) return;
    this.lookedAt = now;
    this.seen = seen;
    await this.startOrders(signal);
    await this.choosePause();
  }

  /** Once, where an authority is to be asked. */
  private async loadAcme(): Promise<void> {
    const { redis, box, settings } = this.options;
    const { email, fallback, ...first } = settings.tls;
    if (this.acme !== undefined || email === undefined) return;
    const { Authority, AuthorityAccounts, RenewalWindows, renewalName } = await import("./acme/lazy.js");
    const accounts = new AuthorityAccounts(redis, box);
    const known = [first, ...(fallback === undefined ? [] : [fallback])];
    this.authorities = known.map((one) => new Authority({ ...one, email }, accounts));
    this.acme = { windows: new RenewalWindows(), renewalName };
  }

  private async holdsLease(): Promise<boolean> {
    const { redis, id, certificates } = this.options;
    if (this.lease !== undefined && !this.lease.lost.aborted) return true;
    await this.loadAcme();
    this.lease = await takeLock(redis, LEASE, id, "certificates").catch(() => undefined);
    if (this.lease === undefined) return false;
    await this.answers.clear([this.probe.token]);
    if (this.authorities.length > 0) await certificates.answerChallenge(this.probe.token, this.probe.answer);
    return true;
  }

  /** Starts what is to be ordered for apps that have no order under way, and removes what nobody needs. */
  private async startOrders(signal: AbortSignal): Promise<void> {
    const { certificates: store, settings, tools } = this.options;
    const { certificates } = await store.read();
    const tables = await this.tables();
    await this.dropUnneeded(certificates.filter(({ app }) => app !== null && !tables.has(app)));
    const troubles = await this.troubles.read();
    const wanted = new Map([...tables.values()].map((table) => [table.app, wantedNames(table, settings)]));
    wanted.set(SLUICE, controlNames(settings));
    await this.forgetTroubles(troubles, new Set([...wanted.values()].flat()));
    if (this.authorities.length === 0) return;
    await this.refreshWindows(certificates);
    const now = tools.clock.now();
    for (const [app, names] of wanted) {
      if (this.ordering.has(app)) {
        this.hasSkipped = true;
        continue;
      }
      const own = certificates.filter((certificate) => (certificate.app ?? SLUICE) === app);
      const plan = planOrders({
        wanted: names,
        certificates: own,
        isDue: ({ id }) =>
          own.some((one) => one.id === id && renewalAt(one, this.acme?.windows.of(one)) <= now),
        isHeld: (name) => (troubles.get(name)?.nextTryAt ?? 0) > now,
        now,
      });
      await this.dropUnneeded(own.filter(({ id }) => plan.unneeded.includes(id)));
      if (plan.orders.length === 0) continue;
      this.ordering.add(app);
      const orders = plan.orders.map((order) => ({ ...order, app }));
      void this.fillAll(orders, certificates, signal);
    }
  }

  /** An app's orders, one after the other: an authority that is slow holds up nobody else. */
  private async fillAll(
    orders: readonly AppOrder[],
    certificates: readonly Certificate[],
    signal: AbortSignal,
  ): Promise<void> {
    try {
      const outcomes: Outcome[] = [];
      const waiting = [...orders];
      for (let order = waiting.shift(); order !== undefined; order = waiting.shift()) {
        const done = await this.slots.take(signal);
        try {
          const outcome = await this.orders.fill(order, certificates, signal);
          outcomes.push(outcome);
          if (outcome === "apart") waiting.push(...apart(order));
        } finally {
          done();
        }
      }
      // What could not be ordered with others is ordered at once without them.
      if (outcomes.includes("again")) this.hasSkipped = true;
      await this.choosePause();
    } catch (error) {
      if (!signal.aborted) this.options.tools.log.warn({ err: toAppError(error) }, "certificates");
    }
    for (const { app } of orders) this.ordering.delete(app);
    if (this.hasSkipped) this.lookAtAll();
    this.hasSkipped = false;
  }

  private async choosePause(): Promise<void> {
    const troubles = [...(await this.troubles.read()).values()];
    const waiting = troubles.filter(({ nextTryAt }) => nextTryAt === undefined).length;
    this.pauseMs = waiting > 0 && waiting <= MOST_FEW ? LOOK_AT_FEW_MS : LOOK_AT_ALL_MS;
  }

  private lookAtAll(): void {
    this.lookedAt = 0;
    this.ticker.wake();
  }

  private async tables(): Promise<ReadonlyMap<string, RouteTable>> {
    const { apps, routes } = this.options.tools;
    const names = (await apps.list()).map(({ name }) => name);
    const tables = await routes.readMany(names);
    return new Map(tables.map((table) => [table.app, table]));
  }

  private async refreshWindows(certificates: readonly Certificate[]): Promise<void> {
    const now = this.options.tools.clock.now();
    for (const authority of this.authorities)
      await this.acme?.windows.refresh(
        authority,
        certificates.filter(({ directory }) => directory === authority.directory),
        now,
      );
    this.acme?.windows.forgetOthers(certificates);
  }

  private async dropUnneeded(certificates: readonly Certificate[]): Promise<void> {
    if (certificates.length === 0) return;
    const events = certificates.map((certificate) => removalOf(certificate));
    await this.options.certificates.remove(
      certificates.map(({ id }) => id),
      events,
    );
  }

  /** Names that nobody wants any more. */
  private async forgetTroubles(
    troubles: ReadonlyMap<string, Trouble>,
    wanted: ReadonlySet<string>,
  ): Promise<void> {
    const directories = new Set(this.authorities.map(({ directory }) => directory));
    await this.troubles.clear(
      [...troubles.keys()].filter((name) => !wanted.has(name) && !directories.has(name)),
    );
  }
}

function apart({ app, names }: AppOrder): AppOrder[] {
  return names.map((name) => ({ app, names: [name], replaced: [] }));
}

function removalOf({ app, names }: Pick<Certificate, "app" | "names">): NewEvent {
  const data = { subject: names[0] ?? "", names: [...names] };
  return { by: BY_SLUICE, app: app ?? SLUICE, type: "certificate.removed", data };
}
