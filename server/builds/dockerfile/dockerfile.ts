import { AppError } from "../../../core/errors/app-error.js";
import { readTreeFile } from "../tree-file.js";
import type { DockerfileSettings } from "../manifest/app-json.js";

/** How an app's Dockerfile is to be built. */
export interface Dockerfile {
  /** In the tree. */
  readonly path: string;
  /** Stage that the image is; undefined for the last one. */
  readonly target: string | undefined;
  readonly args: Readonly<Record<string, string>>;
  /** Where the app listens, if app.json says so. */
  readonly port: number | undefined;
  /** Stage that gates run in; undefined for that of the image. */
  readonly gatesTarget: string | undefined;
}

const USUAL = "Dockerfile";
/** The stage that gates run in, where there is one of that name. */
const TEST_STAGE = "test";
const STAGE = /^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*\S+[ \t]+AS[ \t]+(\S+)/gim;

/**
 * The Dockerfile of a tree, if there is one that is wanted. Throws `manifest-invalid` where app.json names a file or a stage
 * that is not there.
 */
export async function readDockerfile(
  tree: string,
  settings: DockerfileSettings | false | undefined,
): Promise<Dockerfile | undefined> {
  if (settings === false) return undefined;
  const path = settings?.path ?? USUAL;
  const text = await readTreeFile(tree, path);
  if (text === undefined) {
    if (settings === undefined) return undefined;
    throw invalid(`sluice.dockerfile: there is no file ${path}`);
  }
  const stages = stagesOf(text);
  const { target, gatesTarget, args = {}, port } = settings ?? {};
  for (const [key, stage] of Object.entries({ target, gatesTarget }))
    if (stage !== undefined && !stages.includes(stage.toLowerCase()))
      throw invalid(`sluice.dockerfile.${key}: ${path} has no stage ${stage}`);
  const test = stages.includes(TEST_STAGE) ? TEST_STAGE : undefined;
  return { path, target, args, port, gatesTarget: gatesTarget ?? test };
}

/** The names of its stages, in lower case, as BuildKit compares them. Pure. */
export function stagesOf(text: string): string[] {
  return [...text.matchAll(STAGE)].map(([, name = ""]) => name.toLowerCase());
}

function invalid(problem: string): AppError {
  return new AppError("manifest-invalid", { file: "app.json", problem });
}
