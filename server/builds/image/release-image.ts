import type { User } from "../../../core/exec/exec.js";
import type { Artifact } from "../../../core/records/releases/artifact.js";
import { APP_FOLDER } from "../placed-tree.js";
import { baseLayer, type BaseWork } from "./base-image.js";
import { dependencyFolders, dependencyLayers } from "./dependency-layers.js";
import { dockerArchitecture, makeImage } from "./image.js";
import { nodeLayer } from "./runtime-layer.js";
import type { NodeTools } from "./node-programs.js";
import { pushImage, type Pushed } from "./registry/push-image.js";
import type { RegistryClient } from "./registry/registry-client.js";
import { refuseForeignPython, type Runtimes } from "./runtimes.js";

export interface ImageWork extends BaseWork {
  readonly tools: BaseWork["tools"] & NodeTools;
  readonly registry: RegistryClient;
}

/** A release whose tree nobody changes any more. */
export interface SealedRelease {
  readonly app: string;
  /** See `ImageTags`. */
  readonly tag: string;
  readonly tree: string;
  readonly artifact: Artifact;
  readonly runtimes: Runtimes;
  /** Whom its programs run as. */
  readonly user: User;
  /** See `dependencyKey`. */
  readonly nodeKey: string | undefined;
}

export interface PublishedImage extends Pushed {
  /** By which hosts fetch it: `HOST:PORT/PREFIX/APP@sha256:…`. */
  readonly reference: string;
}

/** A repository of the layers that several apps have; no app has such a name. */
export const SHARED = "sluice/base";
/** What no program of a release reads. */
const HISTORY = ".git";

/**
 * Makes an image of a release and sends it to the registry: base, runtime, dependencies and the app's own files are a layer
 * each, so that only what has changed is written and sent. Can be called again: then hardly anything is sent. Throws
 * `base-image-failed`, `image-python-foreign`, and as `nodeLayer`, `writeLayer` and `pushImage`.
 */
export async function publishRelease(
  work: ImageWork,
  release: SealedRelease,
  signal: AbortSignal,
): Promise<PublishedImage> {
  const { layers, registry } = work;
  const { app, tag, tree, artifact, runtimes, user } = release;
  const folders = await dependencyFolders(tree);
  if (folders.includes(".venv")) await refuseForeignPython(tree);
  const base = await baseLayer(work, runtimes.python ? "python" : "plain", signal);
  const shared = runtimes.node ? [base, await nodeLayer(work, artifact, signal)] : [base];
  const dependencies = await dependencyLayers(layers, release, folders, signal);
  // Servers of static files send modification times, so that browsers know whether a file has changed.
  const source = { folder: tree, except: new Set([...folders, HISTORY]), modified: "kept" as const };
  const own = await layers.write({ ...source, at: APP_FOLDER.slice(1), owner: user }, signal);
  try {
    const architecture = dockerArchitecture(process.arch);
    const image = makeImage([...shared, ...dependencies, own], {
      user,
      workingFolder: APP_FOLDER,
      architecture,
    });
    const digests = new Set(shared.map(({ digest }) => digest));
    const destination = { repository: app, tag, shared: { repository: SHARED, digests } };
    const pushed = await pushImage(registry, image, destination, signal);
    return { ...pushed, reference: `${registry.place}/${app}@${image.digest}` };
  } finally {
    await layers.drop(own);
  }
}
