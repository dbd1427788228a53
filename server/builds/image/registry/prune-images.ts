import type { RegistryClient } from "./registry-client.js";

/** Digests and tags by repository; `all`: nobody knows which of it are needed. */
export type KeptImages = ReadonlyMap<string, ReadonlySet<string> | "all">;

/**
 * Deletes every image that is not kept. What is not deleted stays whole when
 * garbage is collected. Nothing may be pushed meanwhile: it would go. Returns how many were deleted.
 */
export async function pruneImages(
  registry: RegistryClient,
  kept: KeptImages,
  signal: AbortSignal,
): Promise<number> {
  let deleted = 0;
  for (const repository of await registry.repositories(signal)) {
    const names = kept.get(repository);
    if (names === "all") continue;
    const isKept = (name: string): boolean => names?.has(name) === true;
    /** Digest → whether it is kept: by one of its tags, too. */
    const images = new Map<string, boolean>();
    for (const tag of await registry.tags(repository, signal)) {
      const digest = await registry.digestOf(repository, tag, signal);
      if (digest === undefined) continue;
      images.set(digest, images.get(digest) === true || isKept(digest) || isKept(tag));
    }
    const unused = [...images].flatMap(([digest, isNeeded]) => (isNeeded ? [] : [digest]));
    for (const digest of unused) await registry.deleteImage(repository, digest, signal);
    deleted += unused.length;
  }
  return deleted;
}
