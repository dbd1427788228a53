import type { IncomingHttpHeaders } from "node:http";
import { BASELINE, CANARY, PRODUCTION } from "../../../core/records/routes/route-table.js";
import type { AppRoutes, ReleaseRoutes, Split } from "../../../proxy/proxy.js";

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
  /** What it is to say, but for the goal's mark; undefined: it stays as it is. */
  readonly cookie: string | undefined;
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
    const visited = asks ? undefined : (this.kept(target, had, split) ?? sideOf(split, had));
    const key = mode === "green" ? split?.canary : (visited ?? routes?.tracks.get(target) ?? target);
    const release = this.release(key ?? "");
    if (key === undefined || release === undefined || release.servers.size === 0) return 503;
    const isGiven = !asks && isCookieDue(release, split, had);
    return {
      release: key,
      track: release.track,
      servers: [...release.servers.values()],
      asked: asks,
      had,
      cookie: isGiven ? cookieFor(release.track, key, split) : undefined,
      isGoal: isSplit(split) && split?.goal === url.split("?")[0],
    };
  }

  private targetOf(host: string): string | undefined {
    for (const { hosts } of this.byApp.values()) {
      const target = hosts.get(host);
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

/** `TRACK.vN`, in an A/B test with its canary. */
function cookieFor(track: string, release: string, split: Split | undefined): string {
  const test = isSplit(split) && split?.goal !== undefined ? split.canary : undefined;
  return [track, ...[release, test].flatMap((key) => key?.split("/")[1] ?? [])].join(".");
}

/** What an answer does to a visitor's cookie, and how it counts. Pure. */
export function given(
  { had, cookie, isGoal }: Pick<Destination, "had" | "cookie" | "isGoal">,
  status: number,
): { cookie: string | undefined; isVisitor: boolean; isGoal: boolean } {
  if (cookie === undefined) return { cookie: undefined, isVisitor: false, isGoal: false };
  const isVisitor = had !== cookie && !had.startsWith(`${cookie}.`);
  const wasAtGoal = had === `${cookie}.g`;
  const isAtGoal = isGoal && status < 400;
  const wanted = isAtGoal || wasAtGoal ? `${cookie}.g` : cookie;
  return {
    cookie: wanted === had ? undefined : `sluice=${wanted}`,
    isVisitor,
    isGoal: isAtGoal && !wasAtGoal,
  };
}

function modeOf(headers: IncomingHttpHeaders, split: Split | undefined): "blue" | "green" | undefined {
  const mode = String(headers[split?.header ?? "x-client-mode"]).toLowerCase();
  return mode === "blue" || mode === "green" ? mode : undefined;
}

/** Whether the canary takes visitors. */
function isSplit(split: Split | undefined): boolean {
  return split?.canary !== undefined && split.share > 0;
}

/** The release beside the track's own that a visitor gets. */
function sideOf(split: Split | undefined, had: string): string | undefined {
  if (split === undefined || !isSplit(split)) return undefined;
  const { canary, baseline, share } = split;
  const track = had.split(".")[0];
  if (track === CANARY) return canary;
  if (track === PRODUCTION) return undefined;
  if (track === BASELINE && baseline !== undefined) return baseline;
  const dice = Math.random() * 100;
  if (dice < share) return canary;
  return dice < 2 * share ? baseline : undefined;
}

/** A canary's visitor who waits in production keeps the cookie that they have. */
function isCookieDue({ sticky }: ReleaseRoutes, split: Split | undefined, had: string): boolean {
  const isCanarys = had.split(".")[0] === CANARY;
  if (isCanarys && split?.canary !== undefined && !isSplit(split)) return false;
  return sticky || isSplit(split) || isCanarys;
}
