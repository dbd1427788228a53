import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { execa } from "execa";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AppError } from "../../../../../core/errors/app-error.js";
import { removeTree } from "../../../../../core/files/remove-tree.js";
import { makeImage, type Image } from "../../../../../server/builds/image/image.js";
import { LayerStore } from "../../../../../server/builds/image/layers/layer-store.js";
import type { Layer } from "../../../../../server/builds/image/layers/write-layer.js";
import { copyImage } from "../../../../../server/builds/image/registry/copy-image.js";
import { imageTags } from "../../../../../server/builds/image/registry/image-tags.js";
import { pruneImages } from "../../../../../server/builds/image/registry/prune-images.js";
import { pushImage } from "../../../../../server/builds/image/registry/push-image.js";
import { RegistryClient } from "../../../../../server/builds/image/registry/registry-client.js";
import { OutsideRegistry } from "../../../../support/images/outside-registry.js";

const OWNER = { uid: 5000, gid: 5000 };
const BASE = "sluice/base";

describe("an outside registry", function () {
  this.timeout(60_000);
  const { signal } = new AbortController();
  const opened: { dispose(): Promise<void> }[] = [];
  let folder: string;
  let layers: LayerStore;

  before(async function () {
    const { exitCode } = await execa("docker-registry", ["--version"], { reject: false });
    if (exitCode === 0) return;
    process.stdout.write("      skipped: docker-registry is not installed\n");
    this.skip();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-outside-images-"));
    layers = new LayerStore(join(folder, "layers"));
  });
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.dispose();
    await removeTree(folder);
  });

  async function start(plan: Parameters<typeof OutsideRegistry.start>[0]): Promise<OutsideRegistry> {
    const registry = await OutsideRegistry.start(plan);
    opened.push(registry);
    return registry;
  }

  function clientOf({ access }: OutsideRegistry, more: object = {}): RegistryClient {
    const client = new RegistryClient({ ...access, ...more });
    opened.push({
      dispose: async () => {
        client.close();
        return Promise.resolve();
      },
    });
    return client;
  }

  async function layer(content: Buffer | string): Promise<Layer> {
    const source = await mkdtemp(join(folder, "source-"));
    await writeFile(join(source, "file"), content);
    return layers.write({ folder: source, at: "app", owner: OWNER, modified: 0 }, signal);
  }

  function imageOf(...parts: Layer[]): Image {
    return makeImage(parts, { user: OWNER, workingFolder: "/app", architecture: "amd64" });
  }

  async function failure(work: Promise<unknown>): Promise<AppError> {
    return work.then(
      () => expect.fail("it went well"),
      (error: unknown) => error as AppError,
    );
  }

  for (const auth of ["basic", "token"] as const)
    it(`takes images below its path, a shared layer once (${auth})`, async () => {
      const client = clientOf(await start({ auth }));
      await client.checkPush(BASE, signal);
      const base = await layer(randomBytes(50_000));
      const shared = { repository: BASE, digests: new Set([base.digest]) };
      const sent: string[] = [];
      for (const repository of ["first", "second"]) {
        const image = imageOf(base, await layer(repository));
        const pushed = await pushImage(client, image, { repository, tag: "v1", shared }, signal);
        sent.push(...pushed.sentDigests);
        expect(await client.digestOf(repository, "v1", signal)).to.equal(image.digest);
        expect(await client.tags(repository, signal)).to.deep.equal(["v1"]);
      }
      expect(sent.filter((digest) => digest === base.digest)).to.have.length(1);
      expect(await client.repositories(signal)).to.include.members(["first", "second"]);
    });

  it("gives tokens that are used again until they end, and then another one", async () => {
    const registry = await start({ auth: "token" });
    const tokens = registry.tokens!;
    const client = clientOf(registry);
    for (let times = 0; times < 5; times++) await client.tags("shop", signal);
    expect(tokens.given).to.equal(1);
    tokens.late = 1;
    await clientOf(registry).tags("shop", signal);
    expect(tokens.given).to.equal(3);
  });

  it("says what it refuses", async () => {
    const image = imageOf(await layer("any"));
    const push = async (client: RegistryClient): Promise<unknown> =>
      pushImage(client, image, { repository: "refused", tag: "v1" }, signal);
    for (const auth of ["basic", "token"] as const) {
      const registry = await start({ auth });
      for (const [more, code] of [
        [{ password: "wrong" }, "registry-login-refused"],
        [{ user: "nobody" }, "registry-login-refused"],
        [{ ca: undefined }, "registry-untrusted"],
      ] as const) {
        const client = clientOf(registry, more);
        for (const work of [async () => client.checkPush(BASE, signal), async () => push(client)]) {
          const { code: found, message, hint } = await failure(work());
          expect(found, `${auth} ${JSON.stringify(more)}`).to.equal(code);
          expect(message + hint).not.to.include(registry.access.password);
        }
      }
      if (registry.tokens === undefined) continue;
      registry.tokens.allows = ({ name, action }) => action === "pull" && name.startsWith("team/apps/");
      const error = await failure(push(clientOf(registry)));
      expect(error.code).to.equal("registry-forbidden");
      expect(error.message).to.include("team/apps/refused");
      registry.tokens.close();
      const { code, message } = await failure(push(clientOf(registry)));
      expect(code).to.equal("registry-unreachable");
      expect(message).to.include(new URL(registry.tokens.realm).host);
    }
  });

  it("keeps what others have pushed, and loses our images that no release needs", async () => {
    const client = clientOf(await start({ auth: "token" }));
    const [ours, others] = [imageTags("0a1b2c3d"), imageTags("ffffffff")];
    const push = async (content: string, tag: string): Promise<Image> => {
      const image = imageOf(await layer(content));
      await pushImage(client, image, { repository: "shop", tag }, signal);
      return image;
    };
    const kept = await push("kept", ours.tagOf("v2"));
    const both = await push("both", ours.tagOf("v1"));
    await push("both", others.tagOf("v1"));
    await push("old", ours.tagOf("v0"));
    await push("another", "latest");
    const scope = { repositories: ["shop", "never-pushed"], tags: ours };
    const pruned = await pruneImages(client, scope, new Map([["shop", new Set(["v2"])]]), signal);
    expect(pruned).to.deep.include({ deleted: 1, isRefused: false, empty: ["never-pushed"] });
    expect(pruned.left).to.include.members([`shop@${kept.digest}`, `shop@${both.digest}`]);
    expect(await client.tags("shop", signal)).to.have.members([
      ...[ours.tagOf("v1"), ours.tagOf("v2"), others.tagOf("v1"), "latest"],
    ]);
  });

  it("is left in peace when it deletes nothing", async () => {
    const registry = await start({ auth: "token", deletes: false });
    for (const isAllowed of [true, false]) {
      registry.tokens!.allows = ({ action }) => isAllowed || action !== "delete";
      const client = clientOf(registry);
      const image = imageOf(await layer("old"));
      await pushImage(client, image, { repository: "shop", tag: "v1" }, signal);
      const scope = { repositories: ["shop"], tags: imageTags(undefined) };
      const pruned = await pruneImages(client, scope, new Map(), signal);
      expect(pruned).to.deep.equal({ deleted: 0, left: [], empty: [], isRefused: true });
      expect(await client.digestOf("shop", "v1", signal)).to.equal(image.digest);
    }
  });

  it("gets the images of another one, by the same digest, a layer that they share once", async () => {
    const [source, target] = [await start({ auth: "basic" }), await start({ auth: "token" })];
    const [from, to] = [clientOf(source), clientOf(target, { prefix: "" })];
    const base = await layer(randomBytes(3_000_000));
    const placed = new Map<string, string>();
    const copy = async (repository: string, digest: string): Promise<boolean> =>
      layers.inScratch(async (scratch) =>
        copyImage({ repository, digest }, { from, to, tag: "v1", placed, scratch }, signal),
      );
    for (const repository of ["first", "second"]) {
      const image = imageOf(base, await layer(repository));
      await pushImage(from, image, { repository, tag: "v1" }, signal);
      expect(await copy(repository, image.digest)).to.equal(true);
      expect(await copy(repository, image.digest), "again").to.equal(true);
      expect(await to.digestOf(repository, "v1", signal)).to.equal(image.digest);
      for (const { digest } of image.layers)
        expect(await to.hasBlob(repository, digest, signal)).to.equal(true);
    }
    expect(placed.get(base.digest)).to.equal("first");
    expect(await copy("first", `sha256:${"0".repeat(64)}`), "what is nowhere").to.equal(false);
  });
});
