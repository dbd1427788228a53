import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { releaseName } from "../../../core/names.js";
import type { BuildWork } from "../build-work.js";
import { userOf } from "../../machine.js";
import { isThere } from "../node/fetch-package.js";
import { APP_FOLDER } from "../placed-tree.js";
import { baseLayer } from "./base-layer.js";
import { markOf } from "./folder-mark.js";
import { dockerArchitecture, makeImage } from "./image.js";
import { LayerStore } from "./layer-store.js";
import { nodeLayer } from "./node-layer.js";
import { pruneImages, type KeptImages } from "./prune-images.js";
import { pushImage } from "./push-image.js";
import type { RegistryClient } from "./registry-client.js";
import type { Layer } from "./write-layer.js";

export interface ReleaseImagesOptions {
  /** Where layers are kept. */
  readonly folder: string;
  readonly registry: RegistryClient;
  /** `HOST:PORT`, as hosts reach it. */
  readonly address: string;
  /** Frees what the registry has no image for any more, while nothing is pushed. */
  readonly collectGarbage: (signal: AbortSignal) => Promise<void>;
}

/** What every app may expect of a machine. */
const PACKAGES = ["ca-certificates", "libstdc++6", "tzdata"];
const PYTHON_PACKAGES = ["python3"];
/** Commands that need a language's runtime, also without a file that lists packages. */
const NODE = /(?:^|[\s;&|/])(?:node|npm|npx)(?=\s)/m;
const PYTHON = /(?:^|[\s;&|/])python3?(?=\s)/m;
/** Folders of installed dependencies, each a layer of its own. */
const DEPENDENCIES = ["node_modules", ".venv"];
/** A repository of layers that several apps have. */
const SHARED = "sluice/base";
const KEPT_LAYERS = 40;

/**
 * Images of releases: a base, the language's runtime, the dependencies and the app's own files are a layer each, so that
 * only what has changed is sent.
 */
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
    while (this.collecting !== undefined) await this.collecting.catch(() => undefined);
    const publishing = this.publishNow(work, signal);
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
    const { tools, record } = work;
    const tree = tools.home.tree(record.app, record.number);
    const names = await dependenciesIn(tree);
    const shared = await this.sharedLayers(work, tree, signal);
    const dependencies = await this.dependencyLayers(work, tree, names, signal);
    const app = await this.appLayer(work, tree, names, signal);
    const image = makeImage([...shared, ...dependencies, app], {
      user: userOf(work.app, tools) ?? { uid: 0, gid: 0 },
      workingFolder: APP_FOLDER,
      architecture: dockerArchitecture(process.arch),
    });
    try {
      const digests = new Set(shared.map(({ digest }) => digest));
      const destination = {
        repository: record.app,
        tag: releaseName(record.number),
        shared: { repository: SHARED, digests },
      };
      const { sentBytes } = await pushImage(registry, image, destination, signal);
      work.out.line(`image ${image.digest.slice(7, 19)}, ${megabytes(sentBytes)} sent`);
    } finally {
      await this.layers.drop(app);
    }
    return `${address}/${record.app}@${image.digest}`;
  }

  private async sharedLayers(work: BuildWork, tree: string, signal: AbortSignal): Promise<Layer[]> {
    const { tools, out, record } = work;
    const commands = record.processes.map(({ command }) => command).join("\n");
    const isPython = PYTHON.test(commands) || (await isThere(join(tree, ".venv")));
    const isNode = NODE.test(commands) || (await isThere(join(tree, "package.json")));
    const packages = [...PACKAGES, ...(isPython ? PYTHON_PACKAGES : [])];
    const base = await baseLayer(tools, this.layers, { packages, signal, out });
    return isNode ? [base, await nodeLayer(tools, this.layers, record.artifact, signal)] : [base];
  }

  private async dependencyLayers(
    work: BuildWork,
    tree: string,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<Layer[]> {
    const owner = userOf(work.app, work.tools) ?? { uid: 0, gid: 0 };
    const made: Layer[] = [];
    for (const name of names) {
      const folder = join(tree, name);
      const key = ["dependencies", name, owner.uid, await markOf(folder)].join("\0");
      const source = { folder, at: join(APP_FOLDER.slice(1), name), owner, modified: "kept" as const };
      made.push(await this.layers.cached(key, async (stop) => this.layers.write(source, stop), signal));
    }
    return made;
  }

  private async appLayer(
    { app, tools }: BuildWork,
    tree: string,
    apart: readonly string[],
    signal: AbortSignal,
  ): Promise<Layer> {
    const source = { folder: tree, at: APP_FOLDER.slice(1), except: new Set(apart) };
    const owner = userOf(app, tools) ?? { uid: 0, gid: 0 };
    return this.layers.write({ ...source, owner, modified: "kept" }, signal);
  }
}

/** A link of such a name is a file like others. */
async function dependenciesIn(tree: string): Promise<string[]> {
  const stats = await Promise.all(
    DEPENDENCIES.map(async (name) => lstat(join(tree, name)).catch(() => undefined)),
  );
  return DEPENDENCIES.filter((_, index) => stats[index]?.isDirectory() === true);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
