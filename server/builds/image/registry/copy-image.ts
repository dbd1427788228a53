import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { AppError } from "../../../../core/errors/app-error.js";
import { digestOf } from "../image.js";
import type { ImageName } from "./registry-access.js";
import type { RegistryClient } from "./registry-client.js";

const blobSchema = z.object({ digest: z.string().regex(/^sha256:[0-9a-f]{64}$/) });
/** Docker's schema 2, and OCI's image manifest, which has the same fields. */
const manifestSchema = z.object({ config: blobSchema, layers: z.array(blobSchema) });

export interface CopyOptions {
  readonly from: RegistryClient;
  readonly to: RegistryClient;
  readonly tag: string;
  /** Digest → a repository of `to` that has it; grows. */
  readonly placed: Map<string, string>;
  /** Exists, and is removed by the caller. */
  readonly scratch: string;
}

/**
 * Copies an image to the repository of the same name in another registry; its digest stays the same. What is there already is not
 * sent. Returns whether `from` has it. Throws as the registries, and `registry-failed` for what is not what its digest says.
 */
export async function copyImage(
  { repository, digest }: ImageName,
  { from, to, tag, placed, scratch }: CopyOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const manifest = await from.manifest(repository, digest, signal);
  if (manifest === undefined) return false;
  const content = Buffer.from(manifest.text);
  refuseOther(from, digest, digestOf(content));
  const { config, layers } = manifestSchema.parse(JSON.parse(manifest.text));
  for (const blob of new Set([...layers, config].map((each) => each.digest))) {
    const near = placed.get(blob);
    if (await to.hasBlob(repository, blob, signal)) continue;
    if (near !== undefined && (await to.mount(repository, blob, near, signal))) continue;
    await copyBlob({ repository, digest: blob }, { from, to, scratch }, signal);
    placed.set(blob, repository);
  }
  await to.putManifest(repository, tag, content, signal, manifest.type);
  return true;
}

async function copyBlob(
  { repository, digest }: ImageName,
  { from, to, scratch }: Pick<CopyOptions, "from" | "to" | "scratch">,
  signal: AbortSignal,
): Promise<void> {
  const file = join(scratch, digest.replace(":", "-"));
  await from.download(repository, digest, file, signal);
  refuseOther(from, digest, await fileDigest(file, signal));
  const { size: bytes } = await stat(file);
  await to.upload(repository, { digest, content: { file, bytes } }, undefined, signal);
  await rm(file);
}

function refuseOther(from: RegistryClient, wanted: string, found: string): void {
  if (wanted === found) return;
  const [address = ""] = from.place.split("/");
  throw new AppError("registry-failed", {
    ...{ address, request: `GET ${wanted}`, status: 200 },
    reason: `what it sends is ${found}`,
  });
}

async function fileDigest(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash, { signal });
  return `sha256:${hash.digest("hex")}`;
}
