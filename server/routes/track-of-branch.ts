import { createHash } from "node:crypto";
import { BASELINE, CANARY, PRODUCTION } from "../../core/records/routes/route-table.js";

const LONGEST_NAME = 40;

/** The track of a branch that has one by its name: `master` and `main` production, `staging` the canary. Others have previews. */
export function fixedTrack(branch: string): string | undefined {
  if (branch === "master" || branch === "main") return PRODUCTION;
  return branch === "staging" ? CANARY : undefined;
}

/**
 * DNS labels for a branch's preview, the first that no other branch has is its own: the branch itself made safe, then with
 * a bit of its hash. What means something else in front of an app's host is never among them.
 */
export function previewNames(branch: string): string[] {
  const safe = branch
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  const hash = createHash("sha256").update(branch).digest("hex");
  const suffixed = [6, 12, 24].map((length) => {
    const kept = safe.slice(0, LONGEST_NAME - length - 1).replace(/-+$/, "");
    return `${kept === "" ? "b" : kept}-${hash.slice(0, length)}`;
  });
  const plain = safe.slice(0, LONGEST_NAME).replace(/-+$/, "");
  return plain === "" || isReserved(plain) ? suffixed : [plain, ...suffixed];
}

function isReserved(name: string): boolean {
  return [PRODUCTION, CANARY, BASELINE].includes(name) || /^v\d+$/.test(name);
}
