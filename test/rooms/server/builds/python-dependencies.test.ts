import { expect } from "chai";
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "../../../../core/files/remove-tree.js";
import { Home } from "../../../../core/home.js";
import { settingsSchema } from "../../../../core/settings/settings.js";
import type { BuildWork } from "../../../../server/builds/build-work.js";
import { treeDigest } from "../../../../server/builds/image/layers/tree-digest.js";
import { installPython } from "../../../../server/builds/python/python-dependencies.js";
import { LocalTasks } from "../../../../server/engines/runit/local-tasks.js";
import { builderOf } from "../../../../server/machine.js";
import { testSandbox } from "../../../support/running/test-sandbox.js";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const APP = { name: "shop", uid: 20_000 };
/** The first word of a compiled module's header after its magic number, when it names its source's digest (PEP 552). */
const BY_DIGEST = 0b11;

describe("a Python app's virtual environment", function () {
  this.timeout(120_000);
  let folder: string;
  let work: BuildWork;
  const { signal } = new AbortController();

  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    folder = await mkdtemp(join(tmpdir(), "sluice-python-"));
    await chmod(folder, 0o755);
    const home = new Home(join(folder, "home"));
    const tasks = await LocalTasks.open({ home, sandbox: await testSandbox(home), path: PATH });
    const tools = {
      home,
      path: PATH,
      tasks,
      isRoot: true,
      networkEnv: {},
      settings: settingsSchema.parse({}),
    };
    const record = { app: APP.name, number: 1, commit: "0".repeat(40), track: "production", artifact: {} };
    const out = { line: () => undefined, alive: async <T>(_: string, running: Promise<T>) => running };
    // What an installation needs is all that is there.
    work = { app: APP, record, tools, out } as unknown as BuildWork;
  });
  after(async () => folder && removeTree(folder));

  async function environment(): Promise<string> {
    const tree = await mkdtemp(join(folder, "tree-"));
    const user = builderOf(work.app, { isRoot: true });
    await mkdir(tree, { recursive: true });
    await writeFile(join(tree, "requirements.txt"), "# nothing but pip\n");
    if (user !== undefined) await chown(tree, user.uid, user.gid);
    expect(await installPython(work, tree, signal)).to.equal(true);
    return join(tree, ".venv");
  }

  it("is the same when the same is installed, so that an image has it already", async () => {
    const [first, second] = [await environment(), await environment()];
    expect(await treeDigest(first, signal)).to.equal(await treeDigest(second, signal));
    const names = await readdir(first, { recursive: true });
    const compiled = names.filter((name) => name.endsWith(".pyc"));
    expect(compiled).to.have.length.above(100);
    for (const name of compiled)
      expect((await readFile(join(first, name))).readUInt32LE(4), name).to.equal(BY_DIGEST);
  });
});
