import type { RegistryClient } from "./registry-client.js";

/**
 * Deletes every image that no kept release has: `kept` are digests by repository. What is not deleted stays whole when
 * garbage is collected. Nothing may be pushed meanwhile: what has no release yet would go. Returns how many were deleted.
 */
export async function pruneImages(
  registry: RegistryClient,
  kept: ReadonlyMap<string, ReadonlySet<string>>,
  signal: AbortSignal,
): Promise<number> {
  let deleted = 0;
  for (const repository of await registry.repositories(signal)) {
    const digests = new Set<string>();
    for (const tag of await registry.tags(repository, signal)) {
      const digest = await registry.digestOf(repository, tag, signal);
      if (digest !== undefined && kept.get(repository)?.has(digest) !== true) digests.add(digest);
    }
    for (const digest of digests) await registry.deleteImage(repository, digest, signal);
    deleted += digests.size;
  }
  return deleted;
}
