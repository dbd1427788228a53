import { randomInt } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { BASELINE, CANARY, PRODUCTION } from "../../../core/records/routes/route-table.js";
import { REDIRECT, type AppRoutes, type ReleaseRoutes, type Split } from "../../../proxy/proxy.js";

/** Where a request goes. */
export interface Destination {
  /** `APP/vN`. */
  readonly release: string;
  readonly track: string;
  readonly servers: readonly string[];
  /** Chance did not send them. */
  readonly asked: boolean;
  /** The visitor's cookie; empty without one. */
  readonly had: string;
  /** `DRAW.TICKET` of a visitor whom chance has sent here. */
  readonly unit: string | undefined;
  /** What happens to the cookie. */
  readonly cookie: "given" | "taken" | "left";
  readonly split: Split | undefined;
  /** An answer below 400 marks the cookie. */
  readonly isGoal: boolean;
}

interface Question {
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** The routes of every app, and what they mean for a request; the domain is `localhost`. */
export class FakeRoutes {
  private readonly byApp = new Map<string, AppRoutes>();
  private fallback: string | undefined;

  change(changes: ReadonlyMap<string, AppRoutes | undefined>, fallback: string | undefined): void {
    for (const [app, routes] of changes) {
      if (routes === undefined) this.byApp.delete(app);
      else this.byApp.set(app, routes);
    }
    this.fallback = fallback;
  }

  apps(): ReadonlySet<string> {
    return new Set(this.byApp.keys());
  }

  release(key: string): ReleaseRoutes | undefined {
    return this.byApp.get(key.split("/")[0] ?? "")?.releases.get(key);
  }

  /** Whether a release has this server. */
  serves(address: string): boolean {
    return [...this.byApp.values()].some(({ releases }) =>
      [...releases.values()].some(({ servers }) => [...servers.values()].includes(address)),
    );
  }

  /** The other host of the same app to which a host's visitors are sent on; undefined: none. */
  redirectOf({ headers }: Question): string | undefined {
    const target = this.targetOf((headers.host ?? "").toLowerCase().replace(/:\d+$/, "")) ?? "";
    const at = target.indexOf(`/${REDIRECT}`);
    return at < 0 ? undefined : target.slice(at + 2);
  }

  /** Or the status to answer with. */
  destinationOf({ headers, url = "/" }: Question): Destination | 404 | 503 {
    const { host = "", cookie = "" } = headers;
    const target = this.targetOf(host.toLowerCase().replace(/:\d+$/, ""));
    if (target === undefined) return 404;
    const routes = this.byApp.get(target.split("/")[0] ?? "");
    const split = routes?.splits.get(target);
    const mode = target.endsWith(`/${PRODUCTION}`) ? modeOf(headers, split) : undefined;
    if (mode === "green" && split?.canary === undefined) return 404;
    const isOwnHost = this.release(target) !== undefined || /\/(?:canary|baseline)$/.test(target);
    const asks = mode !== undefined || isOwnHost;
    const had = /(?:^|; )sluice=([^;]*)/.exec(cookie)?.[1] ?? "";
    const side = asks || split === undefined || !isSplit(split) ? undefined : sideOf(split, had);
    const kept = asks ? undefined : this.kept(target, had, split);
    const visited = kept ?? side?.release;
    const key = mode === "green" ? split?.canary : (visited ?? routes?.tracks.get(target) ?? target);
    const release = this.release(key ?? "");
    if (key === undefined || release === undefined || release.servers.size === 0) return 503;
    const draw = drawOf(split);
    const isSameShare = side?.isNew === true || partsOf(had).draw.split("-")[1] === draw.split("-")[1];
    const isThereByChance =
      side?.ticket !== undefined && (kept === undefined ? isSameShare : partsOf(had).draw === draw);
    return {
      release: key,
      track: release.track,
      servers: [...release.servers.values()],
      asked: asks,
      had,
      unit: isThereByChance ? `${draw}.${side.ticket}` : undefined,
      cookie: asks ? "left" : whatOfTheCookie(release, split, had),
      split,
      isGoal: isThereByChance && split?.goal !== undefined && split.goal === url.split("?")[0],
    };
  }

  /** The split in which this release is compared. */
  splitOf(release: string): Split | undefined {
    const { splits, tracks } = this.byApp.get(release.split("/")[0] ?? "") ?? {};
    return [...(splits ?? [])].find(([track, { canary, baseline }]) =>
      [tracks?.get(track), canary, baseline].includes(release),
    )?.[1];
  }

  private targetOf(host: string): string | undefined {
    for (const name of [host, host.replace(/^[^.]+(?=\.)/, "*")])
      for (const { hosts } of this.byApp.values()) {
        const target = hosts.get(name);
        if (target !== undefined) return target;
      }
    return host === "localhost" || /^(?:[\d.]+|\[.*\])$/.test(host) ? this.fallback : undefined;
  }

  /** The sticky release that a visitor had, while it has a server (a canary's while it takes visitors, too). */
  private kept(target: string, had: string, split: Split | undefined): string | undefined {
    const key = `${target.split("/")[0] ?? ""}/${had.split(".")[1] ?? ""}`;
    const release = this.release(key);
    if (release?.track === CANARY && !isSplit(split)) return undefined;
    return release?.sticky && release.servers.size > 0 ? key : undefined;
  }
}

/** What an answer does to a visitor's cookie, and how it counts. Pure. */
export function given(
  { release, track, had, unit, cookie, split, isGoal }: Omit<Destination, "servers" | "asked">,
  status: number,
): { cookie: string | undefined; isVisitor: boolean; isGoal: boolean } {
  if (cookie !== "given")
    return { cookie: cookie === "taken" ? "sluice=" : undefined, isVisitor: false, isGoal: false };
  const before = partsOf(had);
  const wanted = `${track}.${release.split("/")[1] ?? ""}`;
  const isBefore = `${before.track}.${before.version}` === wanted;
  const isSameDraw = before.draw === drawOf(split);
  const wasAtGoal = isSameDraw && before.goal === "g";
  const isAtGoal = isGoal && status < 400;
  const mark = isAtGoal || wasAtGoal ? ".g" : "";
  const drawn = [wanted, before.draw, before.ticket, before.goal].filter((part) => part !== "").join(".");
  const left = before.ticket.length > 1 && split?.canary !== undefined ? drawn : wanted;
  const value = unit === undefined ? left : `${wanted}.${unit}${mark}`;
  return {
    cookie: value === had ? undefined : `sluice=${value}`,
    isVisitor: unit === undefined ? !isBefore && !isSplit(split) : !isSameDraw,
    isGoal: isAtGoal && !wasAtGoal,
  };
}

function partsOf(cookie: string): Record<"track" | "version" | "draw" | "ticket" | "goal", string> {
  const [track = "", version = "", draw = "", ticket = "", goal = ""] = cookie.split(".");
  return { track, version, draw, ticket, goal };
}

/** `vN-SHARE` */
function drawOf(split: Split | undefined): string {
  return `${split?.canary?.split("/")[1] ?? ""}-${Math.round((split?.share ?? 0) * 100)}`;
}

function modeOf(headers: IncomingHttpHeaders, split: Split | undefined): "blue" | "green" | undefined {
  const mode = String(headers[split?.header ?? "x-client-mode"]).toLowerCase();
  return mode === "blue" || mode === "green" ? mode : undefined;
}

/** Whether the canary takes visitors. */
function isSplit(split: Split | undefined): boolean {
  return split?.canary !== undefined && split.share > 0;
}

interface Side {
  /** Undefined: the track's own. */
  readonly release: string | undefined;
  /** Of a visitor whom chance has sent there, now or before. */
  readonly ticket: string | undefined;
  readonly isNew: boolean;
}

function sideOf({ canary, baseline, share }: Split, had: string): Side {
  const { track, ticket: known } = partsOf(had);
  const stays = { ticket: known.length > 1 ? known : undefined, isNew: false };
  if (track === CANARY) return { release: canary, ...stays };
  if (track === PRODUCTION) return { release: undefined, ...stays };
  if (track === BASELINE && baseline !== undefined) return { release: baseline, ...stays };
  const dice = Math.random() * 100;
  const release = dice < share ? canary : dice < 2 * share ? baseline : undefined;
  return { release, ticket: String(randomInt(2 ** 32)), isNew: true };
}

/** A ticket is kept while the canary takes nobody, and taken when there is none. */
function whatOfTheCookie(
  { sticky }: ReleaseRoutes,
  split: Split | undefined,
  had: string,
): Destination["cookie"] {
  const { track, ticket } = partsOf(had);
  const hasTicket = ticket.length > 1;
  if (isSplit(split)) return "given";
  if ((track === CANARY || hasTicket) && split?.canary !== undefined) return "left";
  if (sticky || (track === CANARY && !hasTicket)) return "given";
  return hasTicket ? "taken" : "left";
}
