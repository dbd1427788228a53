import type { ImageTags } from "./image-tags.js";
import type { RegistryClient } from "./registry-client.js";

/** Digests and tags by repository; `all`: nobody knows which of it are needed. */
export type KeptImages = ReadonlyMap<string, ReadonlySet<string> | "all">;

export interface PruneScope {
  readonly repositories: readonly string[];
  /** An image with a tag that is not ours stays. */
  readonly tags: Pick<ImageTags, "nameOf">;
}

export interface Pruned {
  /** How many images. */
  readonly deleted: number;
  /** What is needed: `REPOSITORY@sha256:…` */
  readonly left: readonly string[];
  /** Repositories without any image of ours. */
  readonly empty: readonly string[];
  /** Whether the registry has refused to delete: nothing is deleted there. */
  readonly isRefused: boolean;
}

/**
 * Deletes every image that is not kept. What is not deleted stays whole when
 * garbage is collected. Nothing may be pushed meanwhile: it would go.
 */
export async function pruneImages(
  registry: RegistryClient,
  { repositories, tags }: PruneScope,
  kept: KeptImages,
  signal: AbortSignal,
): Promise<Pruned> {
  let deleted = 0;
  let isRefused = false;
  const [left, empty]: [string[], string[]] = [[], []];
  for (const repository of repositories) {
    const names = kept.get(repository);
    const isKept = (name: string): boolean => names === "all" || names?.has(name) === true;
    /** Digest → whether it is kept: by one of its tags, too. */
    const images = new Map<string, boolean>();
    for (const tag of await registry.tags(repository, signal)) {
      const digest = await registry.digestOf(repository, tag, signal);
      if (digest === undefined) continue;
      const name = tags.nameOf(tag);
      const isNeeded = name === undefined || isKept(digest) || isKept(name);
      images.set(digest, images.get(digest) === true || isNeeded);
    }
    const unneeded = [...images].filter(([, isNeeded]) => !isNeeded).map(([digest]) => digest);
    for (const digest of unneeded) {
      isRefused ||= !(await registry.deleteImage(repository, digest, signal));
      if (isRefused) break;
      deleted++;
    }
    const needed = [...images].filter(([, isNeeded]) => isNeeded);
    left.push(...needed.map(([digest]) => `${repository}@${digest}`));
    if (needed.length === 0 && !isRefused) empty.push(repository);
  }
  return { deleted, left, empty, isRefused };
}
