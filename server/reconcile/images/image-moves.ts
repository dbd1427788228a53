import { toAppError } from "../../../core/errors/app-error.js";
import { Ticker } from "../../../core/loop/ticker.js";
import { releaseName } from "../../../core/names.js";
import type { ReleaseRecord } from "../../../core/records/releases/release-record.js";
import type { ReleaseImages } from "../../builds/image/release-images.js";
import type { Pipeline } from "../../pipeline/pipeline.js";
import { keptReleases } from "../../pipeline/prune.js";
import type { ReconcileNeeds } from "../needs.js";

const TICK_MS = 15_000;

/**
 * After the settings have named another registry, the images of all releases that are kept are copied there, so that each can be
 * rolled back to as before. When neither a release nor a host needs the former registry, it is given up.
 */
export class ImageMoves {
  private readonly ticker: Ticker;
  private readonly stopping = new AbortController();
  /** Images that no registry has any more. */
  private readonly lost = new Set<string>();
  private told: string | undefined;

  constructor(
    private readonly tools: ReconcileNeeds,
    private readonly pipeline: Pipeline,
    private readonly images: ReleaseImages,
  ) {
    this.ticker = new Ticker({
      everyMs: TICK_MS,
      job: async () => this.move(),
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

  private async move(): Promise<void> {
    const { tools, images, stopping } = this;
    if (!images.hasFormer) return;
    const { apps, unreadable } = await tools.apps.listAll();
    const needed: string[] = [];
    for (const { name } of apps) needed.push(...(await this.moveOf(name)));
    this.told = undefined;
    // Nobody knows which images such an app needs.
    if (unreadable.size > 0) return;
    for (const registry of await images.leaveFormer(needed, tools, stopping.signal))
      tools.log.info({ registry }, "no release needs the former image registry any more");
  }

  /** Returns which images the app's releases still need, wherever they are. */
  private async moveOf(app: string): Promise<string[]> {
    const { tools, images } = this;
    const records = await tools.releases.list(app);
    const kept = keptReleases(records, await tools.routes.read(app), tools.settings.limits.keepReleases);
    const needed: string[] = [];
    for (const record of records.filter(({ number }) => kept.has(number))) {
      const { image } = record.artifact;
      if (image === undefined || this.lost.has(image)) continue;
      needed.push(images.isHere(image) ? image : ((await this.moveImage(record, image)) ?? image));
    }
    return needed.filter((image) => !this.lost.has(image));
  }

  private async moveImage(
    { app, number, artifact }: ReleaseRecord,
    image: string,
  ): Promise<string | undefined> {
    const { tools, images, pipeline, stopping } = this;
    const reference = await images.bring(image, number, stopping.signal);
    if (reference === undefined) {
      this.lost.add(image);
      const values = { app, release: releaseName(number), image };
      // The image of a tree is made again when it is needed.
      if (artifact.kind === "dockerfile") tools.log.error(values, "no registry has the image of a release");
      return undefined;
    }
    const place = { app, what: "a move of images", signal: stopping.signal };
    await pipeline.exclusively(place, async (_signal, locked) => {
      const stored = await locked.releases.find(app, number);
      if (stored?.artifact.image === image)
        await locked.releases.save({ ...stored, artifact: { ...stored.artifact, image: reference } });
    });
    tools.log.info({ app, release: releaseName(number), image: reference }, "copied the image of a release");
    return reference;
  }

  /** Once, until something else is wrong. */
  private tell(error: unknown): void {
    const { message } = toAppError(error);
    if (this.stopping.signal.aborted || this.told === message) return;
    this.told = message;
    this.tools.log.warn({ err: toAppError(error) }, "could not copy images from the former registry");
  }
}
