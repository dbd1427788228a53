import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { TestRegistry } from "../running/test-registry.js";

const DIGEST = z.string().startsWith("sha256:");
const manifestSchema = z.object({
  config: z.object({ digest: DIGEST }),
  layers: z.array(z.object({ digest: DIGEST, size: z.number() })),
});
const configSchema = z.object({ config: z.object({ User: z.string(), WorkingDir: z.string() }) });

export interface PushedImage {
  readonly user: string;
  readonly workingFolder: string;
  /** Lowest first. */
  readonly layers: readonly { readonly digest: string; readonly bytes: number; readonly file: string }[];
}

/** What a registry's disk has for `ADDRESS/REPOSITORY@DIGEST`. */
export async function pushedImage(registry: TestRegistry, reference: string): Promise<PushedImage> {
  const read = async (digest: string): Promise<unknown> =>
    JSON.parse(await readFile(blob(registry, digest), "utf8"));
  const { config, layers } = manifestSchema.parse(await read(reference.split("@")[1] ?? ""));
  const { config: settings } = configSchema.parse(await read(config.digest));
  return {
    user: settings.User,
    workingFolder: settings.WorkingDir,
    layers: await Promise.all(
      layers.map(async ({ digest, size }) => {
        const file = blob(registry, digest);
        if ((await stat(file)).size !== size) throw new Error(`${digest} has not ${size} bytes`);
        return { digest, bytes: size, file };
      }),
    ),
  };
}

function blob({ home }: TestRegistry, digest: string): string {
  const sum = digest.slice("sha256:".length);
  return home.registry(join("storage/docker/registry/v2/blobs/sha256", sum.slice(0, 2), sum, "data"));
}
