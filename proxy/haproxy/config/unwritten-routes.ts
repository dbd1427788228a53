import type { Log } from "../../../core/log.js";
import type { AppRoutes } from "../../proxy.js";

/** Routes that HAProxy has and that its files do not say: a full disk had no room for them. */
export class UnwrittenRoutes {
  private readonly byApp = new Map<string, AppRoutes | undefined>();
  /** The process that has them. */
  private process: string | undefined;
  private wanted: string | undefined;

  constructor(private readonly log: Log) {}

  get areThere(): boolean {
    return this.process !== undefined;
  }

  get changes(): ReadonlyMap<string, AppRoutes | undefined> {
    return new Map(this.byApp);
  }

  get fallback(): string | undefined {
    return this.wanted;
  }

  /** Whether HAProxy has restarted with the old files, and needs these routes again. */
  areLostBy(process: string): boolean {
    const areLost = process !== this.process;
    this.process = process;
    return areLost;
  }

  remember(
    changes: ReadonlyMap<string, AppRoutes | undefined>,
    fallback: string | undefined,
    process: string,
  ): void {
    if (this.process === undefined)
      this.log.warn("the disk is full: HAProxy has its routes, but would restart with older ones");
    for (const [app, routes] of changes) this.byApp.set(app, routes);
    this.wanted = fallback;
    // A process that has restarted since is noticed by `areLostBy`, not taken for the one that had the earlier ones.
    this.process ??= process;
  }

  /** The files say it all. */
  forget(): void {
    if (this.process !== undefined) this.log.info("HAProxy's files say its routes again");
    this.byApp.clear();
    this.process = undefined;
  }
}
