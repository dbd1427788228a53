import type { Home } from "../../core/home.js";
import type { ReleaseRecord } from "../../core/records/releases/release-record.js";
import type { PlacedTree } from "../engines/engine.js";

/** Where programs of an app find its files, wherever these lie: as apps written for Heroku and Dokku expect. */
export const APP_FOLDER = "/app";

/** A release's artifact on this machine. */
export function placedTree(
  home: Home,
  { app, number, artifact }: Pick<ReleaseRecord, "app" | "number" | "artifact">,
): PlacedTree {
  const folder = home.tree(app, number);
  return { kind: "tree", folder, at: artifact.at ?? folder };
}
