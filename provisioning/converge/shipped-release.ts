import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { z } from "zod";
import { endGroup } from "../../core/exec/exec.js";
import { startPiped } from "../../core/exec/start-piped.js";
import type { ShippedRelease } from "../tasks/host-plan.js";

const FOLDERS = ["bin", "dist", "hooks", "app"];
const FILES = ["package.json", "package-lock.json"];
/** What `bin/build` does not make part of dist. */
const OUTSIDE_OF_DIST = ["ssh2", "dockerode", "nodemailer"];

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      dependencies: z.record(z.string(), z.string()).optional(),
      optionalDependencies: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

export interface ShippedReleaseOptions {
  /** Where this Sluice lies. */
  readonly installation: string;
  readonly version: string;
  /** The Node.js that runs it. */
  readonly node: string;
  /** `x86_64` */
  readonly architecture: string;
}

/** This very Sluice, as other hosts get it. */
export async function shippedRelease({
  installation,
  version,
  node,
  architecture,
}: ShippedReleaseOptions): Promise<ShippedRelease> {
  const modules = await neededModules(installation);
  const paths = [...FOLDERS, ...FILES, ...modules];
  return {
    id: `${version}-${await contentMark(installation, version)}`,
    architecture,
    archive: () => archiveOf(installation, paths),
    node: () => createReadStream(node).pipe(createGzip({ level: 1 })),
    npm: () => archiveOf(npmFolder(node), ["."]),
  };
}

/** As Node.js is installed everywhere: `bin/node`, and its npm in `lib/node_modules`. */
function npmFolder(node: string): string {
  return join(dirname(node), "../lib/node_modules/npm");
}

/** Folders of the packages that dist needs beside it, with what these need. */
async function neededModules(installation: string): Promise<string[]> {
  const lock = lockSchema.parse(JSON.parse(await readFile(join(installation, "package-lock.json"), "utf8")));
  const found = new Set<string>();
  const add = (name: string, from: string): void => {
    const path = placeOf(name, from, lock.packages);
    if (path === undefined || found.has(path)) return;
    found.add(path);
    const { dependencies, optionalDependencies } = lock.packages[path] ?? {};
    for (const next of Object.keys({ ...dependencies, ...optionalDependencies })) add(next, path);
  };
  for (const name of OUTSIDE_OF_DIST) add(name, "");
  const there = await Promise.all(
    [...found].map(async (path) =>
      readdir(join(installation, path)).then(
        () => path,
        () => undefined,
      ),
    ),
  );
  // Optional ones may not be installed.
  return there.filter((path) => path !== undefined).sort();
}

/** As Node.js looks for a package: beside the one that needs it, then further up. */
function placeOf(
  name: string,
  from: string,
  packages: Readonly<Record<string, unknown>>,
): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("node_modules/") - 1))) {
    const path = `${at === "" ? "" : `${at}/`}node_modules/${name}`;
    if (path in packages) return path;
    if (at === "") return undefined;
  }
}

/** Changes with any file of dist, whose names do not all change with their content. */
async function contentMark(installation: string, version: string): Promise<string> {
  const hash = createHash("sha256").update(version);
  const entries = await readdir(join(installation, "dist"), { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  for (const file of [
    ...files.filter((name) => !name.endsWith(".map")).sort(),
    join(installation, "package-lock.json"),
  ])
    hash.update(await readFile(file));
  return hash.digest("hex").slice(0, 8);
}

/** Ends tar(1) when nobody reads on. */
function archiveOf(installation: string, paths: readonly string[]): Readable {
  const options = ["--exclude=*.map", "--owner=0", "--group=0", "-C", installation];
  const tar = startPiped({
    argv: ["tar", "-cz", ...options, "--", ...paths],
    env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
  });
  tar.stdin.end();
  tar.stderr.resume();
  tar.once("error", (error) => tar.stdout.destroy(error));
  tar.once("exit", (status) => {
    if (status !== 0) tar.stdout.destroy(new Error(`tar ended with status ${String(status)}`));
  });
  tar.stdout.once("close", () => endGroup(tar.pid, "SIGKILL"));
  return tar.stdout;
}
