import type { Log } from "../../../core/log.js";
import type { AppRoutes } from "../../proxy.js";

/** Routes that HAProxy has but its files lack, because the disk was full. */
export class UnwrittenRoutes {
  private readonly byApp = new Map<string, AppRoutes | undefined>();
  /** The HAProxy process that has them. */
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

  /** Whether HAProxy has restarted with the old files and must be given these routes again. */
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
      this.log.warn("the disk is full: HAProxy uses the current routes, but would restart with older ones");
    for (const [app, routes] of changes) this.byApp.set(app, routes);
    this.wanted = fallback;
    // The first process stays: if HAProxy has restarted since, `areLostBy` must notice.
    this.process ??= process;
  }

  /** The files are up to date. */
  forget(): void {
    if (this.process !== undefined) this.log.info("HAProxy's files contain the current routes again");
    this.byApp.clear();
    this.process = undefined;
  }
}
