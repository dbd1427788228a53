import { randomBytes } from "node:crypto";
import { access, mkdir, readdir, rename, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { outputOf, type User } from "../../core/exec/exec.js";
import { atLowPriority } from "../../core/exec/low-priority.js";
import { removeTree } from "../../core/files/remove-tree.js";
import type { Home } from "../../core/home.js";
import { copyFolder } from "./copy-folder.js";
import { ownFolder } from "./own-folder.js";

/** `full` has the development dependencies too, for builds and gates. */
export type Variant = "full" | "production";

const KEPT_SETS = 3;

/**
 * Installed dependencies of an app, by a key of all that went into them. A release gets a copy of its own, never the
 * cached one; a spare copy lies ready, so that taking it is one rename.
 */
export class DependencyCache {
  private readonly home: Home;
  private readonly path: string;

  constructor({ home, path }: { readonly home: Home; readonly path: string }) {
    this.home = home;
    this.path = path;
  }

  async has(app: string, key: string, variant: Variant): Promise<boolean> {
    return exists(this.original(app, key, variant));
  }

  /** Takes over a folder of installed dependencies as the cached original. */
  async put(app: string, key: string, variant: Variant, folder: string): Promise<void> {
    const original = this.original(app, key, variant);
    await mkdir(join(original, ".."), { recursive: true, mode: 0o700 });
    // Else a copy of root's would have a setuid bit until it is given to the app.
    await outputOf({ argv: atLowPriority(["chmod", "-R", "ug-s", "--", folder]), env: { PATH: this.path } });
    await removeTree(original);
    await rename(folder, original);
  }

  /** Makes `destination` a copy that only `user` owns. */
  async take(
    app: string,
    key: string,
    variant: Variant,
    destination: string,
    user: User | undefined,
  ): Promise<void> {
    const original = this.original(app, key, variant);
    const now = new Date();
    await utimes(join(original, ".."), now, now);
    try {
      await rename(this.spare(app, key, variant), destination);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
      await copyFolder(original, destination, user, this.path);
    }
  }

  /** Lays a spare copy ready, unless there is one. */
  async replenish(app: string, key: string, variant: Variant, user: User | undefined): Promise<void> {
    const spare = this.spare(app, key, variant);
    if ((await exists(spare)) || !(await this.has(app, key, variant))) return;
    const temporary = `${spare}.${randomBytes(4).toString("hex")}.tmp`;
    await mkdir(join(spare, ".."), { recursive: true, mode: 0o700 });
    try {
      await copyFolder(this.original(app, key, variant), temporary, user, this.path);
      await rename(temporary, spare);
    } finally {
      await removeTree(temporary);
    }
  }

  /** Forgets all but the last used sets, and what a crash left half copied. */
  async prune(app: string): Promise<void> {
    const folder = join(this.home.cache(app), "dependencies");
    const keys = await readdir(folder).catch(() => []);
    const used = await Promise.all(
      keys.map(async (key) => ({ key, at: (await stat(join(folder, key))).mtimeMs })),
    );
    const old = used.sort((a, b) => b.at - a.at).slice(KEPT_SETS);
    for (const { key } of old) await removeTree(join(folder, key));
    const kept = new Set(keys.filter((key) => !old.some((gone) => gone.key === key)));
    const spares = join(this.home.cache(app), "spares");
    for (const name of await readdir(spares).catch(() => [])) {
      if (!kept.has(name.split("-")[0] ?? "")) await removeTree(join(spares, name));
    }
  }

  /** A new folder that `user` can install in; the caller removes it. */
  async staging(app: string, user: User | undefined): Promise<string> {
    const folder = join(this.home.cache(app), "staging", randomBytes(6).toString("hex"));
    await mkdir(dirname(folder), { recursive: true, mode: 0o711 });
    await ownFolder(folder, user);
    return folder;
  }

  async removeStaging(folder: string): Promise<void> {
    await removeTree(folder);
  }

  /** Removes what interrupted installations and copies left. */
  async sweep(app: string): Promise<void> {
    await removeTree(join(this.home.cache(app), "staging"));
    const spares = join(this.home.cache(app), "spares");
    for (const name of await readdir(spares).catch(() => [])) {
      if (name.endsWith(".tmp")) await removeTree(join(spares, name));
    }
  }

  private original(app: string, key: string, variant: Variant): string {
    return join(this.home.cache(app), "dependencies", key, variant);
  }

  private spare(app: string, key: string, variant: Variant): string {
    return join(this.home.cache(app), "spares", `${key}-${variant}`);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
