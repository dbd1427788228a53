import { expect } from "chai";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "../../../../core/files/remove-tree.js";

describe("removeTree", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-remove-tree-"));
  });

  afterEach(async () => removeTree(folder));

  it("removes folders whose names add up to more than a path may have", async () => {
    const outermost = await nestFolders(folder, 30, "d".repeat(200));
    const failure = await rm(outermost, { recursive: true }).catch((error: unknown) => error);
    expect(String(failure), "what Node itself does").to.match(/ENAMETOOLONG/);
    await removeTree(outermost);
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it("takes what is not there, or lies below a file, as removed", async () => {
    await removeTree(join(folder, "nothing"));
    await writeFile(join(folder, "file"), "");
    await removeTree(join(folder, "file", "below"));
    expect(await readdir(folder)).to.deep.equal(["file"]);
  });

  it("removes a link, not what it points to", async () => {
    await mkdir(join(folder, "kept"));
    await writeFile(join(folder, "kept", "file"), "text");
    await mkdir(join(folder, "tree"));
    await symlink(join(folder, "kept"), join(folder, "tree", "inside"));
    await symlink(join(folder, "kept"), join(folder, "itself"));
    await removeTree(join(folder, "tree"));
    await removeTree(join(folder, "itself"));
    expect(await readdir(folder)).to.deep.equal(["kept"]);
    expect(await readFile(join(folder, "kept", "file"), "utf8")).to.equal("text");
  });

  it("takes a name that begins with a dash for a name, not an option", async () => {
    await mkdir(join(folder, "-rf"));
    await removeTree(join(folder, "-rf"));
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it("tells what could not be removed", async () => {
    const failure = await removeTree("/proc/self/status").catch((error: unknown) => error);
    expect(String(failure)).to.match(/\/proc\/self\/status could not be removed: rm: cannot remove/);
  });
});

/** The outermost of nested folders of one name each; made from the inside out, so that no path gets long. */
async function nestFolders(folder: string, depth: number, name: string): Promise<string> {
  const [made, next] = [join(folder, "made"), join(folder, "next")];
  await mkdir(made);
  for (let level = 1; level < depth; level++) {
    await mkdir(next);
    await rename(made, join(next, name));
    await rename(next, made);
  }
  return made;
}
