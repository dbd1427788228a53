import type { Home } from "../../core/home.js";
import type { ReleaseRecord } from "../../core/records/releases/release-record.js";
import type { PlacedProgram, PlacedTree } from "../engines/engine.js";

/** Where programs of an app find its files, wherever these lie: as apps written for Heroku and Dokku expect. */
export const APP_FOLDER = "/app";

/** A release's files on this machine. */
export function placedTree(
  home: Home,
  { app, number, artifact }: Pick<ReleaseRecord, "app" | "number" | "artifact">,
): PlacedTree {
  const folder = home.tree(app, number);
  return { kind: "tree", folder, at: artifact.kind === "tree" ? (artifact.at ?? folder) : APP_FOLDER };
}

/** What a task of the release runs from on this machine. */
export function placedHere(
  home: Home,
  record: Pick<ReleaseRecord, "app" | "number" | "artifact">,
): PlacedTree | PlacedProgram {
  const { artifact } = record;
  if (artifact.kind === "tree") return placedTree(home, record);
  return { kind: "program", reference: artifact.image, program: artifact.program };
}
