import { expect } from "chai";
import { execa } from "execa";
import { chown, copyFile, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { AppError } from "../../../../../core/errors/app-error.js";
import { removeTree } from "../../../../../core/files/remove-tree.js";
import { baseLayer } from "../../../../../server/builds/image/base-image.js";
import {
  publishRelease,
  type ImageWork,
  type PublishedImage,
  type SealedRelease,
} from "../../../../../server/builds/image/release-image.js";
import { cannotRunImages, ImageRoot } from "../../../../support/images/image-root.js";
import { layerEntries } from "../../../../support/images/layer-entries.js";
import { pushedImage, type PushedImage } from "../../../../support/images/pushed-image.js";
import { freePort } from "../../../../support/network/free-port.js";
import { TestRegistry } from "../../../../support/running/test-registry.js";

const USER = { uid: 5000, gid: 5001 };
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const BASE_TIMEOUT_MS = 600_000;
const MEGABYTE = 1e6;
/** None of it belongs into what runs. */
const UNWANTED = [
  /(?:^|\/)s?bin\/(?:gcc|g\+\+|cc|c\+\+|cpp|make|ld|as|apt|apt-get)(?:-\d+)?$/,
  /^(?:etc|var\/lib|var\/cache)\/apt|\.deb$|^var\/cache\/.|^var\/log\/./,
  /^usr\/share\/(?:man|locale)\/.*\.(?:gz|mo)$|^etc\/(?:hostname|hosts|resolv\.conf)$/,
];

const SERVER = `require("http").createServer((request, response) => response.end(require("greeting")())).listen(process.env.PORT, "127.0.0.1");\n`;
const NODE_APP = {
  "package.json": `{"scripts": {"start": "node server.js"}}`,
  "server.js": SERVER,
  "node_modules/greeting/index.js": `module.exports = () => "Hello from " + process.version;\n`,
  "node_modules/large/data": "x".repeat(2_000_000),
};

describe("the image of a release", function () {
  this.timeout(120_000);
  let registry: TestRegistry | undefined;
  let work: ImageWork;
  let folder: string;
  let releases = 0;
  const said: string[] = [];
  const { signal } = new AbortController();

  before(async function () {
    this.timeout(BASE_TIMEOUT_MS);
    folder = await mkdtemp(join(tmpdir(), "sluice-image-"));
    const reason = await cannotRunImages();
    if (reason !== undefined) {
      process.stdout.write(`      skipped: ${reason}\n`);
      this.skip();
    }
    registry = await TestRegistry.start(this);
    const { layers, client, home } = registry;
    work = {
      layers,
      registry: client,
      tools: { home, path: PATH, networkEnv: {}, isRoot: true },
      out: { line: (line) => said.push(line), alive: async (_, running) => running },
      basePackages: [],
    };
    // Two who ask at once.
    const [first, second] = await Promise.all(
      ["python", "python", "plain"].map(async (variant) =>
        baseLayer(work, variant === "plain" ? "plain" : "python", signal),
      ),
    );
    expect(first).to.deep.equal(second);
  });
  after(async () => {
    await removeTree(folder);
    await registry?.dispose();
  });

  async function treeOf(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
    const tree = await mkdtemp(join(folder, "tree-"));
    for (const [name, content] of Object.entries(files)) {
      await mkdir(join(tree, dirname(name)), { recursive: true });
      await writeFile(join(tree, name), content);
    }
    return tree;
  }

  async function publish(tree: string, release: Partial<SealedRelease> = {}): Promise<PublishedImage> {
    return publishRelease(
      work,
      {
        app: "shop",
        tag: `v${++releases}`,
        tree,
        artifact: { kind: "tree" },
        runtimes: { node: false, python: false },
        user: USER,
        nodeKey: undefined,
        ...release,
      },
      signal,
    );
  }

  async function unpack(image: PushedImage): Promise<ImageRoot> {
    return ImageRoot.unpack(image, join(folder, `root-${releases}`));
  }

  /** Also says it, so that one sees it grow. */
  function expectSizes(what: string, { layers }: PushedImage, most: readonly number[]): void {
    const sizes = layers.map(({ bytes }) => bytes / MEGABYTE);
    process.stdout.write(`      ${what}: ${sizes.map((size) => size.toFixed(2)).join(" + ")} MB\n`);
    expect(sizes).to.have.length(most.length);
    for (const [index, size] of sizes.entries()) expect(size).to.be.below(most[index] ?? 0);
  }

  async function expectNothingUnwanted(image: PushedImage): Promise<void> {
    const entries = (await Promise.all(image.layers.map(layerEntries))).flat();
    const unwanted = entries.filter(({ name }) => UNWANTED.some((pattern) => pattern.test(name)));
    expect(unwanted.map(({ name }) => name)).to.deep.equal([]);
    expect(entries.filter(({ mode }) => (mode & 0o6000) !== 0)).to.deep.equal([]);
  }

  it("is made on a base that is made once, and told of", () => {
    expect(said.filter((line) => line.startsWith("making the base image"))).to.have.length(2);
    expect(said.join("\n")).to.match(/Debian [a-z]+ with ca-certificates, .*python3/);
  });

  it("starts a Node.js app with its dependencies", async () => {
    const { reference } = await publish(await treeOf(NODE_APP), { runtimes: { node: true, python: false } });
    expect(reference).to.match(/^127\.0\.0\.1:\d+\/shop@sha256:[0-9a-f]{64}$/);
    const image = await pushedImage(registry!, reference);
    expectSizes("base, Node.js, dependencies, app", image, [40, 60, 0.1, 0.01]);
    await expectNothingUnwanted(image);
    expect(image.user).to.equal("5000:5001");
    const root = await unpack(image);
    const { body } = await root.answer("npm start", await freePort());
    expect(body).to.equal(`Hello from ${process.version}`);
    expect((await root.run("echo $(id -u) $(id -g) $(pwd)")).said).to.equal("5000 5001 /app");
    expect(
      (await root.run("gcc --version || cc --version || make --version || apt --version")).status,
    ).not.to.equal(0);
  });

  it("belongs to the app's user, in a tree that others cannot change", async () => {
    const tree = await treeOf({ ...NODE_APP, ".git/HEAD": "ref: secret" });
    const { layers } = await pushedImage(registry!, (await publish(tree)).reference);
    for (const layer of layers.slice(1)) {
      for (const { name, uid, gid, mode } of await layerEntries(layer)) {
        expect({ uid, gid }, name).to.deep.equal(USER);
        expect(mode & 0o22, name).to.equal(0);
        expect(name)
          .to.match(/^app(?:\/|$)/)
          .and.not.include(".git");
      }
    }
  });

  it("sends the app's files alone when nothing else has changed", async () => {
    const node = { runtimes: { node: true, python: false } };
    const first = await pushedImage(registry!, (await publish(await treeOf(NODE_APP), node)).reference);
    const changed = await treeOf({ ...NODE_APP, "server.js": `${SERVER}// changed\n` });
    const began = performance.now();
    const { reference, sentDigests, sentBytes } = await publish(changed, node);
    process.stdout.write(`      written and sent in ${(performance.now() - began).toFixed(0)} ms\n`);
    const second = await pushedImage(registry!, reference);
    expect(second.layers.slice(0, -1)).to.deep.equal(first.layers.slice(0, -1));
    expect(second.layers.at(-1)?.digest).not.to.equal(first.layers.at(-1)?.digest);
    // Its layer and the document that names the layers.
    expect(sentDigests).to.have.length(2);
    expect(sentBytes).to.be.below(5000);
    expect(await publish(changed, node)).to.deep.include({ reference, sentBytes: 0 });
  });

  it("does not even read dependencies whose key is known", async () => {
    const tree = await treeOf(NODE_APP);
    const keyed = { nodeKey: "shop production 0123" };
    const first = await publish(tree, keyed);
    await writeFile(join(tree, "node_modules/greeting/index.js"), "never in a layer");
    expect((await publish(tree, keyed)).reference).to.equal(first.reference);
    expect((await publish(tree)).reference).not.to.equal(first.reference);
    expect((await publish(tree, { nodeKey: "shop previews 0123" })).reference).not.to.equal(first.reference);
  });

  it("shares base and runtime with other apps, and sends them once", async () => {
    const { sentBytes } = await publish(await treeOf(NODE_APP), {
      app: "blog",
      runtimes: { node: true, python: false },
    });
    expect(sentBytes).to.be.below(100_000);
    expect(await registry!.client.repositories(signal)).to.include("sluice/base");
  });

  it("keeps nothing of an app's own layer on this machine", async () => {
    const { home } = registry!;
    const before = await readdir(home.layers());
    await publish(await treeOf({ "index.html": "<h1>Hello</h1>" }));
    expect(await readdir(home.layers())).to.deep.equal(before);
  });

  it("starts a Python app with its virtual environment", async () => {
    const tree = await treeOf({
      "app.py": [
        "import http.server, os, greeting",
        "class Handler(http.server.BaseHTTPRequestHandler):",
        "    def do_GET(self):",
        "        self.send_response(200); self.end_headers(); self.wfile.write(greeting.text().encode())",
        "http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Handler).serve_forever()\n",
      ].join("\n"),
    });
    await execa("/usr/bin/python3", ["-m", "venv", "--without-pip", join(tree, ".venv")]);
    const [python = ""] = await readdir(join(tree, ".venv/lib"));
    await writeFile(
      join(tree, ".venv/lib", python, "site-packages/greeting.py"),
      "import ssl, sqlite3, sys\ndef text(): return 'Hello from ' + sys.prefix\n",
    );
    const { reference } = await publish(tree, { runtimes: { node: false, python: true } });
    const image = await pushedImage(registry!, reference);
    expectSizes("base with Python, environment, app", image, [60, 0.1, 0.01]);
    await expectNothingUnwanted(image);
    const { body } = await (await unpack(image)).answer("python3 app.py", await freePort());
    expect(body).to.equal("Hello from /app/.venv");
  });

  it("refuses a virtual environment of another Python", async () => {
    const tree = await treeOf({ ".venv/pyvenv.cfg": "home = /opt/python/bin\nversion = 3.14.0\n" });
    const error = await publish(tree).then(
      () => expect.fail("it went well"),
      (refused: unknown) => refused as AppError,
    );
    expect(error.code).to.equal("image-python-foreign");
    expect(error.message).to.include("/opt/python/bin");
  });

  it("starts a program that needs nothing but the kernel, and others of C++", async () => {
    const tree = await treeOf({});
    // Linked statically, as Go's are.
    await copyFile("/sbin/ldconfig", join(tree, "server"));
    await writeFile(join(tree, "server.sh"), "#!/bin/sh\nexec ./server --version\n", { mode: 0o755 });
    const image = await pushedImage(registry!, (await publish(tree)).reference);
    expectSizes("base, program", image, [40, 1]);
    const root = await unpack(image);
    expect((await root.run("./server.sh")).said).to.match(/^ldconfig .*\d\.\d+/);
    expect((await root.run("date -d @0 +%Z", { TZ: "Europe/Berlin" })).said).to.equal("CET");
    expect(
      (await root.run("openssl verify -CApath /etc/ssl/certs /etc/ssl/certs/ISRG_Root_X1.pem")).said,
    ).to.include(": OK");
    expect((await root.run("touch /app/file")).status).not.to.equal(0);
  });

  it("has the files of a static site as they are", async () => {
    const tree = await treeOf({ "index.html": "<h1>Hello</h1>", "css/site.css": "h1 {}" });
    await symlink("index.html", join(tree, "start.html"));
    await chown(join(tree, "index.html"), 77, 77);
    const image = await pushedImage(registry!, (await publish(tree)).reference);
    expectSizes("base, site", image, [40, 0.01]);
    const root = await unpack(image);
    expect(await readFile(join(root.folder, "app/start.html"), "utf8")).to.equal("<h1>Hello</h1>");
    const entries = await layerEntries(image.layers[1]!);
    expect(entries.map(({ name }) => name)).to.deep.equal([
      "app",
      "app/css",
      "app/css/site.css",
      "app/index.html",
      "app/start.html",
    ]);
  });
});
