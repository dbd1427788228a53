import { releaseName } from "../../../core/names.js";
import { userOf } from "../../machine.js";
import type { BuildOutput, BuildWork } from "../build-work.js";
import { renewBases } from "./base-image.js";
import { manifestOf } from "../manifest/manifest-of.js";
import type { BuildsNeeds } from "../needs.js";
import { dependencyKey } from "./dependency-key.js";
import { LayerStore } from "./layers/layer-store.js";
import { pruneImages, type KeptImages, type Pruned } from "./registry/prune-images.js";
import type { RegistryClient } from "./registry/registry-client.js";
import { publishRelease, type ImageWork } from "./release-image.js";
import { runtimesOf } from "./runtimes.js";
import { publishTools, TOOLS, TOOLS_TAG } from "./tools-image.js";

export interface ReleaseImagesOptions {
  /** Where layers are kept. */
  readonly folder: string;
  readonly registry: RegistryClient;
  /** `HOST:PORT`, as hosts reach it. */
  readonly address: string;
  /** Frees what the registry has no image for any more, while nothing is pushed. */
  readonly collectGarbage: (signal: AbortSignal) => Promise<void>;
  readonly cleanHosts: (cleaning: HostCleaning, signal: AbortSignal) => Promise<CleanedHosts>;
}

/** With which image hosts remove images of which registry, and which not: `REPOSITORY@sha256:…`. */
export interface HostCleaning {
  readonly image: string;
  readonly registry: string;
  readonly kept: readonly string[];
}

/** What was removed from so many hosts; `silent` ones have not done it in their time. */
export interface CleanedHosts {
  readonly hosts: number;
  readonly silent: number;
  readonly images: number;
  readonly bytes: number;
}

const KEPT_LAYERS = 40;
/** Nobody waits for what is done in the background. */
const SILENT: BuildOutput = { line: () => undefined, alive: async (_, work) => work };
const BASE_AGE_MS = 7 * 24 * 3600 * 1000;

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
  async collect(kept: KeptImages, signal: AbortSignal): Promise<Pruned> {
    while (this.collecting !== undefined) await this.collecting.catch(() => undefined);
    const collecting = this.collectNow(kept, signal);
    this.collecting = collecting;
    return collecting.finally(() => (this.collecting = undefined));
  }

  /** By which name hosts fetch the image that a tag names now; undefined when there is none. */
  async referenceOf(repository: string, tag: string, signal: AbortSignal): Promise<string | undefined> {
    const { address, registry } = this.options;
    const digest = await registry.digestOf(repository, tag, signal);
    return digest === undefined ? undefined : `${address}/${repository}@${digest}`;
  }

  /** Whether hosts can fetch what `publish` has returned. */
  async isPublished(reference: string, signal: AbortSignal): Promise<boolean> {
    const { address, registry } = this.options;
    const [repository = "", image = ""] = reference.slice(address.length + 1).split("@");
    return (await registry.digestOf(repository, image, signal)) === image;
  }

  /**
   * Removes images of this registry from every host, but those that are `left` there and those that are in use. One that is
   * published meanwhile is in use by the time it would be removed.
   */
  async cleanHosts(left: Pruned["left"], tools: BuildsNeeds, signal: AbortSignal): Promise<CleanedHosts> {
    const { address } = this.options;
    const image = await publishTools(this.imageWork(tools, SILENT), signal);
    const kept = [...left, image.slice(address.length + 1)];
    return this.options.cleanHosts({ image, registry: address, kept }, signal);
  }

  /** The next releases get Debian's security updates (`renewBases`). */
  async renewBases(tools: BuildsNeeds, signal: AbortSignal): Promise<void> {
    await renewBases(this.imageWork(tools, SILENT), BASE_AGE_MS, signal);
  }

  private imageWork(tools: BuildsNeeds, out: BuildOutput): ImageWork {
    const { registry, address } = this.options;
    return {
      layers: this.layers,
      registry,
      address,
      tools,
      out,
      basePackages: tools.settings.fleet.basePackages,
    };
  }

  /** After what is being published, and before what comes. */
  private async collectNow(kept: KeptImages, signal: AbortSignal): Promise<Pruned> {
    await Promise.allSettled(this.publishing);
    const ours = new Map(kept).set(TOOLS, new Set([TOOLS_TAG]));
    const pruned = await pruneImages(this.options.registry, ours, signal);
    if (pruned.deleted > 0) await this.options.collectGarbage(signal);
    await this.layers.prune(KEPT_LAYERS);
    return pruned;
  }

  private async publishNow(work: BuildWork, signal: AbortSignal): Promise<string> {
    const { app, tools, record, out } = work;
    const tree = tools.home.tree(record.app, record.number);
    const release = {
      ...{ app: record.app, tag: releaseName(record.number), tree, artifact: record.artifact },
      runtimes: await runtimesOf(tree, await manifestOf(tools, record)),
      user: userOf(app, tools) ?? { uid: 0, gid: 0 },
      nodeKey: await dependencyKey(work),
    };
    const { reference, sentBytes } = await publishRelease(this.imageWork(tools, out), release, signal);
    const [, digest = ""] = reference.split("@sha256:");
    out.line(`image ${digest.slice(0, 12)}, ${(sentBytes / 1e6).toFixed(1)} MB sent`);
    return reference;
  }
}
