import { expect } from "chai";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { CLEANER_SCRIPT } from "../../../../../server/engines/swarm/cleaning/cleaner-script.js";

const REGISTRY = "10.0.0.2:5443";
const LABEL = "sluice.cleaner=me";

describe("what removes old images from a host", function () {
  this.timeout(20_000);
  let folder: string;
  let docker: Server;
  let asked: string[];
  let images: object[];
  /** What a container has. */
  let inUse: string[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "cleaner-"));
    [asked, images, inUse] = [[], [], []];
    let layers = 5000;
    docker = createServer(({ method = "", url = "" }, response) => {
      const path = decodeURIComponent(url);
      if (method === "DELETE") asked.push(path);
      const isRefused = inUse.some((name) => path.endsWith(name));
      response.statusCode = isRefused ? 409 : 200;
      if (path.startsWith("/containers/json")) response.end(JSON.stringify([{ Id: "ended" }]));
      else if (path === "/images/json") response.end(JSON.stringify(images));
      else if (path === "/system/df") response.end(JSON.stringify({ LayersSize: (layers -= 1000) }));
      else response.end("[]");
    });
    await new Promise<void>((resolve) => docker.listen(join(folder, "docker.sock"), resolve));
  });
  afterEach(async () => {
    docker.close();
    await rm(folder, { recursive: true });
  });

  const clean = async (...kept: string[]): Promise<string> => {
    const args = [join(folder, "docker.sock"), REGISTRY, LABEL, "0", "10", ...kept];
    return (await execa("node", ["-e", CLEANER_SCRIPT, ...args])).stdout;
  };

  it("removes those of its registry that are not kept, and counts what Docker let go", async () => {
    images = [
      { RepoDigests: [`${REGISTRY}/shop@sha256:1`, `${REGISTRY}/blog@sha256:1`], RepoTags: null },
      { RepoDigests: [`${REGISTRY}/shop@sha256:2`], RepoTags: [`${REGISTRY}/shop:<none>`] },
      { RepoDigests: [`${REGISTRY}/shop@sha256:3`], RepoTags: [] },
      { RepoDigests: null, RepoTags: [`${REGISTRY}/shop:v1`] },
    ];
    inUse = ["sha256:3"];
    expect(await clean("shop@sha256:2", "blog@sha256:1")).to.equal("removed 2 1000");
    expect(asked).to.deep.equal([
      "/containers/ended",
      `/images/${REGISTRY}/shop@sha256:1`,
      `/images/${REGISTRY}/shop@sha256:3`,
      `/images/${REGISTRY}/shop:v1`,
    ]);
  });

  it("leaves alone what is of another registry, or of none", async () => {
    images = [
      { RepoDigests: ["10.0.0.2:5000/shop@sha256:1"], RepoTags: ["debian:12"] },
      { RepoDigests: ["<none>@<none>"], RepoTags: ["<none>:<none>"] },
    ];
    expect(await clean()).to.equal("removed 0 0");
    expect(asked).to.deep.equal(["/containers/ended"]);
  });

  it("fails when there is no Docker, and does not wait for one that is silent", async () => {
    const script = ["-e", CLEANER_SCRIPT];
    const absent = await execa("node", [...script, join(folder, "absent"), REGISTRY, LABEL, "0", "10"], {
      reject: false,
    });
    expect(absent.exitCode).to.equal(1);
    images = [{ RepoDigests: [`${REGISTRY}/shop@sha256:1`], RepoTags: null }];
    const waiting = [join(folder, "docker.sock"), REGISTRY, LABEL, "60", "0.2"];
    expect((await execa("node", [...script, ...waiting], { reject: false })).exitCode).to.equal(1);
  });
});
