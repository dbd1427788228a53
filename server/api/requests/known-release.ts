import { AppError } from "../../../core/errors/app-error.js";
import { parseReleaseName, releaseName } from "../../../core/names.js";
import type { ReleaseStore } from "../../releases/release-store.js";

const SHOWN = 10;

/** `v42` → 42, if the app has that release. Throws `release-unknown`. */
export async function knownRelease(releases: ReleaseStore, app: string, release: string): Promise<number> {
  const number = parseReleaseName(release);
  if (number !== undefined && (await releases.find(app, number)) !== undefined) return number;
  const known = (await releases.list(app)).map((record) => releaseName(record.number)).slice(0, SHOWN);
  throw new AppError("release-unknown", { app, release, known });
}
