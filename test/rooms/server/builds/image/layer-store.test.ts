import { expect } from "chai";
import { mkdir, mkdtemp, readdir, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "../../../../../core/files/remove-tree.js";
import { LayerStore } from "../../../../../server/builds/image/layers/layer-store.js";
import type { Layer } from "../../../../../server/builds/image/layers/write-layer.js";

const DAY_SECONDS = 86_400;

describe("the layers on this machine", () => {
  let folder: string;
  let kept: string;
  let store: LayerStore;
  let made: string[];
  const { signal } = new AbortController();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-layers-"));
    kept = join(folder, "layers");
    store = new LayerStore(kept);
    made = [];
  });
  afterEach(async () => removeTree(folder));

  async function write(content: string, stop = signal): Promise<Layer> {
    const tree = await mkdtemp(join(folder, "tree-"));
    await writeFile(join(tree, "file"), content);
    made.push(content);
    return store.write({ folder: tree, at: "", owner: { uid: 1, gid: 1 }, modified: 0 }, stop);
  }

  async function cached(key: string, content = key, from = store): Promise<Layer> {
    return from.cached(key, async (stop) => write(content, stop), signal);
  }

  it("are made once for a key, also for a server that starts later", async () => {
    const first = await cached("key");
    expect(await cached("key")).to.deep.equal(first);
    expect(await cached("key", "key", new LayerStore(kept))).to.deep.equal(first);
    expect(made).to.deep.equal(["key"]);
    expect((await cached("other")).digest).not.to.equal(first.digest);
  });

  it("are renewed when they are older, and not made for that where there are none", async () => {
    const renew = async (maxAgeMs: number): Promise<void> =>
      store.renew("key", maxAgeMs, async (stop) => write("newer", stop), signal);
    await renew(0);
    const first = await cached("key");
    await renew(DAY_SECONDS * 1000);
    expect(made).to.deep.equal(["key"]);
    await renew(0);
    const second = await cached("key");
    expect(made).to.deep.equal(["key", "newer"]);
    expect(second.digest).not.to.equal(first.digest);
  });

  it("are made once for all who ask at once", async () => {
    const [first, second] = await Promise.all([cached("key"), cached("key")]);
    expect(second).to.deep.equal(first);
    expect(made).to.deep.equal(["key"]);
  });

  it("are made again when their file is gone, shorter or without a legible note", async () => {
    const { file } = await cached("key");
    await rm(file);
    expect((await cached("key")).file).to.equal(file);
    await truncate(file, 10);
    await cached("key");
    const note = (await readdir(kept)).find((name) => name.endsWith(".json")) ?? "";
    await writeFile(join(kept, note), "{");
    await cached("key");
    expect(made).to.have.length(4);
  });

  it("are files of their own without a key, and go when they are dropped", async () => {
    const [keyed, first, second] = [await cached("same"), await write("same"), await write("same")];
    expect(new Set([keyed, first, second].map(({ digest }) => digest)).size).to.equal(1);
    await store.drop(first);
    await store.drop(second);
    await store.drop(second);
    expect((await cached("same")).file).to.equal(keyed.file);
    expect((await readdir(kept)).filter((name) => !name.endsWith(".json"))).to.have.length(1);
    expect(made).to.have.length(3);
  });

  it("go when others were used later, and with them what a crash left", async () => {
    for (const [age, key] of ["newest", "middle", "oldest"].entries()) {
      const before = new Set(await readdir(kept).catch(() => []));
      await cached(key);
      const note = (await readdir(kept)).find((name) => name.endsWith(".json") && !before.has(name)) ?? "";
      const usedAt = Date.now() / 1000 - (age + 1) * DAY_SECONDS;
      await utimes(join(kept, note), usedAt, usedAt);
    }
    // It has the content of one that stays, under another key.
    await cached("copy", "newest");
    const longAgo = Date.now() / 1000 - 2 * DAY_SECONDS;
    for (const name of ["0123.tmp", "4567.tar.gz"]) {
      await mkdir(join(kept, name));
      await writeFile(join(kept, name, "half"), "");
      await utimes(join(kept, name), longAgo, longAgo);
    }
    const present = await write("somebody is sending this one");
    await cached("oldest");
    await store.prune(3);
    made = [];
    await cached("newest");
    await cached("oldest");
    await cached("copy", "newest");
    expect(made).to.deep.equal([]);
    const names = await readdir(kept);
    expect(names.filter((name) => name.endsWith(".json"))).to.have.length(3);
    expect(names.filter((name) => !name.endsWith(".json")))
      .to.have.length(3)
      .and.include(present.file.slice(kept.length + 1));
    await cached("middle");
    expect(made).to.deep.equal(["middle"]);
  });

  it("are made in scratch folders that are gone afterwards, also after a failure", async () => {
    let scratch = "";
    const failed = store.inScratch(async (path) => {
      scratch = path;
      await writeFile(join(path, "half"), "");
      throw new Error("no more");
    });
    expect(await failed.catch(String)).to.equal("Error: no more");
    expect(scratch.startsWith(kept)).to.equal(true);
    expect(await readdir(kept)).to.deep.equal([]);
  });
});
