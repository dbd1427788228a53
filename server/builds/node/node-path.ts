import type { Artifact } from "../../../core/records/releases/artifact.js";

/** PATH with an artifact's own Node.js first, if it has one. */
export function nodePath({ nodeFolder }: Artifact, path: string): string {
  return nodeFolder === undefined ? path : `${nodeFolder}:${path}`;
}
