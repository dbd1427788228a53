import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import type { RegistryAccess } from "../../../server/builds/image/registry/registry-access.js";

/** Where Docker looks for the authorities of a registry, at each request (Docker's manual, "Verify repository client with certificates"). */
const FOLDER = "/etc/docker/certs.d";

/** This host's Docker takes images from the registry, whoever vouches for it. */
export async function trustRegistry({ address, ca }: Pick<RegistryAccess, "address" | "ca">): Promise<void> {
  if (ca === undefined) return;
  const folder = join(FOLDER, address);
  await mkdir(folder, { recursive: true, mode: 0o755 });
  await writeFileAtomically(join(folder, "ca.crt"), ca, 0o644);
}
