import { PRODUCTION, type RoutedRelease, type RouteTable } from "../../core/records/routes/route-table.js";
import type { RouteTables } from "../../core/records/routes/route-tables.js";
import type { ScaleSettings } from "../../core/records/releases/scale-settings.js";

export type ScaledRelease = RoutedRelease & { readonly scale: ScaleSettings };

/** The apps whose production has `scale` in its app.json, as the route tables have them. */
export class ScaledApps {
  private readonly releases = new Map<string, ScaledRelease>();
  private revision = 0;
  private reading: Promise<void> | undefined;

  constructor(private readonly routes: Pick<RouteTables, "changedSince">) {}

  /** App → production's release, at a moment after this was called. */
  async read(): Promise<ReadonlyMap<string, ScaledRelease>> {
    // One after the other: an older answer must not come last.
    const before = this.reading ?? Promise.resolve();
    const reading = before.catch(() => undefined).then(async () => this.follow());
    this.reading = reading;
    await reading;
    return this.releases;
  }

  private async follow(): Promise<void> {
    const { revision, changes } = await this.routes.changedSince(this.revision);
    for (const [app, table] of changes) {
      const release = table === undefined ? undefined : scaledRelease(table);
      if (release === undefined) this.releases.delete(app);
      else this.releases.set(app, release);
    }
    this.revision = revision;
  }
}

function scaledRelease({ tracks, releases }: RouteTable): ScaledRelease | undefined {
  const release = releases.find(({ number }) => number === tracks[PRODUCTION]);
  return release?.scale === undefined ? undefined : { ...release, scale: release.scale };
}
