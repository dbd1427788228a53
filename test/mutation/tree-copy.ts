import { execa } from "execa";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Mutant } from "./mutant.js";

/** A copy of the working tree, in which the program may be broken. */
export class TreeCopy {
  private constructor(readonly folder: string) {}

  static async make(root: string): Promise<TreeCopy> {
    const folder = await mkdtemp(join(tmpdir(), "sluice-mutants-"));
    const { stdout } = await execa("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
      cwd: root,
    });
    for (const name of stdout.split("\0").filter((name) => name !== "")) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      // A file that was deleted, but not committed yet, is still listed.
      await cp(join(root, name), join(folder, name)).catch(ignoreMissing);
    }
    await symlink(join(root, "node_modules"), join(folder, "node_modules"));
    const copy = new TreeCopy(folder);
    await copy.build();
    return copy;
  }

  /** Applies a mutant, in the built program too; resolves to what takes it back. Throws if its text has changed. */
  async apply({ file, text, by }: Mutant): Promise<() => Promise<void>> {
    const source = await readFile(join(this.folder, file), "utf8");
    const found = source.split(text).length - 1;
    if (found !== 1) throw new Error(`found ${found} times in ${file}, not once: ${text}`);
    await this.write(
      file,
      source.replace(text, () => by),
    );
    return async () => this.write(file, source);
  }

  async dispose(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  private async write(file: string, source: string): Promise<void> {
    await writeFile(join(this.folder, file), source);
    if (file.endsWith(".ts")) await this.build();
  }

  private async build(): Promise<void> {
    await execa("bin/build", { cwd: this.folder });
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
}
