import { systemClock } from "../../../../core/clock.js";
import type { Image } from "../image.js";
import { isWorthAnotherTry, type Blob, type RegistryClient } from "./registry-client.js";

export interface Destination {
  readonly repository: string;
  readonly tag: string;
  /** Digests of layers that other apps have too: they are sent to this repository first, and only once. */
  readonly shared?: { readonly repository: string; readonly digests: ReadonlySet<string> };
}

/** What went over the wire. */
export interface Pushed {
  readonly sentDigests: readonly string[];
  readonly sentBytes: number;
}

const PAUSES_MS = [100, 500, 2000];

/**
 * Sends an image to a registry: what is there already is not sent again, and the manifest comes last, so that an image that
 * has a name is whole. Tries again what may go better then; a blob that garbage collection took meanwhile is sent again.
 */
export async function pushImage(
  registry: RegistryClient,
  image: Image,
  destination: Destination,
  signal: AbortSignal,
): Promise<Pushed> {
  const sent = new Map<string, number>();
  for (const pauseMs of [...PAUSES_MS, undefined]) {
    try {
      await pushOnce(registry, image, destination, signal, ({ digest, content }) => {
        sent.set(digest, Buffer.isBuffer(content) ? content.length : content.bytes);
      });
      const sentBytes = [...sent.values()].reduce((sum, bytes) => sum + bytes, 0);
      return { sentDigests: [...sent.keys()], sentBytes };
    } catch (error) {
      if (pauseMs === undefined || !isWorthAnotherTry(error)) throw error;
      await systemClock.sleep(pauseMs, signal);
    }
  }
  throw new Error("unreachable: the last try returns or throws");
}

async function pushOnce(
  registry: RegistryClient,
  image: Image,
  { repository, tag, shared }: Destination,
  signal: AbortSignal,
  onSent: (blob: Blob) => void,
): Promise<void> {
  const push = async (into: string, blob: Blob, from?: string): Promise<void> => {
    if (await registry.hasBlob(into, blob.digest, signal)) return;
    if (from !== undefined) await push(from, blob);
    if ((await registry.upload(into, blob, from, signal)) === "sent") onSent(blob);
  };
  const layers = image.layers.map(async ({ digest, file, bytes }) => {
    const from = shared?.digests.has(digest) === true ? shared.repository : undefined;
    await push(repository, { digest, content: { file, bytes } }, from);
  });
  const config = push(repository, { digest: image.configDigest, content: image.config });
  // Nothing may go on behind the back of whoever tries again.
  const ends = await Promise.allSettled([...layers, config]);
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  await registry.putManifest(repository, tag, image.manifest, signal);
}
