import { toAppError } from "../../../core/errors/app-error.js";
import { Ticker } from "../../../core/loop/ticker.js";
import { releaseName } from "../../../core/names.js";
import type { KeptImages } from "../../builds/image/registry/prune-images.js";
import type { ReleaseImages } from "../../builds/image/release-images.js";
import { keptReleases } from "../../pipeline/prune.js";
import type { ReconcileNeeds } from "../needs.js";

const HOUR_MS = 3600_000;

/**
 * Once a day (`fleet.collectSeconds`, rounded to hours if it is more than one), and an hour after the start: images of releases
 * that are gone, go, and so does what builds have left; bases are renewed.
 */
export class ImageCollection {
  private readonly ticker: Ticker;
  private readonly stopping = new AbortController();
  private ticks = 0;
  private isRefusalTold = false;

  constructor(
    private readonly tools: ReconcileNeeds,
    private readonly images: ReleaseImages,
  ) {
    const collectMs = tools.settings.fleet.collectSeconds * 1000;
    const everyMs = Math.min(HOUR_MS, collectMs);
    this.ticker = new Ticker({
      everyMs,
      job: async () => {
        if (this.ticks++ % Math.round(collectMs / everyMs) === 0) await this.collect();
      },
      onError: (error) => this.tell(error),
    });
  }

  start(): { stop(): Promise<void> } {
    this.ticker.start();
    return {
      stop: async () => {
        this.stopping.abort(new Error("the server stops"));
        await this.ticker.stop();
      },
    };
  }

  /** What fails keeps none of the others from being done. */
  async collect(): Promise<void> {
    const { tools, images, stopping } = this;
    const { signal } = stopping;
    const jobs = [
      async () => this.clean(),
      async () => tools.dockerfiles?.collect(signal),
      async () => images.renewBases(tools, signal),
    ];
    for (const job of jobs) await job().catch((error: unknown) => this.tell(error));
  }

  private async clean(): Promise<void> {
    const { tools, images, stopping } = this;
    const { deleted, left, isRefused } = await images.collect(await keptImages(tools), stopping.signal);
    if (isRefused && !this.isRefusalTold)
      tools.log.info("the image registry lets Sluice delete nothing: images of earlier releases stay there");
    this.isRefusalTold ||= isRefused;
    if (deleted > 0) tools.log.info({ images: deleted }, "removed the images of earlier releases");
    const { bytes, ...removed } = await images.cleanHosts(left, tools, stopping.signal);
    tools.log.info(
      { ...removed, megabytes: Math.round(bytes / 1e6) },
      "removed the images of earlier releases from the hosts",
    );
  }

  private tell(error: unknown): void {
    if (!this.stopping.signal.aborted)
      this.tools.log.warn({ err: toAppError(error) }, "could not remove or renew images");
  }
}

/** Repository → digests and tags of the releases that can serve, or are being made. */
async function keptImages({ apps, releases, routes, settings }: ReconcileNeeds): Promise<KeptImages> {
  const { apps: all, unreadable } = await apps.listAll();
  const kept = await Promise.all(
    all.map(async ({ name }) => {
      const [records, table] = await Promise.all([releases.list(name), routes.read(name)]);
      const numbers = keptReleases(records, table, settings.limits.keepReleases);
      const names = records
        .filter(({ number }) => numbers.has(number))
        .flatMap(({ number, artifact }) => [releaseName(number), artifact.image?.split("@")[1] ?? ""]);
      return [name, new Set(names)] as const;
    }),
  );
  return new Map<string, ReadonlySet<string> | "all">([
    ...kept,
    ...[...unreadable.keys()].map((name) => [name, "all"] as const),
  ]);
}
