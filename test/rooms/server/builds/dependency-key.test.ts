import { expect } from "chai";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parsePackageJson } from "../../../../server/builds/manifest/package-json.js";
import { nodeDependencies } from "../../../../server/builds/node/node-dependencies.js";
import type { ReleaseWork } from "../../../../server/pipeline/step.js";

interface App {
  readonly packageJson: object;
  readonly files: Readonly<Record<string, string>>;
  /** What `node --version` says on the machine, and the version of the Node.js fetched for the release. */
  readonly node: string;
  readonly ownNode?: string;
}

const APP: App = {
  packageJson: { dependencies: { left: "1.0.0" } },
  files: { "package-lock.json": `{"lockfileVersion": 3}` },
  node: "v20.19.0",
};

describe("the key of an app's dependencies", () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "dependency-key-"))));
  afterEach(async () => rm(folder, { recursive: true }));

  it("is the same for the same app, whatever else package.json says", async () => {
    const known = await keyOf(APP);
    expect(known).to.match(/^[0-9a-f]{32}$/);
    expect(await keyOf(APP)).to.equal(known);
    const described = { ...APP.packageJson, scripts: { start: "node ." }, engines: { node: ">=20" } };
    expect(await keyOf({ ...APP, packageJson: described })).to.equal(known);
  });

  const changes: Readonly<Record<string, Partial<App>>> = {
    "another lockfile": { files: { "package-lock.json": `{"lockfileVersion": 2}` } },
    "a lockfile that npm prefers": {
      files: { ...APP.files, "npm-shrinkwrap.json": `{"lockfileVersion": 1}` },
    },
    "other dependencies": { packageJson: { dependencies: { left: "1.0.1" } } },
    "other development dependencies": {
      packageJson: { ...APP.packageJson, devDependencies: { right: "1.0.0" } },
    },
    "other optional dependencies": {
      packageJson: { ...APP.packageJson, optionalDependencies: { right: "1.0.0" } },
    },
    "another .npmrc": { files: { ...APP.files, ".npmrc": "omit=optional\n" } },
    "another Node.js of the machine's": { node: "v22.12.0" },
    "a Node.js of its own": { ownNode: "v24.1.0" },
  };
  for (const [what, change] of Object.entries(changes)) {
    it(`is another one with ${what}`, async () => {
      const known = await keyOf(APP);
      expect(await keyOf({ ...APP, ...change }))
        .to.match(/^[0-9a-f]{32}$/)
        .and.not.equal(known);
    });
  }

  for (const property of ["platform", "arch"] as const) {
    it(`is another one with another process.${property}`, async () => {
      const known = await keyOf(APP);
      const before = Object.getOwnPropertyDescriptor(process, property);
      try {
        Object.defineProperty(process, property, { ...before, value: "other" });
        expect(await keyOf(APP)).not.to.equal(known);
      } finally {
        Object.defineProperty(process, property, before ?? {});
      }
    });
  }

  it("does not exist where an installation depends on more than that", async () => {
    for (const more of [
      { scripts: { postinstall: "node patch.js" } },
      { workspaces: ["packages/*"] },
      { dependencies: { left: "file:../left" } },
    ])
      expect(await keyOf({ ...APP, packageJson: { ...APP.packageJson, ...more } })).to.equal(undefined);
    expect(await keyOf({ ...APP, files: { "yarn.lock": "# yarn lockfile v1\n" } })).to.equal(undefined);
  });

  /** Of a tree with these files, on a machine whose `node` says this version. */
  async function keyOf({ packageJson, files, node, ownNode }: App): Promise<string | undefined> {
    const tree = await mkdtemp(join(folder, "tree-"));
    for (const [name, text] of Object.entries(files)) await writeFile(join(tree, name), text);
    const path = await nodeFolder(node);
    const own =
      ownNode === undefined ? {} : { nodeFolder: join(folder, "runtimes", ownNode.slice(1), "bin") };
    const artifact = { kind: "tree", ...own };
    // What the key is made of is all that is read.
    const work = { tools: { path }, record: { artifact } } as unknown as ReleaseWork;
    return (await nodeDependencies(work, tree, parsePackageJson(JSON.stringify(packageJson))))?.key;
  }

  async function nodeFolder(version: string): Promise<string> {
    const bin = join(folder, version);
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, "node"), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
    return bin;
  }
});
