import { releaseName } from "../../../core/names.js";
import { userOf } from "../../machine.js";
import type { BuildWork } from "../build-work.js";
import { manifestOf } from "../manifest/manifest-of.js";
import { dependencyKey } from "./dependency-key.js";
import { LayerStore } from "./layers/layer-store.js";
import { pruneImages, type KeptImages } from "./registry/prune-images.js";
import type { RegistryClient } from "./registry/registry-client.js";
import { publishRelease } from "./release-image.js";
import { runtimesOf } from "./runtimes.js";

export interface ReleaseImagesOptions {
  /** Where layers are kept. */
  readonly folder: string;
  readonly registry: RegistryClient;
  /** `HOST:PORT`, as hosts reach it. */
  readonly address: string;
  /** Frees what the registry has no image for any more, while nothing is pushed. */
  readonly collectGarbage: (signal: AbortSignal) => Promise<void>;
}

const KEPT_LAYERS = 40;

/** Images of releases, in the registry that the hosts fetch them from. */
export class ReleaseImages {
  private readonly layers: LayerStore;
  private readonly publishing = new Set<Promise<unknown>>();
  private collecting: Promise<unknown> | undefined;

  constructor(private readonly options: ReleaseImagesOptions) {
    this.layers = new LayerStore(options.folder);
  }

  /**
   * Makes the image of a release's sealed tree and sends it to the registry. Returns by which name hosts fetch it:
   * `HOST:PORT/APP@sha256:…`. Can be called again: then hardly anything is sent.
   */
  async publish(work: BuildWork, signal: AbortSignal): Promise<string> {
    return this.whilePushing(async () => this.publishNow(work, signal));
  }

  /** Pushes when nothing is being collected, and nothing is until it is done. */
  async whilePushing<T>(push: () => Promise<T>): Promise<T> {
    while (this.collecting !== undefined) await this.collecting.catch(() => undefined);
    const publishing = push();
    this.publishing.add(publishing);
    return publishing.finally(() => this.publishing.delete(publishing));
  }

  /** Removes what only images had that are not kept (`pruneImages`), and layers that have not been used for long. */
  async collect(kept: KeptImages, signal: AbortSignal): Promise<number> {
    while (this.collecting !== undefined) await this.collecting.catch(() => undefined);
    const collecting = this.collectNow(kept, signal);
    this.collecting = collecting;
    return collecting.finally(() => (this.collecting = undefined));
  }

  /** Whether hosts can fetch what `publish` has returned. */
  async isPublished(reference: string, signal: AbortSignal): Promise<boolean> {
    const { address, registry } = this.options;
    const [repository = "", image = ""] = reference.slice(address.length + 1).split("@");
    return (await registry.digestOf(repository, image, signal)) === image;
  }

  /** After what is being published, and before what comes. */
  private async collectNow(kept: KeptImages, signal: AbortSignal): Promise<number> {
    await Promise.allSettled(this.publishing);
    const deleted = await pruneImages(this.options.registry, kept, signal);
    if (deleted > 0) await this.options.collectGarbage(signal);
    await this.layers.prune(KEPT_LAYERS);
    return deleted;
  }

  private async publishNow(work: BuildWork, signal: AbortSignal): Promise<string> {
    const { registry, address } = this.options;
    const { app, tools, record, out } = work;
    const tree = tools.home.tree(record.app, record.number);
    const release = {
      ...{ app: record.app, tag: releaseName(record.number), tree, artifact: record.artifact },
      runtimes: await runtimesOf(tree, await manifestOf(tools, record)),
      user: userOf(app, tools) ?? { uid: 0, gid: 0 },
      nodeKey: await dependencyKey(work),
    };
    const imageWork = { layers: this.layers, registry, address, tools, out };
    const { reference, sentBytes } = await publishRelease(imageWork, release, signal);
    const [, digest = ""] = reference.split("@sha256:");
    out.line(`image ${digest.slice(0, 12)}, ${(sentBytes / 1e6).toFixed(1)} MB sent`);
    return reference;
  }
}
