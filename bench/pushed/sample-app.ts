import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

const FOLDER = new URL("../../app/", import.meta.url).pathname;

/** The sample app's files as they are, but for its gates, which are switched off. */
export async function sampleApp(): Promise<Record<string, string>> {
  const entries = await readdir(FOLDER, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(FOLDER.length))
    .filter((path) => !path.split("/").includes("node_modules"));
  const files = Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path, await readFile(join(FOLDER, path), "utf8")] as const)),
  );
  return { ...files, "app.json": withoutGates(files["app.json"] ?? "{}") };
}

function withoutGates(appJson: string): string {
  return JSON.stringify({ ...(JSON.parse(appJson) as object), sluice: { gates: {} } }, null, 2);
}
