import { AppError } from "../../core/errors/app-error.js";
import { parseDomainName, refuseSluices, wildcardOver } from "../../core/names.js";
import { actorOf, type Actor } from "../../core/records/events/actor.js";
import type { EventType, NewEvent } from "../../core/records/events/event-record.js";
import type { RoutedDomain, RouteTable } from "../../core/records/routes/route-table.js";
import type { EventsOfChange, RouteTables } from "../../core/records/routes/route-tables.js";

/** Of an app. */
const MOST = 2500;

export interface OwnDomainsOptions {
  readonly routes: RouteTables;
  /** Below which Sluice names apps by itself. */
  readonly domain: string;
  /** The control port's; undefined: it has none. */
  readonly control: string | undefined;
}

/** The domains that apps have besides the one that Sluice gives them. A name is one app's at any time. */
export class OwnDomains {
  constructor(private readonly options: OwnDomainsOptions) {}

  async list(app: string): Promise<readonly RoutedDomain[]> {
    return (await this.options.routes.read(app)).domains;
  }

  /**
   * Gives the app a domain; one that it has gets the redirect, or loses it. Throws `domain-invalid`, `domain-taken`,
   * `domain-is-sluices`, `domain-is-control`, `domain-redirect-invalid`, `domains-too-many`.
   */
  async add(
    app: string,
    wanted: { readonly domain: string; readonly redirectTo?: string | undefined },
    actor: Actor,
  ): Promise<RoutedDomain> {
    const name = this.parse(wanted.domain);
    const redirectTo = wanted.redirectTo === undefined ? undefined : this.parse(wanted.redirectTo);
    const added: RoutedDomain = redirectTo === undefined ? { name } : { name, redirectTo };
    await this.change(app, (table) => withDomain(table, added), eventOf("domain.added", app, name, actor));
    return added;
  }

  /** Throws `domain-unknown`, `domain-redirect-invalid` while another one leads to it. */
  async remove(app: string, domain: string, actor: Actor): Promise<void> {
    const name = parseDomainName(domain);
    await this.change(
      app,
      (table) => withoutDomain(table, name),
      eventOf("domain.removed", app, name, actor),
    );
  }

  private async change(
    app: string,
    change: (table: RouteTable) => RouteTable,
    event: NewEvent,
  ): Promise<void> {
    const events: EventsOfChange = ({ before, after }) =>
      JSON.stringify(before.domains) === JSON.stringify(after.domains) ? [] : [event];
    await this.options.routes.update(app, change, [], events);
  }

  private parse(text: string): string {
    const name = parseDomainName(text);
    refuseSluices(name, this.options.domain, this.options.control);
    return name;
  }
}

/**
 * The domains that the app's app.json has, with those that were given to it by command; what an earlier app.json had and this one
 * has not goes. Throws as `OwnDomains.add`, but for `domain-taken`.
 */
export function withDeclared(
  table: RouteTable,
  declared: readonly Omit<RoutedDomain, "isDeclared">[],
): RouteTable {
  const kept = table.domains.filter(({ isDeclared }) => isDeclared === undefined);
  // Those that others lead to first.
  const inOrder = [...declared].sort(
    (a, b) => Number(a.redirectTo !== undefined) - Number(b.redirectTo !== undefined),
  );
  return inOrder.reduce<RouteTable>((now, domain) => withDomain(now, { ...domain, isDeclared: true }), {
    ...table,
    domains: kept,
  });
}

/** Throws `domain-taken` for a name that another app has: long before the release goes live, when it would be refused, too. */
export async function refuseTaken(
  routes: Pick<RouteTables, "ownerOf">,
  app: string,
  declared: readonly RoutedDomain[],
): Promise<void> {
  for (const { name: domain } of declared)
    for (const name of new Set([domain, wildcardOver(domain)])) {
      const owner = await routes.ownerOf(name);
      if (owner !== undefined && owner !== app)
        throw new AppError("domain-taken", { domain, name, app: owner });
    }
}

function withDomain(table: RouteTable, added: RoutedDomain): RouteTable {
  const { app, domains } = table;
  const others = domains.filter(({ name }) => name !== added.name);
  if (others.length >= MOST) throw new AppError("domains-too-many", { app, most: MOST });
  const { name: domain, redirectTo: to } = added;
  if (to !== undefined) {
    const target = others.find(({ name }) => name === to);
    const problem =
      to === domain || to.startsWith("*.")
        ? "that is no single other name"
        : target === undefined
          ? `${app} does not have it`
          : target.redirectTo !== undefined
            ? `it leads to ${target.redirectTo} itself`
            : undefined;
    if (problem !== undefined) throw new AppError("domain-redirect-invalid", { domain, to, problem });
    refuseTarget(domain, others, "it would lead on");
  }
  return { ...table, domains: [...others, added].sort((a, b) => a.name.localeCompare(b.name)) };
}

function withoutDomain(table: RouteTable, domain: string): RouteTable {
  const { app, domains } = table;
  const others = domains.filter(({ name }) => name !== domain);
  if (others.length === domains.length)
    throw new AppError("domain-unknown", { app, domain, known: domains.map(({ name }) => name) });
  refuseTarget(domain, others, "that is being removed");
  return { ...table, domains: others };
}

/** Others must not lead to nowhere. */
function refuseTarget(to: string, others: readonly RoutedDomain[], problem: string): void {
  const source = others.find(({ redirectTo }) => redirectTo === to);
  if (source !== undefined)
    throw new AppError("domain-redirect-invalid", { domain: source.name, to, problem });
}

function eventOf(type: EventType, app: string, subject: string, actor: Actor): NewEvent {
  return { ...actorOf(actor), app, type, data: { subject } };
}
