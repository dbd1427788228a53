import { isAppError } from "../../core/errors/app-error.js";
import type { Certificate } from "../../core/records/certificates/certificate.js";
import type { Certificates } from "../../core/records/certificates/certificates.js";
import { BY_SLUICE } from "../../core/records/events/event-record.js";
import type { RoutesNeeds } from "../routes/needs.js";
import type { Authority, ChallengeAnswers } from "./acme/authority.js";
import type { AuthorityLimits } from "./acme/authority-limits.js";
import { AuthorityProblem, HookFailed, NamesRefused } from "./acme/authority-problem.js";
import type { NamesHere } from "./names-here.js";
import { parseCertificate } from "./parse-certificate.js";
import type { PlannedOrder } from "./plan-orders.js";
import { failed, type Trouble, type Troubles } from "./troubles.js";

/** Sluice's own orders stand beside those of apps. */
export const SLUICE = "";
/** After so many failures in a row, receivers are told. */
const TELL_AFTER = 3;
/** When an authority that refuses for a while does not say how long. */
const RATE_LIMITED_MS = 3_600_000;

/** An order of one app's. */
export interface AppOrder extends PlannedOrder {
  readonly app: string;
}

/**
 * - `again`: some names could not be had; the others may be without them
 * - `apart`: the authority does not say which of the names it is
 */
export type Outcome = "done" | "held" | "again" | "apart";

export interface CertificateOrdersOptions {
  readonly certificates: Certificates;
  readonly tools: Pick<RoutesNeeds, "clock" | "log">;
  readonly answers: ChallengeAnswers;
  readonly here: NamesHere;
  readonly troubles: Troubles;
  readonly limits: AuthorityLimits;
  /** In the order in which they are asked. */
  readonly authorities: () => readonly Authority[];
  /** By what name an authority knows the certificate that an order replaces (RFC 9773, 5); undefined: by none. */
  readonly renewalName: (certificate: Certificate) => string | undefined;
}

/**
 * Fills one order, and remembers what it means if that fails: what is wrong with a name holds up that name alone, whatever the
 * authority or the app make of it; only an authority that answers nobody is left alone for all.
 */
export class CertificateOrders {
  constructor(private readonly options: CertificateOrdersOptions) {}

  async fill(order: AppOrder, certificates: readonly Certificate[], signal: AbortSignal): Promise<Outcome> {
    const { troubles, tools, here } = this.options;
    const before = await troubles.read();
    const notHere = await here.look(order.names, signal);
    const now = tools.clock.now();
    const held = new Map<string, Trouble>();
    for (const [name, { reason, isTold }] of notHere)
      held.set(name, isTold ? this.failedAgain(before.get(name), reason) : heldFor(reason, now));
    await troubles.write(held);
    const names = order.names.filter((name) => !held.has(name));
    if (names.length === 0) return "held";
    // One with a name that cannot be had now stays.
    const isWhole = ({ names: all }: Certificate): boolean => !all.some((name) => held.has(name));
    const replaced = certificates.filter((one) => order.replaced.includes(one.id) && isWhole(one));
    return this.askInTurn({ app: order.app, names, replaced }, certificates, before);
  }

  /** Of the authorities, the first that issues a certificate. */
  private async askInTurn(
    order: CertificateOrder,
    certificates: readonly Certificate[],
    before: ReadonlyMap<string, Trouble>,
  ): Promise<Outcome> {
    const { authorities, troubles, tools, limits } = this.options;
    const now = tools.clock.now();
    let waiting = new Map<string, Trouble>();
    for (const authority of authorities()) {
      const { directory } = authority;
      if ((before.get(directory)?.nextTryAt ?? 0) > now) continue;
      const limited = await limits.limited(directory, order, now);
      const names = order.names.filter((name) => !limited.has(name));
      if (names.length < order.names.length)
        waiting = new Map(
          [...limited].map(([name, { reason, until }]) => [
            name,
            { ...heldFor(reason, now), nextTryAt: until },
          ]),
        );
      if (names.length === 0) continue;
      if (names.length < order.names.length) {
        await troubles.write(waiting);
        return "again";
      }
      try {
        await this.issue(authority, order, certificates);
        await troubles.clear([...names, directory]);
        return "done";
      } catch (error) {
        const outcome = await this.noteFailure(authority, order, error);
        if (outcome !== "another-authority") return outcome;
        waiting = new Map(names.map((name) => [name, this.waitingFor(authority, error)]));
      }
    }
    await troubles.write(waiting);
    return "held";
  }

  private async issue(
    authority: Authority,
    { app, names, replaced }: CertificateOrder,
    certificates: readonly Certificate[],
  ): Promise<void> {
    const { certificates: store, tools, limits, answers } = this.options;
    const { directory } = authority;
    await limits.noteOrder(directory, { app, names }, tools.clock.now());
    const ordered = await authority.order({ names, replaces: this.replacedAt(authority, replaced) }, answers);
    const now = tools.clock.now();
    await limits.noteCertificate(directory, names, now);
    const { certificate: parsed } = parseCertificate(ordered.certificate, ordered.key, now);
    const earlier = certificates.filter((one) => (one.app ?? SLUICE) === app);
    const certificate: Certificate = {
      ...{ v: 1, app: app === SLUICE ? null : app, source: "acme", directory },
      ...parsed,
      since: Math.min(now, ...earlier.map(({ since }) => since)),
    };
    const event = { subject: names[0] ?? "", names: [...names] };
    await store.put(
      certificate,
      replaced.map(({ id }) => id),
      [{ by: BY_SLUICE, app, type: "certificate.issued", data: event }],
    );
    tools.log.info({ app, names, issuer: certificate.issuer }, "a certificate was issued");
  }

  /** The one certificate that an order is for, if the authority knows it by a name. */
  private replacedAt(authority: Authority, replaced: readonly Certificate[]): string | undefined {
    const [only, another] = replaced;
    if (only?.directory !== authority.directory || another !== undefined) return undefined;
    return this.options.renewalName(only);
  }

  private async noteFailure(
    { directory }: Authority,
    { app, names }: CertificateOrder,
    error: unknown,
  ): Promise<Outcome | "another-authority"> {
    const { tools, troubles, limits } = this.options;
    const before = await troubles.read();
    const reason = error instanceof Error ? error.message : String(error);
    if (!(error instanceof NamesRefused))
      tools.log.warn({ err: error, app, names, authority: directory }, "an authority issued nothing");
    if (error instanceof AuthorityProblem && error.isOfTheAuthority) {
      const notBefore = tools.clock.now() + (error.retryAfterMs ?? 0);
      const trouble = this.failedAgain(before.get(directory), reason, notBefore);
      await troubles.write(new Map([[directory, trouble]]));
      if (trouble.failures === TELL_AFTER)
        await this.tell(app, new Map(names.map((name) => [name, `${directory}: ${reason}`])));
      return "another-authority";
    }
    if (error instanceof AuthorityProblem && error.kind === "rateLimited") return "another-authority";
    const reasons = reasonsOf(error, names, (name) => this.options.answers.kindFor(name) === "dns");
    if (reasons === undefined && names.length > 1) return "apart";
    const refused = reasons ?? new Map(names.map((name) => [name, reason]));
    if (error instanceof NamesRefused)
      await limits.noteFailures(directory, [...refused.keys()], tools.clock.now());
    const after = new Map(
      [...refused].map(([name, why]) => [name, this.failedAgain(before.get(name), why)] as const),
    );
    await troubles.write(after);
    await this.tell(app, new Map([...refused].filter(([name]) => after.get(name)?.failures === TELL_AFTER)));
    return refused.size < names.length ? "again" : "held";
  }

  private waitingFor({ directory }: Authority, error: unknown): Trouble {
    const now = this.options.tools.clock.now();
    const reason = `${directory}: ${error instanceof Error ? error.message : String(error)}`;
    if (!(error instanceof AuthorityProblem) || error.kind !== "rateLimited") return heldFor(reason, now);
    return { ...heldFor(reason, now), nextTryAt: now + (error.retryAfterMs ?? RATE_LIMITED_MS) };
  }

  private failedAgain(before: Trouble | undefined, reason: string, notBefore = 0): Trouble {
    const now = this.options.tools.clock.now();
    return failed(before, { reason, now, notBefore, dice: Math.random() });
  }

  private async tell(app: string, reasons: ReadonlyMap<string, string>): Promise<void> {
    const [subject] = reasons.keys();
    if (subject === undefined) return;
    const reason = [...reasons].map(([name, why]) => `${name}: ${why}`).join("\n");
    await this.options.certificates.tell([
      { by: BY_SLUICE, app, type: "certificate.failed", data: { subject, reason } },
    ]);
  }
}

interface CertificateOrder {
  readonly app: string;
  readonly names: readonly string[];
  readonly replaced: readonly Certificate[];
}

/** Which of the names an error is about, and what is wrong with each; undefined: it does not say. */
function reasonsOf(
  error: unknown,
  names: readonly string[],
  needsHook: (name: string) => boolean,
): ReadonlyMap<string, string> | undefined {
  if (error instanceof NamesRefused) return error.reasons;
  if (error instanceof HookFailed)
    return new Map(names.filter(needsHook).map((name) => [name, error.message]));
  // There would be too many for one certificate, whoever asks for it.
  if (isAppError(error, "certificate-invalid")) return undefined;
  if (!(error instanceof AuthorityProblem)) return undefined;
  const found = names.flatMap((name) => {
    const why = error.names.get(name) ?? error.names.get(name.replace(/^\*\./, ""));
    return why === undefined ? [] : [[name, why] as const];
  });
  return found.length === 0 ? undefined : new Map(found);
}

function heldFor(reason: string, now: number): Trouble {
  return { reason, failures: 0, triedAt: now };
}
