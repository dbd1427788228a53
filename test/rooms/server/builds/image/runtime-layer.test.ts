import { expect } from "chai";
import { execa } from "execa";
import { mkdir, mkdtemp, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "../../../../../core/files/remove-tree.js";
import { Home } from "../../../../../core/home.js";
import type { Artifact } from "../../../../../core/records/releases/artifact.js";
import { LayerStore } from "../../../../../server/builds/image/layers/layer-store.js";
import type { NodeTools } from "../../../../../server/builds/image/node-programs.js";
import { nodeLayer } from "../../../../../server/builds/image/runtime-layer.js";
import type { Layer } from "../../../../../server/builds/image/layers/write-layer.js";
import { NpmRegistry } from "../../../../support/git/npm-registry.js";
import { layerEntries } from "../../../../support/images/layer-entries.js";

const PACKAGE = `node-${process.platform}-${process.arch}`;
const FETCHED = "#!/bin/sh\necho v97.2.0\n";
const OWN: Artifact = { kind: "tree" };

describe("the Node.js of an image", function () {
  this.timeout(60_000);
  let folder: string;
  let registry: NpmRegistry;
  let layers: LayerStore;
  const { signal } = new AbortController();
  const path = process.env["PATH"] ?? "";

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-runtime-"));
    registry = await NpmRegistry.start(folder, { [PACKAGE]: { "97.2.0": FETCHED } });
  });
  after(async () => {
    registry.close();
    await removeTree(folder);
  });
  beforeEach(async () => {
    layers = new LayerStore(join(await mkdtemp(join(folder, "store-")), "layers"));
  });

  async function tools(more: Partial<NodeTools> = {}): Promise<NodeTools> {
    const home = new Home(await mkdtemp(join(folder, "home-")));
    await mkdir(home.runtimes());
    await mkdir(home.gitHome());
    return { home, path, networkEnv: {}, ...more };
  }

  async function make(given: NodeTools, artifact = OWN): Promise<Layer> {
    return nodeLayer({ layers, tools: given }, artifact, signal);
  }

  /** What `node` of a layer is. */
  async function program({ file }: Layer): Promise<Buffer> {
    const { stdout } = await execa("tar", ["-xzOf", file, "usr/local/bin/node"], {
      encoding: "buffer",
      stripFinalNewline: false,
    });
    return Buffer.from(stdout);
  }

  it("is the machine's own, with npm and without its manuals", async () => {
    const layer = await make(await tools());
    expect(await program(layer)).to.satisfy((content: Buffer) => content.length > 10_000_000);
    const entries = await layerEntries(layer);
    const links = entries.filter(({ type }) => type === "symlink");
    expect(links.map(({ name, linkname }) => `${name} ${linkname}`).slice(0, 2)).to.deep.equal([
      "usr/local/bin/npm ../lib/node_modules/npm/bin/npm-cli.js",
      "usr/local/bin/npx ../lib/node_modules/npm/bin/npx-cli.js",
    ]);
    const names = entries.map(({ name }) => name);
    expect(names).to.include("usr/local/lib/node_modules/npm/bin/npm-cli.js");
    expect(names.filter((name) => /npm\/(?:docs|man)(?:\/|$)/.test(name))).to.deep.equal([]);
    for (const { uid, gid } of entries) expect([uid, gid]).to.deep.equal([0, 0]);
    expect(layer.bytes).to.be.below(60_000_000);
  });

  it("is written once", async () => {
    const given = await tools();
    const first = await make(given);
    const { mtimeMs } = await stat(first.file);
    const names = await readdir(join(first.file, ".."));
    expect(await make(given)).to.deep.equal(first);
    expect((await stat(first.file)).mtimeMs).to.equal(mtimeMs);
    expect(await readdir(join(first.file, ".."))).to.deep.equal(names);
  });

  it("is the one that was fetched for the app, which root does not run", async () => {
    const mark = join(folder, "was-run");
    const fetched = `#!/bin/sh\ntouch ${mark}\necho v97.3.0\n`;
    const nodeFolder = join(folder, "runtimes/97.3.0/bin");
    await mkdir(nodeFolder, { recursive: true });
    await writeFile(join(nodeFolder, "node"), fetched, { mode: 0o755 });
    expect((await program(await make(await tools(), { ...OWN, nodeFolder }))).toString()).to.equal(fetched);
    expect(await readdir(folder)).not.to.include("was-run");
  });

  it("comes from the npm registry when the machine's own needs more than images have", async () => {
    const bin = await mkdtemp(join(folder, "bin-"));
    const git = (await execa("sh", ["-c", "command -v git"])).stdout;
    // A program with libraries of its own, as Debian's Node.js is.
    const lines = ["--version) echo v97.2.0", `-p) echo ${git}`, `*) exec ${process.execPath} "$@"`];
    const script = `#!/bin/sh\ncase "$1" in\n${lines.map((line) => `${line};;\n`).join("")}esac\n`;
    await writeFile(join(bin, "node"), script, { mode: 0o755 });
    const networkEnv = { npm_config_cafile: registry.caFile, npm_config_registry: `${registry.url}/` };
    const given = await tools({ path: `${bin}:${path}`, networkEnv });
    expect((await program(await make(given))).toString()).to.equal(FETCHED);
    expect(await readFile(join(given.home.runtimes(), "97.2.0/bin/node"), "utf8")).to.equal(FETCHED);
  });
});
