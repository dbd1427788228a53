import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AppError } from "../../../../../core/errors/app-error.js";
import { ensureCertificate } from "../../../../../cli/start/registry/registry-certificate.js";
import { removeTree } from "../../../../../core/files/remove-tree.js";
import { makeImage, type Image } from "../../../../../server/builds/image/image.js";
import { imageTags } from "../../../../../server/builds/image/registry/image-tags.js";
import {
  pruneImages,
  type KeptImages,
  type Pruned,
} from "../../../../../server/builds/image/registry/prune-images.js";
import { pushImage } from "../../../../../server/builds/image/registry/push-image.js";
import { RegistryClient } from "../../../../../server/builds/image/registry/registry-client.js";
import type { RegistryAccess } from "../../../../../server/builds/image/registry/registry-access.js";
import type { Layer } from "../../../../../server/builds/image/layers/write-layer.js";
import { CuttingProxy } from "../../../../support/network/cutting-proxy.js";
import { freePort } from "../../../../support/network/free-port.js";
import { fillUp, mountSmall, unmount } from "../../../../support/running/small-disk.js";
import { TestRegistry } from "../../../../support/running/test-registry.js";

const OWNER = { uid: 5000, gid: 5000 };

describe("an image that is pushed to docker-registry", function () {
  this.timeout(60_000);
  let registry: TestRegistry | undefined;
  let folder: string;
  let disk: string | undefined;
  const signal = new AbortController().signal;

  before(async function () {
    registry = await TestRegistry.start(this);
  });
  after(async () => registry?.dispose());
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "sluice-push-"))));
  afterEach(async () => {
    await removeTree(folder);
    if (disk !== undefined) await unmount(disk);
    disk = undefined;
  });

  async function layer(at: string, files: Readonly<Record<string, string | Buffer>>): Promise<Layer> {
    const source = await mkdtemp(join(folder, "layer-"));
    for (const [name, content] of Object.entries(files)) await writeFile(join(source, name), content);
    return registry!.layers.write({ folder: source, at, owner: OWNER, modified: 0 }, signal);
  }

  function imageOf(...layers: Layer[]): Image {
    return makeImage(layers, { user: OWNER, workingFolder: "/app", architecture: "amd64" });
  }

  async function push(image: Image, repository: string, tag: string, client = registry!.client) {
    return pushImage(client, image, { repository, tag }, signal);
  }

  async function failure(work: Promise<unknown>): Promise<AppError> {
    return work.then(
      () => expect.fail("it went well"),
      (error: unknown) => error as AppError,
    );
  }

  function clientOf(access: Partial<RegistryAccess>): RegistryClient {
    return new RegistryClient({ ...registry!.access, ...access });
  }

  it("sends only what changed", async () => {
    const base = await layer("", { base: randomBytes(100_000) });
    const dependencies = await layer("app/node_modules", { dependency: randomBytes(50_000) });
    const app = await layer("app", { "server.js": "1" });
    const first = imageOf(base, dependencies, app);
    const { sentDigests } = await push(first, "shop", "v1");
    expect(sentDigests).to.have.members([...first.layers.map(({ digest }) => digest), first.configDigest]);
    expect(await push(first, "shop", "v1")).to.deep.equal({ sentDigests: [], sentBytes: 0 });
    const changed = await layer("app", { "server.js": "2" });
    const second = imageOf(base, dependencies, changed);
    const again = await push(second, "shop", "v2");
    expect(again.sentDigests).to.have.members([changed.digest, second.configDigest]);
    expect(again.sentBytes).to.equal(changed.bytes + second.config.length);
    expect(await registry!.client.digestOf("shop", "v2", signal)).to.equal(second.digest);
    expect(await registry!.client.tags("shop", signal)).to.have.members(["v1", "v2"]);
  });

  it("sends a layer that apps share once", async () => {
    const base = await layer("", { base: randomBytes(100_000) });
    const shared = { repository: "base", digests: new Set([base.digest]) };
    const sent: string[] = [];
    for (const repository of ["first", "second"]) {
      const image = imageOf(base, await layer("app", { name: repository }));
      const pushed = await pushImage(registry!.client, image, { repository, tag: "v1", shared }, signal);
      sent.push(...pushed.sentDigests);
      expect(await registry!.client.digestOf(repository, "v1", signal)).to.equal(image.digest);
    }
    expect(sent.filter((digest) => digest === base.digest)).to.have.length(1);
  });

  it("is sent again after its connection broke", async () => {
    const cutting = await CuttingProxy.start(registry!.access.address, 300_000, 2);
    const client = clientOf({ address: cutting.address });
    const image = imageOf(await layer("app", { large: randomBytes(1_000_000) }));
    try {
      await push(image, "broken", "v1", client);
      expect(cutting.cuts).to.equal(2);
      expect(await registry!.client.digestOf("broken", "v1", signal)).to.equal(image.digest);
    } finally {
      client.close();
      cutting.close();
    }
  });

  it("says what refuses it", async () => {
    const image = imageOf(await layer("app", { name: "any" }));
    const path = process.env["PATH"] ?? "";
    const ca = await ensureCertificate({ folder, hosts: ["127.0.0.1"], path, now: Date.now() });
    const cases: [Partial<RegistryAccess>, string][] = [
      [{ password: "wrong" }, "registry-login-refused"],
      [{ ca }, "registry-untrusted"],
      [{ address: `127.0.0.1:${await freePort()}` }, "registry-unreachable"],
      // It listens at its own address only, and its certificate is for no other name.
      [{ address: registry!.access.address.replace("127.0.0.1", "127.0.0.2") }, "registry-unreachable"],
      [{ address: registry!.access.address.replace("127.0.0.1", "localhost") }, "registry-untrusted"],
    ];
    for (const [access, code] of cases) {
      const client = clientOf(access);
      const error = await failure(push(image, "refused", "v1", client));
      expect(error.code, JSON.stringify(access).slice(0, 60)).to.equal(code);
      expect(`${error.message} ${error.hint}`).not.to.contain(registry!.access.password);
      client.close();
    }
  });

  it("is given up when the release is", async () => {
    const silent = createServer(() => undefined);
    const port = await freePort();
    silent.listen(port, "127.0.0.1");
    const client = clientOf({ address: `127.0.0.1:${port}` });
    const reason = new Error("too late");
    const image = imageOf(await layer("app", { name: "any" }));
    const abort = new AbortController();
    setTimeout(() => abort.abort(reason), 100);
    const pushing = pushImage(client, image, { repository: "late", tag: "v1" }, abort.signal);
    expect(await failure(pushing)).to.equal(reason);
    client.close();
    silent.close();
  });

  it("says that the registry's disk is full, and is sent once there is room", async function () {
    disk = await mountSmall("size=20m");
    if (disk === undefined) return this.skip();
    const small = await TestRegistry.start(this, disk);
    const source = join(folder, "large");
    await mkdir(source);
    await writeFile(join(source, "large"), randomBytes(4_000_000));
    const image = imageOf(
      await registry!.layers.write({ folder: source, at: "app", owner: OWNER, modified: 0 }, signal),
    );
    try {
      const full = fillUp(disk);
      expect((await failure(push(image, "full", "v1", small.client))).code).to.equal("registry-full");
      await full.stop();
      await push(image, "full", "v1", small.client);
    } finally {
      await small.dispose();
    }
  });

  it("stays whole when garbage is collected, if a release has it", async () => {
    const { client, service } = registry!;
    const shared = await layer("", { base: randomBytes(10_000) });
    const onlyOld = await layer("app", { name: "old" });
    const [old, kept] = [imageOf(shared, onlyOld), imageOf(shared, await layer("app", { name: "kept" }))];
    await push(old, "garbage", "v1");
    await push(kept, "garbage", "v2");
    const keptOfOthers = new Map<string, Set<string>>();
    for (const repository of await client.repositories(signal)) {
      const digests = (await client.tags(repository, signal)).map(async (tag) =>
        client.digestOf(repository, tag, signal),
      );
      keptOfOthers.set(
        repository,
        new Set((await Promise.all(digests)).filter((each) => each !== undefined)),
      );
    }
    const unknown = new Map<string, ReadonlySet<string> | "all">(keptOfOthers).set("garbage", "all");
    const scope = { repositories: await client.repositories(signal), tags: imageTags(undefined) };
    const prune = async (names: KeptImages): Promise<Pruned> => pruneImages(client, scope, names, signal);
    const deletedOf = async (names: ReadonlyMap<string, ReadonlySet<string> | "all">): Promise<number> =>
      (await prune(names)).deleted;
    expect(await deletedOf(unknown), "nobody knows which are needed").to.equal(0);
    const byTags = new Map(keptOfOthers).set("garbage", new Set(["v1", "v2"]));
    expect(await deletedOf(byTags), "both have a tag that is needed").to.equal(0);
    const pruned = await prune(keptOfOthers.set("garbage", new Set([kept.digest])));
    expect(pruned.deleted).to.equal(1);
    expect(pruned.left.filter((name) => name.startsWith("garbage@"))).to.deep.equal([
      `garbage@${kept.digest}`,
    ]);
    await service.collectGarbage(signal);
    expect(await client.digestOf("garbage", "v1", signal)).to.equal(undefined);
    expect(await client.digestOf("garbage", "v2", signal)).to.equal(kept.digest);
    for (const { digest } of kept.layers)
      expect(await client.hasBlob("garbage", digest, signal)).to.equal(true);
    expect(await client.hasBlob("garbage", onlyOld.digest, signal)).to.equal(false);
    // What was removed is sent again: nothing remembers that it was there.
    const { sentDigests } = await push(old, "garbage", "v3");
    expect(sentDigests).to.include(onlyOld.digest).and.not.to.include(shared.digest);
  });
});
