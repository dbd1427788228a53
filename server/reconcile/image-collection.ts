import { toAppError } from "../../core/errors/app-error.js";
import { Ticker } from "../../core/loop/ticker.js";
import { releaseName } from "../../core/names.js";
import type { KeptImages } from "../builds/image/registry/prune-images.js";
import type { ReleaseImages } from "../builds/image/release-images.js";
import { keptReleases } from "../pipeline/prune.js";
import type { ReconcileNeeds } from "./needs.js";

const TICK_MS = 3600_000;
const TICKS_A_DAY = 24;

/** Once a day, and an hour after the start: images of releases that are gone, go. */
export class ImageCollection {
  private readonly ticker: Ticker;
  private readonly stopping = new AbortController();
  private ticks = 0;

  constructor(
    private readonly tools: ReconcileNeeds,
    private readonly images: ReleaseImages,
  ) {
    this.ticker = new Ticker({
      everyMs: TICK_MS,
      job: async () => {
        if (this.ticks++ % TICKS_A_DAY === 0) await this.collect();
      },
      onError: (error) => tools.log.warn({ err: toAppError(error) }, "could not remove old images"),
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

  async collect(): Promise<void> {
    const deleted = await this.images.collect(await keptImages(this.tools), this.stopping.signal);
    if (deleted > 0) this.tools.log.info({ images: deleted }, "removed the images of earlier releases");
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
