import { expect } from "chai";
import { execa } from "execa";
import { mkdtemp, readFile, rm, writeFile, chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../../support/eventually.js";
import { freePort } from "../../support/network/free-port.js";
import { processesWith } from "../../support/running/processes-with.js";
import { httpGet } from "../../support/running/test-sluice.js";

const REPOSITORY = new URL("../../..", import.meta.url).pathname;

/** As README says it, in a fresh clone. */
describe("npm start", function () {
  this.timeout(240_000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-start-"));
    await chmod(folder, 0o711);
  });
  after(async () => rm(folder, { recursive: true, force: true }));

  it("shows the sample app live, takes a changed one, and leaves nothing after Ctrl-C", async () => {
    const clone = join(folder, "sluice");
    await execa("git", ["clone", "--quiet", REPOSITORY, clone]);
    expect(await readFile(join(clone, "README.md"), "utf8")).to.match(/^npm start\b/m);
    const [http, control, ssh] = [await freePort(), await freePort(), await freePort()];
    const home = join(folder, "home");
    const env = {
      SLUICE_HOME: home,
      SLUICE_HTTP_PORT: String(http),
      SLUICE_CONTROL_PORT: String(control),
      SLUICE_SSH_PORT: String(ssh),
    };
    const start = execa("npm", ["start"], { cwd: clone, env, all: true, reject: false, detached: true });
    let output = "";
    start.all.on("data", (chunk: Buffer) => (output += chunk.toString()));
    await eventually(
      () => `it is live: ${output}`,
      () => output.includes("Ctrl-C stops everything"),
      200_000,
    );
    const [url = ""] = /http:\/\/hello\.localhost:\d+/.exec(output) ?? [];
    expect(url).to.equal(`http://hello.localhost:${http}`);
    expect(await httpGet(http, "/", { host: "hello.localhost" })).to.include({ status: 200 });
    expect(JSON.parse((await httpGet(http, "/version", {})).body)).to.include({
      release: "v1",
      app: "hello",
    });

    const [, demo = ""] = /cd (\S+) &&/.exec(output) ?? [];
    await writeFile(join(demo, "note.txt"), "changed");
    await execa("git", ["-C", demo, "add", "--all"]);
    await execa("git", [
      "-C",
      demo,
      "-c",
      "user.name=x",
      "-c",
      "user.email=x@localhost",
      "commit",
      "--quiet",
      "--message",
      "change",
    ]);
    const push = await execa("git", ["-C", demo, "push", "sluice", "master"], { all: true });
    expect(push.all)
      .to.include("unchanged, taken from the cache")
      .and.to.include("lint passed")
      .and.to.include("test passed");
    expect((await httpGet(http, "/version", { host: "hello.localhost" })).headers).to.include({
      "sluice-release": "v2",
    });

    if (start.pid !== undefined) process.kill(-start.pid, "SIGINT");
    await start;
    expect(output).to.include("stopping everything");
    expect(await processesWith(home)).to.deep.equal([]);
    for (const port of [http, control, ssh]) await refuses(port);
  });
});

async function refuses(port: number): Promise<void> {
  const error: unknown = await httpGet(port, "/", {}).catch((reason: unknown) => reason);
  expect(error).to.be.instanceOf(Error).with.property("code", "ECONNREFUSED");
}
