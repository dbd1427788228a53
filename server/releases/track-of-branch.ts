import { createHash } from "node:crypto";
import { BASELINE, CANARY, PRODUCTION } from "../../core/records/route-table.js";

const LONGEST_NAME = 40;

/** Where a branch serves: `master` and `main` in production, `staging` as the canary, any other as a preview. */
export function trackOfBranch(branch: string): string {
  if (branch === "master" || branch === "main") return PRODUCTION;
  return branch === "staging" ? CANARY : previewName(branch);
}

/** A DNS label for a branch. Where the name had to be changed, a bit of its hash keeps two branches apart. */
function previewName(branch: string): string {
  const safe = branch
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  if (safe === branch && branch.length <= LONGEST_NAME && !isTaken(branch)) return branch;
  const hash = createHash("sha256").update(branch).digest("hex").slice(0, 6);
  const kept = safe.slice(0, LONGEST_NAME - hash.length - 1).replace(/-+$/, "");
  return kept === "" ? `b-${hash}` : `${kept}-${hash}`;
}

/** Names that mean something else in front of an app's host, or could be the changed name of another branch. */
function isTaken(name: string): boolean {
  const isTrack = [PRODUCTION, CANARY, BASELINE].includes(name);
  return isTrack || /^v\d+$/.test(name) || /-[0-9a-f]{6}$/.test(name);
}
