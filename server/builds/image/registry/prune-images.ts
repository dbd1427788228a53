import type { RegistryClient } from "./registry-client.js";

/** Digests and tags by repository; `all`: nobody knows which of it are needed. */
export type KeptImages = ReadonlyMap<string, ReadonlySet<string> | "all">;

export interface Pruned {
  /** How many images. */
  readonly deleted: number;
  /** `REPOSITORY@sha256:…` */
  readonly left: readonly string[];
}

/**
 * Deletes every image that is not kept. What is not deleted stays whole when
 * garbage is collected. Nothing may be pushed meanwhile: it would go.
 */
export async function pruneImages(
  registry: RegistryClient,
  kept: KeptImages,
  signal: AbortSignal,
): Promise<Pruned> {
  let deleted = 0;
  const left: string[] = [];
  for (const repository of await registry.repositories(signal)) {
    const names = kept.get(repository);
    const isKept = (name: string): boolean => names === "all" || names?.has(name) === true;
    /** Digest → whether it is kept: by one of its tags, too. */
    const images = new Map<string, boolean>();
    for (const tag of await registry.tags(repository, signal)) {
      const digest = await registry.digestOf(repository, tag, signal);
      if (digest === undefined) continue;
      images.set(digest, images.get(digest) === true || isKept(digest) || isKept(tag));
    }
    for (const [digest, isNeeded] of images) {
      if (isNeeded) left.push(`${repository}@${digest}`);
      else {
        await registry.deleteImage(repository, digest, signal);
        deleted++;
      }
    }
  }
  return { deleted, left };
}
