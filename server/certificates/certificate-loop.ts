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
import type { Authority } from "./authority.js";
import { AuthorityLimits } from "./authority-limits.js";
import { AuthorityProblem, NamesRefused } from "./authority-problem.js";
import { ProxiesAndHook } from "./challenge-answers.js";
import { NamesHere } from "./names-here.js";
import { parseCertificate } from "./parse-certificate.js";
import { planOrders, type PlannedOrder } from "./plan-orders.js";
import { renewalAt } from "./renewal.js";
import type { RenewalWindows } from "./renewal-windows.js";
import { failed, Troubles, type Trouble } from "./troubles.js";
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
/** Orders at once. */
const ORDERS = 4;
/** No app can have this name. */
const LEASE = "@certificates";
/** After so many failures in a row people are told. */
const TELL_AFTER = 3;

/** Its own orders stand beside those of apps. */
const SLUICE = "";

/** An order of one app's. */
interface AppOrder extends PlannedOrder {
  readonly app: string;
}

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
  private readonly limits: AuthorityLimits;
  private acme: { readonly windows: RenewalWindows; renewalName(pem: string): string } | undefined;
  private readonly here: NamesHere;
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
    this.limits = new AuthorityLimits(redis);
    this.here = new NamesHere(settings, this.probe);
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

  /** Tries what was given up for now again. */
  async tryAgain(names: readonly string[]): Promise<void> {
    await this.troubles.clear([...names, ...this.authorities.map(({ directory }) => directory)]);
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
    const { Authority, AuthorityAccounts, RenewalWindows, renewalName } = await import("./acme.js");
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
      const results: string[] = [];
      for (const order of orders) {
        const done = await this.slots.take(signal);
        try {
          results.push(await this.fill(order, certificates, signal));
        } finally {
          done();
        }
      }
      // What could not be ordered with others is ordered at once without them.
      if (results.includes("without-some")) this.hasSkipped = true;
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
    const events = certificates.map((certificate) => eventOf("certificate.removed", certificate));
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

  /** One order, with what it means if it fails. */
  private async fill(
    order: AppOrder,
    certificates: readonly Certificate[],
    signal: AbortSignal,
  ): Promise<"done" | "without-some" | "held"> {
    const { tools } = this.options;
    const now = tools.clock.now();
    const troubles = await this.troubles.read();
    const authority = this.authorities.find(
      ({ directory }) => (troubles.get(directory)?.nextTryAt ?? 0) <= now,
    );
    if (authority === undefined) return "held";
    const notHere = await this.here.look(order.names, signal);
    const limited = await this.limits.limited(authority.directory, order.names, now);
    const held = new Map<string, Trouble>();
    for (const [name, { reason, isTold }] of notHere) {
      const before = troubles.get(name);
      held.set(name, isTold ? failed(before, { reason, now, dice: Math.random() }) : heldFor(reason, now));
    }
    for (const [name, { reason, until }] of limited)
      held.set(name, { ...heldFor(reason, now), nextTryAt: until });
    await this.troubles.write(held);
    const names = order.names.filter((name) => !held.has(name));
    if (names.length === 0) return "held";
    // One with a name that cannot be had now stays.
    const before = certificates.filter(
      (one) => order.replaced.includes(one.id) && !one.names.some((name) => held.has(name)),
    );
    try {
      await this.issue(authority, { app: order.app, names, before }, certificates);
      await this.troubles.clear([...names, authority.directory]);
      return "done";
    } catch (error) {
      return this.noteFailure(authority, order.app, names, error);
    }
  }

  private async issue(
    authority: Authority,
    { app, names, before }: Pick<AppOrder, "app" | "names"> & { readonly before: readonly Certificate[] },
    certificates: readonly Certificate[],
  ): Promise<void> {
    const { certificates: store, tools } = this.options;
    await this.limits.noteOrder(authority.directory, tools.clock.now());
    const ordered = await authority.order(
      { names, replaces: this.replacedAt(authority, before) },
      this.answers,
    );
    const now = tools.clock.now();
    await this.limits.noteCertificate(authority.directory, names, now);
    const { certificate: parsed } = parseCertificate(ordered.certificate, ordered.key, now);
    const certificate: Certificate = {
      ...{ v: 1, app: app === SLUICE ? null : app, source: "acme", directory: authority.directory },
      ...parsed,
      since: Math.min(
        now,
        ...certificates.filter((one) => (one.app ?? SLUICE) === app).map(({ since }) => since),
      ),
    };
    await store.put(
      certificate,
      before.map(({ id }) => id),
      [eventOf("certificate.issued", certificate)],
    );
    tools.log.info({ app, names, issuer: certificate.issuer }, "a certificate was issued");
  }

  /** ARI's name of the one certificate that an order is for, if the authority knows such names. */
  private replacedAt(authority: Authority, before: readonly Certificate[]): string | undefined {
    const [only, another] = before;
    if (only?.directory !== authority.directory || another !== undefined) return undefined;
    return this.acme?.windows.of(only) === undefined ? undefined : this.acme.renewalName(only.pem);
  }

  private async noteFailure(
    authority: Authority,
    app: string,
    names: readonly string[],
    error: unknown,
  ): Promise<"without-some" | "held"> {
    const { tools } = this.options;
    const now = tools.clock.now();
    const before = await this.troubles.read();
    const dice = Math.random();
    if (error instanceof NamesRefused) {
      await this.limits.noteFailures(authority.directory, [...error.reasons.keys()], now);
      const troubles = new Map(
        [...error.reasons].map(([name, reason]) => [name, failed(before.get(name), { reason, now, dice })]),
      );
      await this.troubles.write(troubles);
      await this.tell(app, troubles);
      return error.reasons.size < names.length ? "without-some" : "held";
    }
    const reason = error instanceof Error ? error.message : String(error);
    tools.log.warn({ err: error, app, names, authority: authority.directory }, "an authority issued nothing");
    if (error instanceof AuthorityProblem && error.kind === "hook") {
      const hooked = names.filter((name) => this.answers.kindFor(name) === "dns");
      const troubles = new Map(hooked.map((name) => [name, failed(before.get(name), { reason, now, dice })]));
      await this.troubles.write(troubles);
      await this.tell(app, troubles);
      return hooked.length < names.length ? "without-some" : "held";
    }
    const notBefore = error instanceof AuthorityProblem ? now + (error.retryAfterMs ?? 0) : 0;
    const trouble = failed(before.get(authority.directory), { reason, now, notBefore, dice });
    const waiting = new Map(names.map((name) => [name, heldFor(`${authority.directory}: ${reason}`, now)]));
    await this.troubles.write(new Map([...waiting, [authority.directory, trouble]]));
    if (trouble.failures === TELL_AFTER) await this.tell(app, waiting, true);
    // Perhaps another authority does it.
    return this.authorities.length > 1 ? "without-some" : "held";
  }

  /** Tells people, once in a row of failures. */
  private async tell(app: string, troubles: ReadonlyMap<string, Trouble>, always = false): Promise<void> {
    const told = [...troubles].filter(([, { failures }]) => always || failures === TELL_AFTER);
    if (told.length === 0) return;
    const [subject = ""] = told.map(([name]) => name);
    const reason = told.map(([name, trouble]) => `${name}: ${trouble.reason}`).join("\n");
    await this.options.certificates.tell([
      { by: BY_SLUICE, app, type: "certificate.failed", data: { subject, reason } },
    ]);
  }
}

function heldFor(reason: string, now: number): Trouble {
  return { reason, failures: 0, triedAt: now };
}

function eventOf(
  type: "certificate.issued" | "certificate.removed",
  { app, names }: Pick<Certificate, "app" | "names">,
): NewEvent {
  return {
    by: BY_SLUICE,
    app: app ?? "",
    type,
    data: { subject: names[0] ?? "", names: names.slice(0, 100) },
  };
}
