import type { Home } from "../../core/home.js";
import type { ReleaseRecord } from "../../core/records/releases/release-record.js";
import type { PlacedArtifact } from "../engines/engine.js";

/** A release's artifact on this machine. */
export function placedTree(
  home: Home,
  { app, number }: Pick<ReleaseRecord, "app" | "number">,
): PlacedArtifact {
  return { kind: "tree", folder: home.tree(app, number) };
}
