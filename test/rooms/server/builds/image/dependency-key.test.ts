import { expect } from "chai";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "../../../../../core/files/remove-tree.js";
import { Home } from "../../../../../core/home.js";
import { settingsSchema } from "../../../../../core/settings/settings.js";
import type { BuildWork } from "../../../../../server/builds/build-work.js";
import { dependencyKey } from "../../../../../server/builds/image/dependency-key.js";

const PACKAGE = { scripts: { start: "node ." }, dependencies: { left: "1.0.0" } };

describe("the key of a layer of dependencies", () => {
  let folder: string;
  let number = 0;

  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "sluice-key-"))));
  afterEach(async () => removeTree(folder));

  async function keyOf(
    packageJson: object,
    files: Readonly<Record<string, string>> = {},
    track = "production",
    app = "shop",
  ): Promise<string | undefined> {
    const home = new Home(folder);
    const release = ++number;
    const tree = home.tree(app, release);
    await mkdir(tree, { recursive: true });
    const all = { "package-lock.json": "{}", "package.json": JSON.stringify(packageJson), ...files };
    for (const [name, text] of Object.entries(all)) await writeFile(join(tree, name), text);
    const tools = { home, path: process.env["PATH"] ?? "", settings: settingsSchema.parse({}) };
    // What the key is made of is all that is read.
    const work = { app: { name: app }, record: { track, number: release, artifact: {} }, tools };
    return dependencyKey(work as unknown as BuildWork);
  }

  it("is the same for the same lockfile, whatever else changes", async () => {
    const key = await keyOf(PACKAGE);
    expect(key).to.match(/^shop production [0-9a-f]{32} full$/);
    expect(await keyOf(PACKAGE, { "server.js": "" })).to.equal(key);
    expect(await keyOf(PACKAGE, {}, "canary")).to.equal(key);
  });

  it("is another one for another lockfile, set, app, or zone", async () => {
    const development = { ...PACKAGE, devDependencies: { right: "1.0.0" } };
    const keys = await Promise.all([
      keyOf(PACKAGE),
      keyOf(PACKAGE, { "package-lock.json": `{"lockfileVersion": 3}` }),
      keyOf(development),
      keyOf(PACKAGE, {}, "production", "blog"),
      keyOf(PACKAGE, {}, "preview-topic"),
    ]);
    expect(keys).not.to.include(undefined);
    expect(new Set(keys).size).to.equal(keys.length);
    expect(keys[2]).to.match(/ production$/);
    expect(keys[4]).to.match(/^shop previews /);
  });

  it("does not exist where more than the lockfile decides what lies there", async () => {
    for (const [packageJson, files] of [
      [{ ...PACKAGE, scripts: { ...PACKAGE.scripts, build: "generate" } }, {}],
      [{ ...PACKAGE, scripts: { ...PACKAGE.scripts, postinstall: "patch" } }, {}],
      [PACKAGE, { "app.json": `{"scripts": {"dokku": {"predeploy": "generate"}}}` }],
      [PACKAGE, { "requirements.txt": "flask" }],
      [{ scripts: PACKAGE.scripts }, {}],
    ] as const)
      expect(await keyOf(packageJson, files), JSON.stringify([packageJson, files])).to.equal(undefined);
  });
});
