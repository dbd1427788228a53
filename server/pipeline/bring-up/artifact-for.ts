import { AppError, isAppError } from "../../../core/errors/app-error.js";
import { releaseName } from "../../../core/names.js";
import type { Artifact } from "../../../core/records/releases/artifact.js";
import { APP_FOLDER, placedTree } from "../../builds/placed-tree.js";
import type { PlacedArtifact } from "../../engines/engine.js";
import type { ReleaseWork } from "../step.js";

/** What the instances of a release run from. Where the engine has several hosts, that is an image, made now if there is none. */
export async function artifactFor(work: ReleaseWork, signal: AbortSignal): Promise<PlacedArtifact> {
  const { tools, record } = work;
  const { images } = tools;
  if (record.artifact.kind === "dockerfile") {
    const { image, program } = record.artifact;
    const reference = await findImage(work, image, signal);
    if (reference === undefined)
      throw new AppError("image-lost", { release: releaseName(record.number), image });
    await keepArtifact(work, { ...record.artifact, image: reference });
    return { kind: "program", reference, program };
  }
  if (images === undefined) return placedTree(tools.home, record);
  const known = record.artifact.image;
  const found = known === undefined ? undefined : await findImage(work, known, signal);
  const image = found ?? (await images.publish(work, signal));
  await keepArtifact(work, { ...record.artifact, image });
  return { kind: "image", reference: image, at: APP_FOLDER };
}

/** By which name hosts fetch an image; undefined when no registry has it. What runs already needs none. */
async function findImage(
  { tools: { images }, record }: ReleaseWork,
  image: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (images === undefined) throw new AppError("engine-unsupported", { what: "An image" });
  return images.bring(image, record.number, signal).catch((error: unknown) => {
    if (isAppError(error, ...SAYS_NOTHING)) return image;
    throw error;
  });
}

/** Of whether it has the image: the hosts may have it themselves. */
const SAYS_NOTHING = [
  "registry-unreachable",
  "registry-untrusted",
  "registry-login-refused",
  "registry-forbidden",
  "registry-quota-reached",
  "registry-full",
] as const;

async function keepArtifact(work: ReleaseWork, artifact: Artifact): Promise<void> {
  const { tools, record } = work;
  if (record.artifact.image === artifact.image) return;
  work.record = { ...record, artifact };
  // Not what the work has changed besides: that is not done yet.
  const stored = await tools.releases.find(record.app, record.number);
  if (stored !== undefined) await tools.releases.save({ ...stored, artifact });
}
