import { createHash } from "node:crypto";
import type { User } from "../../../core/exec/exec.js";
import type { Layer } from "./layers/write-layer.js";

/** What an image is made of, apart from its layers. Its environment and command are the engine's matter. */
export interface ImageOptions {
  readonly user: User;
  /** Where programs start. */
  readonly workingFolder: string;
  /** As Debian says it, in Docker's words: `amd64`, `arm64`. */
  readonly architecture: string;
}

/** Layers, lowest first, and the two documents that name them, as the registry gets them. */
export interface Image {
  readonly layers: readonly Layer[];
  readonly config: Buffer;
  readonly configDigest: string;
  readonly manifest: Buffer;
  /** By which engines name it. */
  readonly digest: string;
}

/** Docker's schema 2: what every version of Docker reads (distribution, "Image Manifest Version 2, Schema 2"). */
export const MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json";
/** What registries may hold besides, of those that others have pushed (OCI Image Specification, "Media Types"). */
export const MANIFEST_TYPES = [
  MANIFEST_TYPE,
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
].join(", ");
const CONFIG_TYPE = "application/vnd.docker.container.image.v1+json";
const LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip";
/** The same layers always give the same image. */
const CREATED = "1970-01-01T00:00:00Z";

export function makeImage(layers: readonly Layer[], options: ImageOptions): Image {
  const { user, workingFolder, architecture } = options;
  const config = document({
    architecture,
    os: "linux",
    created: CREATED,
    config: { User: `${user.uid}:${user.gid}`, WorkingDir: workingFolder },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(() => ({ created: CREATED, created_by: "sluice" })),
  });
  const configDigest = digestOf(config);
  const manifest = document({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: CONFIG_TYPE, size: config.length, digest: configDigest },
    layers: layers.map(({ bytes, digest }) => ({ mediaType: LAYER_TYPE, size: bytes, digest })),
  });
  return { layers, config, configDigest, manifest, digest: digestOf(manifest) };
}

/** Node's name of this machine's architecture in Docker's words. */
export function dockerArchitecture(arch: string): string {
  return arch === "x64" ? "amd64" : arch;
}

export function digestOf(content: Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

function document(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
