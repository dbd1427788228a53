import { nodeFolderOf, type Artifact } from "../../../core/records/releases/artifact.js";

/** PATH with an artifact's own Node.js first, if it has one. */
export function nodePath(artifact: Artifact, path: string): string {
  const nodeFolder = nodeFolderOf(artifact);
  return nodeFolder === undefined ? path : `${nodeFolder}:${path}`;
}
