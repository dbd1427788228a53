import { releaseName } from "../../../core/names.js";
import { userOf } from "../../machine.js";
import type { BuildOutput, BuildWork } from "../build-work.js";
import { renewBases } from "./base-image.js";
import { manifestOf } from "../manifest/manifest-of.js";
import type { BuildsNeeds } from "../needs.js";
import { dependencyKey } from "./dependency-key.js";
import { LayerStore } from "./layers/layer-store.js";
import { copyImage } from "./registry/copy-image.js";
import type { ImageTags } from "./registry/image-tags.js";
import { pruneImages, type KeptImages, type Pruned } from "./registry/prune-images.js";
import type { PushedRepositories } from "./registry/pushed-repositories.js";
import { imageIn, type ImageName } from "./registry/registry-access.js";
import type { RegistryClient } from "./registry/registry-client.js";
import { publishRelease, type ImageWork } from "./release-image.js";
import { runtimesOf } from "./runtimes.js";
import { publishTools, TOOLS, TOOLS_NAME } from "./tools-image.js";

export interface ReleaseImagesOptions {
  /** Where layers are kept. */
  readonly folder: string;
  readonly registry: RegistryClient;
  /** Of earlier settings, with images that releases may still need. */
  readonly former: readonly FormerRegistry[];
  readonly tags: ImageTags;
  /** Where the registry has others' images, too; undefined: all that it has are ours. */
  readonly pushed?: PushedRepositories;
  /** Names of the images that hosts run or may start again. */
  readonly imagesInUse: (signal: AbortSignal) => Promise<string[]>;
  /** Frees what the registry has no image for any more, while nothing is pushed. */
  readonly collectGarbage: (signal: AbortSignal) => Promise<void>;
  readonly cleanHosts: (cleaning: HostCleaning, signal: AbortSignal) => Promise<CleanedHosts>;
}

/** The registry of earlier settings. */
export interface FormerRegistry {
  /** `HOST:PORT/PREFIX` */
  readonly place: string;
  /** Undefined where its images are those of the present one, at another address. */
  readonly client: RegistryClient | undefined;
  /** Nothing needs it any more. */
  leave(): Promise<void>;
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
  private former: readonly FormerRegistry[];
  /** See `copyImage`. */
  private readonly placed = new Map<string, string>();

  constructor(private readonly options: ReleaseImagesOptions) {
    this.layers = new LayerStore(options.folder);
    this.former = options.former;
  }

  /**
   * Makes the image of a release's sealed tree and sends it to the registry. Returns by which name hosts fetch it:
   * `HOST:PORT/PREFIX/APP@sha256:…`. Can be called again: then hardly anything is sent.
   */
  async publish(work: BuildWork, signal: AbortSignal): Promise<string> {
    return this.whilePushing(work.record.app, async () => this.publishNow(work, signal));
  }

  /** The tag of a release's image. */
  tagOf(number: number): string {
    return this.options.tags.tagOf(releaseName(number));
  }

  /** Pushes to a repository when nothing is being collected, and nothing is until it is done. */
  async whilePushing<T>(repository: string, push: () => Promise<T>): Promise<T> {
    while (this.collecting !== undefined) await this.collecting.catch(() => undefined);
    const publishing = this.push(repository, push);
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
    const { registry } = this.options;
    const digest = await registry.digestOf(repository, tag, signal);
    return digest === undefined ? undefined : `${registry.place}/${repository}@${digest}`;
  }

  /** Throws, as the registry does, unless it takes what is pushed to a repository. */
  async checkPush(repository: string, signal: AbortSignal): Promise<void> {
    await this.options.registry.checkPush(repository, signal);
  }

  /** Whether the image is where new ones are pushed to, if it is anywhere. */
  isHere(reference: string): boolean {
    return imageIn(this.options.registry.place, reference) !== undefined;
  }

  /**
   * By which name hosts fetch a release's image now: it is copied from the registry of earlier settings if it is still there.
   * Undefined when no registry has it.
   */
  async bring(reference: string, number: number, signal: AbortSignal): Promise<string | undefined> {
    const { registry } = this.options;
    const here = imageIn(registry.place, reference);
    if (here !== undefined) return (await this.has(here, signal)) ? reference : undefined;
    const former = this.former.find(({ place }) => imageIn(place, reference) !== undefined);
    const name = former && imageIn(former.place, reference);
    if (name === undefined) return undefined;
    const isBrought = await (former?.client === undefined
      ? this.has(name, signal)
      : this.copy(name, former.client, number, signal));
    return isBrought ? `${registry.place}/${name.repository}@${name.digest}` : undefined;
  }

  /** Whether earlier settings named another registry, and it is still needed. */
  get hasFormer(): boolean {
    return this.former.length > 0;
  }

  /**
   * Gives up the registries of earlier settings that neither a release nor a host needs: their images go from the hosts, and our
   * own registry is stopped and emptied. `needed`: images of releases. Returns the places that were given up.
   */
  async leaveFormer(needed: readonly string[], tools: BuildsNeeds, signal: AbortSignal): Promise<string[]> {
    const used = [...needed, ...(await this.options.imagesInUse(signal))];
    const left: string[] = [];
    for (const former of this.former) {
      if (used.some((reference) => imageIn(former.place, reference) !== undefined)) continue;
      const image = await this.publishTools(tools, signal);
      await this.options.cleanHosts({ image, registry: former.place, kept: [] }, signal);
      await former.leave();
      this.former = this.former.filter((each) => each !== former);
      left.push(former.place);
    }
    return left;
  }

  /**
   * Removes images of this registry from every host, but those that are `left` there and those that are in use. One that is
   * published meanwhile is in use by the time it would be removed.
   */
  async cleanHosts(left: Pruned["left"], tools: BuildsNeeds, signal: AbortSignal): Promise<CleanedHosts> {
    const { place } = this.options.registry;
    const image = await this.publishTools(tools, signal);
    const kept = [...left, image.slice(place.length + 1)];
    return this.options.cleanHosts({ image, registry: place, kept }, signal);
  }

  /** The next releases get Debian's security updates (`renewBases`). */
  async renewBases(tools: BuildsNeeds, signal: AbortSignal): Promise<void> {
    await renewBases(this.imageWork(tools, SILENT), BASE_AGE_MS, signal);
  }

  private async push<T>(repository: string, push: () => Promise<T>): Promise<T> {
    await this.options.pushed?.add(repository);
    return push();
  }

  private async publishTools(tools: BuildsNeeds, signal: AbortSignal): Promise<string> {
    const tag = this.options.tags.tagOf(TOOLS_NAME);
    const publish = async (): Promise<string> => publishTools(this.imageWork(tools, SILENT), tag, signal);
    return this.whilePushing(TOOLS, publish);
  }

  private async has({ repository, digest: wanted }: ImageName, signal: AbortSignal): Promise<boolean> {
    return (await this.options.registry.digestOf(repository, wanted, signal)) === wanted;
  }

  private async copy(
    name: ImageName,
    from: RegistryClient,
    number: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const options = { from, to: this.options.registry, tag: this.tagOf(number), placed: this.placed };
    return this.whilePushing(name.repository, async () =>
      this.layers.inScratch(async (scratch) => copyImage(name, { ...options, scratch }, signal)),
    );
  }

  private imageWork(tools: BuildsNeeds, out: BuildOutput): ImageWork {
    const { registry } = this.options;
    return {
      layers: this.layers,
      registry,
      tools,
      out,
      basePackages: tools.settings.fleet.basePackages,
    };
  }

  /** After what is being published, and before what comes. */
  private async collectNow(kept: KeptImages, signal: AbortSignal): Promise<Pruned> {
    const { registry, tags, pushed } = this.options;
    await Promise.allSettled(this.publishing);
    const ours = new Map(kept).set(TOOLS, new Set([TOOLS_NAME]));
    const repositories =
      pushed === undefined
        ? await registry.repositories(signal)
        : [...new Set([...(await pushed.list()), ...ours.keys()])];
    const pruned = await pruneImages(registry, { repositories, tags }, ours, signal);
    if (pruned.deleted > 0) await this.options.collectGarbage(signal);
    await pushed?.remove(pruned.empty);
    await this.layers.prune(KEPT_LAYERS);
    return pruned;
  }

  private async publishNow(work: BuildWork, signal: AbortSignal): Promise<string> {
    const { app, tools, record, out } = work;
    const tree = tools.home.tree(record.app, record.number);
    const release = {
      ...{ app: record.app, tag: this.tagOf(record.number), tree, artifact: record.artifact },
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
