import type { IncomingHttpHeaders } from "node:http";
import type { AppRoutes, ReleaseRoutes } from "../../proxy/proxy.js";

/** Where a request goes. */
export interface Destination {
  /** `APP/vN`. */
  readonly release: string;
  readonly track: string;
  readonly servers: readonly string[];
  /** What the visitor is to keep, if they do not have it yet. */
  readonly cookie: string | undefined;
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
  destinationOf({ host = "", cookie = "" }: IncomingHttpHeaders): Destination | 404 | 503 {
    const target = this.targetOf(host.toLowerCase().replace(/:\d+$/, ""));
    if (target === undefined) return 404;
    const had = /(?:^|; )sluice=([^;]*)/.exec(cookie)?.[1];
    const served = this.byApp.get(target.split("/")[0] ?? "")?.tracks.get(target);
    const key = (served === undefined ? undefined : this.kept(target, had)) ?? served ?? target;
    const release = this.release(key);
    if (release === undefined || release.servers.size === 0) return 503;
    const { track, sticky } = release;
    const wanted = `sluice=${track}.${key.split("/")[1] ?? ""}`;
    const servers = [...release.servers.values()];
    return {
      release: key,
      track,
      servers,
      cookie: sticky && `sluice=${had ?? ""}` !== wanted ? wanted : undefined,
    };
  }

  private targetOf(host: string): string | undefined {
    for (const { hosts } of this.byApp.values()) {
      const target = hosts.get(host);
      if (target !== undefined) return target;
    }
    return host === "localhost" || /^(?:[\d.]+|\[.*\])$/.test(host) ? this.fallback : undefined;
  }

  /** The sticky release that a visitor had, while it has a server. */
  private kept(target: string, had: string | undefined): string | undefined {
    const key = `${target.split("/")[0] ?? ""}/${had?.split(".")[1] ?? ""}`;
    const release = this.release(key);
    return release?.sticky && release.servers.size > 0 ? key : undefined;
  }
}
