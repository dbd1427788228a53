import { AppError, isAppError } from "../../../core/errors/app-error.js";
import { releaseName } from "../../../core/names.js";
import { APP_FOLDER, placedTree } from "../../builds/placed-tree.js";
import type { PlacedArtifact } from "../../engines/engine.js";
import type { ReleaseWork } from "../step.js";

/** What the instances of a release run from. Where the engine has several hosts, that is an image, made now if there is none. */
export async function artifactFor(work: ReleaseWork, signal: AbortSignal): Promise<PlacedArtifact> {
  const { tools, record } = work;
  const { images } = tools;
  if (record.artifact.kind === "dockerfile") {
    const { image, program } = record.artifact;
    if (!(await isPublished(work, image, signal)))
      throw new AppError("image-lost", { release: releaseName(record.number), image });
    return { kind: "program", reference: image, program };
  }
  if (images === undefined) return placedTree(tools.home, record);
  const known = record.artifact.image;
  if (known !== undefined && (await isPublished(work, known, signal)))
    return { kind: "image", reference: known, at: APP_FOLDER };
  const image = await images.publish(work, signal);
  const artifact = { ...record.artifact, image };
  work.record = { ...record, artifact };
  // Not what the work has changed besides: that is not done yet.
  const stored = await tools.releases.find(record.app, record.number);
  if (stored !== undefined) await tools.releases.save({ ...stored, artifact });
  return { kind: "image", reference: image, at: APP_FOLDER };
}

/** What runs already needs no registry. */
async function isPublished({ tools }: ReleaseWork, image: string, signal: AbortSignal): Promise<boolean> {
  const { images } = tools;
  if (images === undefined) throw new AppError("engine-unsupported", { what: "An image" });
  return images.isPublished(image, signal).catch((error: unknown) => {
    if (isAppError(error, "registry-unreachable")) return true;
    throw error;
  });
}
