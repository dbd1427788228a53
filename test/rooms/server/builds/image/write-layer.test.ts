import { expect } from "chai";
import { execa } from "execa";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  chmod,
  link,
  lutimes,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAppError } from "../../../../../core/errors/app-error.js";
import { removeTree } from "../../../../../core/files/remove-tree.js";
import { walkTree } from "../../../../../server/builds/image/layers/walk-tree.js";
import {
  writeLayer,
  type Layer,
  type LayerSource,
} from "../../../../../server/builds/image/layers/write-layer.js";
import { layerEntries } from "../../../../support/images/layer-entries.js";
import { eventually } from "../../../../support/eventually.js";
import { fillUp, mountSmall, unmount } from "../../../../support/running/small-disk.js";

const OWNER = { uid: 5000, gid: 5001 };

describe("a layer", () => {
  let folder: string;
  let tree: string;
  let made: string;
  const { signal } = new AbortController();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-layer-"));
    [tree, made] = [join(folder, "tree"), join(folder, "made")];
    await mkdir(tree);
    await mkdir(made);
  });
  afterEach(async () => removeTree(folder));

  async function write(options: Partial<LayerSource> = {}, name = "layer"): Promise<Layer> {
    const source = { folder: tree, at: "app", owner: OWNER, modified: 0, ...options };
    return writeLayer(source, join(made, name), signal);
  }

  async function codeOf(work: Promise<unknown>): Promise<string> {
    return work.then(
      () => expect.fail("it went well"),
      (error: unknown) => (isAppError(error) ? error.code : String(error)),
    );
  }

  it("is the same for the same files, whatever order and time they were written in", async () => {
    const names = ["b", "a", "é", "a.txt", "Z"];
    const digests: string[] = [];
    for (const [index, order] of [names, [...names].reverse()].entries()) {
      tree = join(folder, `tree-${index}`);
      await mkdir(join(tree, "folder"), { recursive: true });
      for (const name of order) {
        await writeFile(join(tree, "folder", name), name.repeat(1000));
        await symlink("../elsewhere", join(tree, `link-${name}`));
        await lutimes(join(tree, "folder", name), index, index);
      }
      const layer = await write({}, `layer-${index}`);
      digests.push(`${layer.digest} ${layer.diffId} ${layer.bytes}`);
    }
    expect(digests[0]).to.equal(digests[1]);
  });

  it("is what tar and sha256sum say it is", async () => {
    // Larger than a piece, and a name longer than a plain tar's.
    const [large, long] = [randomBytes(1_000_003), "n".repeat(200)];
    await mkdir(join(tree, long));
    await writeFile(join(tree, long, "large"), large);
    const { file, digest, diffId } = await write();
    const sum = async (command: string): Promise<string> => {
      const { stdout } = await execa("sh", ["-c", `${command} | sha256sum`, "sh", file]);
      return `sha256:${stdout.split(" ")[0] ?? ""}`;
    };
    expect(await sum('cat "$1"')).to.equal(digest);
    expect(await sum('gzip -dc "$1"')).to.equal(diffId);
    const out = join(folder, "out");
    await mkdir(out);
    await execa("tar", ["--no-same-owner", "-xzf", file, "-C", out]);
    await execa("cmp", [join(out, "app", long, "large"), join(tree, long, "large")]);
  });

  it("has the folders above it, and a single owner, who alone may write", async () => {
    await writeFile(join(tree, "open"), "");
    await chmod(join(tree, "open"), 0o666);
    const entries = await layerEntries(await write({ at: "app/node_modules" }));
    expect(entries.map(({ name }) => name)).to.deep.equal([
      "app",
      "app/node_modules",
      "app/node_modules/open",
    ]);
    expect(entries.map(({ mode }) => mode.toString(8))).to.deep.equal(["755", "755", "644"]);
    for (const { uid, gid } of entries) expect({ uid, gid }).to.deep.equal(OWNER);
  });

  it("has no setuid and setgid bits, and keeps the sticky bit of a /tmp", async () => {
    await writeFile(join(tree, "su"), "");
    await chmod(join(tree, "su"), 0o6755);
    await mkdir(join(tree, "tmp"));
    await chmod(join(tree, "tmp"), 0o3777);
    const entries = await layerEntries(await write({ at: "", owner: "kept" }));
    expect(entries.map(({ name, mode }) => `${name} ${mode.toString(8)}`)).to.deep.equal([
      "su 755",
      "tmp 1777",
    ]);
  });

  it("leaves sockets, FIFOs and devices out", async () => {
    await writeFile(join(tree, "file"), "");
    await execa("mkfifo", [join(tree, "fifo")]);
    const server = createServer().listen(join(tree, "socket"));
    await once(server, "listening");
    if (process.getuid?.() === 0) await execa("mknod", [join(tree, "null"), "c", "1", "3"]);
    try {
      expect(await readdir(tree)).to.include.members(["fifo", "socket"]);
      expect((await layerEntries(await write({ at: "" }))).map(({ name }) => name)).to.deep.equal(["file"]);
    } finally {
      server.close();
    }
  });

  it("holds links as links, and hard links as files of their own", async () => {
    await writeFile(join(tree, "a"), "content");
    await link(join(tree, "a"), join(tree, "b"));
    await symlink("/etc/shadow", join(tree, "c"));
    const entries = await layerEntries(await write({ at: "" }));
    const shown = entries.map(({ type, size, linkname }) => `${type} ${size} ${linkname}`);
    expect(shown).to.deep.equal(["file 7 null", "file 7 null", "symlink 0 /etc/shadow"]);
  });

  it("leaves out names at the top alone", async () => {
    for (const path of ["a/node_modules", "node_modules", ".git"])
      await mkdir(join(tree, path), { recursive: true });
    const entries = await layerEntries(
      await write({ at: "", except: new Set(["node_modules", ".git", "gone"]) }),
    );
    expect(entries.map(({ name }) => name)).to.deep.equal(["a", "a/node_modules"]);
  });

  it("refuses names that images cannot have", async () => {
    const names = [Buffer.from([0x66, 0xff]), Buffer.from(".wh.file"), Buffer.from(".wh..wh..opq")];
    for (const name of names) {
      const path = Buffer.concat([Buffer.from(`${tree}/`), name]);
      await writeFile(path, "");
      expect(await codeOf(write()), name.toString("latin1")).to.equal("layer-name-invalid");
      await execa("find", [tree, "-mindepth", "1", "-delete"]);
    }
    expect(await readdir(made)).to.deep.equal([]);
  });

  it("holds the longest path that can be opened, and refuses longer ones", async () => {
    const name = "d".repeat(255);
    // 15 folders: 15 × 256 bytes, and 255 that are left for the file.
    const inDeepest = async (command: string): Promise<unknown> => {
      const down = 'cd "$1"; for i in $(seq 15); do mkdir -p "$2" && cd -P "$2" || exit; done; ';
      return execa("sh", ["-c", down + command, "sh", tree, name]);
    };
    await inDeepest(`: >${"f".repeat(255)}`);
    const entries = await layerEntries(await write({ at: "" }));
    expect(entries.at(-1)?.name).to.have.length(4095);
    await inDeepest(`mkdir d && : >d/${"f".repeat(254)}`);
    expect(await codeOf(write({ at: "" }, "other"))).to.equal("layer-path-too-long");
  });

  it("never reads what a folder was exchanged for", async () => {
    const secret = join(folder, "secret");
    await mkdir(secret);
    await writeFile(join(secret, "inner"), "secret");
    for (const name of ["a", "b"]) {
      await mkdir(join(tree, name));
      await writeFile(join(tree, name, "inner"), "open");
    }
    const seen: string[] = [];
    const walk = async (): Promise<void> => {
      for await (const { path } of walkTree(tree)) {
        seen.push(path);
        if (path !== "a") continue;
        await rename(join(tree, "b"), join(folder, "away"));
        await symlink(secret, join(tree, "b"));
        // The one that is being read: what was opened stays what it was.
        await rename(join(tree, "a"), join(folder, "also-away"));
        await symlink(secret, join(tree, "a"));
      }
    };
    expect(await codeOf(walk())).to.equal("layer-tree-changed");
    expect(seen).to.deep.equal(["a", "a/inner"]);
  });

  it("gives up when a file got shorter meanwhile", async () => {
    await writeFile(join(tree, "a"), randomBytes(30_000_000));
    const writing = codeOf(write());
    await eventually("it is being read", async () => (await stat(join(made, "layer"))).size > 0);
    await truncate(join(tree, "a"), 10);
    expect(await writing).to.equal("layer-tree-changed");
    expect(await readdir(made)).to.deep.equal([]);
  });

  it("is given up when the release is, and leaves nothing", async () => {
    for (let index = 0; index < 200; index++) await writeFile(join(tree, `${index}`), randomBytes(100_000));
    const abort = new AbortController();
    const reason = new Error("too late");
    setTimeout(() => abort.abort(reason), 20);
    const source = { folder: tree, at: "app", owner: OWNER, modified: 0 };
    const failed = await writeLayer(source, join(made, "layer"), abort.signal).catch(
      (error: unknown) => error,
    );
    expect(failed).to.equal(reason);
    expect(await readdir(made)).to.deep.equal([]);
  });

  it("leaves nothing on a disk that is full", async function () {
    const disk = await mountSmall("size=4m");
    if (disk === undefined) return this.skip();
    try {
      const full = fillUp(disk);
      await writeFile(join(tree, "file"), randomBytes(2_000_000));
      const source = { folder: tree, at: "app", owner: OWNER, modified: 0 };
      expect(await codeOf(writeLayer(source, join(disk, "layer"), signal))).to.include("ENOSPC");
      expect(await readdir(disk)).not.to.include("layer");
      await full.stop();
    } finally {
      await unmount(disk);
    }
  });
});
