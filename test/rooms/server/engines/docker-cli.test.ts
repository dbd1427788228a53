import { expect } from "chai";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAppError } from "../../../../core/errors/app-error.js";
import { removeTree } from "../../../../core/files/remove-tree.js";
import { DockerCli } from "../../../../server/engines/docker-cli.js";
import { processesWith } from "../../../support/running/processes-with.js";

describe("Docker's command", () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "sluice-docker-"))));
  afterEach(async () => removeTree(folder));

  /** `script`: what stands in the place of Docker. */
  async function dockerThat(script: string): Promise<DockerCli> {
    await writeFile(join(folder, "docker"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return DockerCli.open({
      ...{ socket: "/nowhere", folder: join(folder, "settings"), networkEnv: {}, patienceMs: 300 },
      path: `${folder}:/usr/bin:/bin`,
      login: { username: "user", password: "s3cret", serveraddress: "registry.test:5443" },
    });
  }

  async function failure(running: Promise<unknown>): Promise<string> {
    return running.then(
      () => expect.fail("it went well"),
      (error: unknown) => (isAppError(error, "docker-failed") ? error.message : String(error)),
    );
  }

  it("is given up when Docker is silent, and leaves no process", async () => {
    const docker = await dockerThat("sleep 1000\nexit 0");
    expect(await failure(docker.output(["create", "x"], "own"))).to.equal(
      "docker create failed: no answer within 0.3 s",
    );
    expect(await processesWith(folder)).to.deep.equal([]);
  });

  it("ends with what limits it, and says that", async () => {
    const docker = await dockerThat("exec sleep 1000");
    const signal = AbortSignal.abort(new Error("the step is over"));
    expect(await failure(docker.output(["push", "x"], "own", signal))).to.include("the step is over");
  });

  it("says what Docker said when it failed", async () => {
    const docker = await dockerThat("echo 'no such image' >&2; exit 1");
    expect(await failure(docker.output(["inspect", "x"], "own"))).to.equal(
      "docker inspect failed: no such image",
    );
  });

  it("has the registry's password only for what Sluice itself decides", async () => {
    const docker = await dockerThat('cat "$DOCKER_CONFIG/config.json"');
    const auth = Buffer.from("user:s3cret").toString("base64");
    expect(await docker.output(["pull"], "own")).to.include(auth);
    expect(await docker.output(["build"], "foreign")).to.equal("{}");
  });
});
