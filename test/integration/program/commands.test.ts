import { expect } from "chai";
import { execa } from "execa";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../../support/eventually.js";
import { TestSluice, isAlive } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

const BIN = new URL("../../../bin/sluice", import.meta.url).pathname;

describe("sluice", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  before(async () => {
    sluice = await TestSluice.start();
    const clone = await sluice.clone("shop", tinyApp());
    await clone.mustPush();
    await clone.commit({ note: "2" });
    await clone.mustPush();
  });
  after(async () => sluice.dispose());

  it("ends quietly when nobody reads on", async () => {
    const { env } = sluice;
    const { stdout, stderr } = await execa("sh", ["-c", `"$0" status --json | true`, BIN], { env });
    expect([stdout, stderr]).to.deep.equal(["", ""]);
  });

  it("status tells what runs, and its JSON keeps its keys", async () => {
    const status = await sluice.json<Record<string, unknown>>("status");
    expect(status).to.have.all.keys(
      "version",
      "pid",
      "home",
      "memoryMegabytes",
      "proxy",
      "proxies",
      "redis",
      "appsRedis",
      "alert",
      "recovering",
      "disk",
      "apps",
    );
    expect(status["pid"]).to.equal(await sluice.pid());
    expect(status["proxy"])
      .to.include({ state: "up", port: sluice.httpPort })
      .and.to.have.all.keys("state", "pid", "port", "revision");
    expect(status["redis"]).to.include({ state: "up" }).and.to.have.all.keys("state", "pid");
    expect(status["appsRedis"]).to.include({ state: "up" }).and.to.have.all.keys("state", "pid");
    const [app] = status["apps"] as Record<string, unknown>[];
    expect(app).to.have.all.keys("app", "url", "tracks", "instances");
    expect(app).to.include({ app: "shop", url: `http://shop.localhost:${sluice.httpPort}` });
    expect((await sluice.cli("status")).stdout).to.match(
      /^server {3}up, process \d+.*\nproxy {4}up.*\nredis {4}up/,
    );
  });

  it("--json is what the API answers", async () => {
    const paths = {
      apps: ["apps"],
      "apps/shop/releases": ["releases", "shop"],
      "apps/shop/scale": ["scale", "shop"],
      alerts: ["alerts"],
    };
    for (const [path, args] of Object.entries(paths)) {
      const keysOf = (value: unknown): unknown => Object.keys([value].flat()[0] as object);
      expect(keysOf(await sluice.json(...args)), path).to.deep.equal(keysOf(await sluice.read(path)));
    }
  });

  it("releases lists them, newest first, and its JSON keeps its keys", async () => {
    const [newest, before] = await sluice.json<Record<string, unknown>[]>("releases", "shop");
    expect(newest).to.have.all.keys("release", "commit", "branch", "track", "phase", "traffic", "at", "by");
    expect(newest).to.include({
      release: "v2",
      branch: "master",
      track: "production",
      phase: "settled",
      traffic: "live",
      by: "admin",
    });
    expect(before).to.include({ release: "v1", traffic: "standby" });
    expect((await sluice.cli("releases", "shop")).stdout.split("\n")[1]).to.match(
      /^v2 +[0-9a-f]{10} +production +live/,
    );
  });

  it("logs shows what instances wrote and what a release's making said, and follows", async () => {
    expect((await sluice.cli("logs", "shop")).stdout).to.match(/Z v2 web\.1 \| listening \d+/);
    expect((await sluice.cli("logs", "shop", "--release", "v1")).stdout).to.match(
      /^v1 release \| -----> Checking out/,
    );
    const following = execa(process.execPath, [BIN, "logs", "shop", "--follow", "--lines", "0"], {
      env: sluice.env,
      extendEnv: false,
      reject: false,
    });
    let text = "";
    following.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await eventually(
      "a new line arrives",
      async () => {
        await sluice.cli("rollback", "shop");
        await sluice.cli("rollback", "shop", "v2");
        await sluice.get("shop", "/crash").catch(() => undefined);
        return text.includes("listening");
      },
      60_000,
    );
    following.kill("SIGINT");
    await following;
  });

  it("config, tokens and keys say what they changed, and refuse what they must", async () => {
    expect((await sluice.cli("config", "shop", "COLOR=dark red")).status).to.equal(0);
    expect((await sluice.cli("config", "shop")).stdout).to.equal("COLOR=dark red");
    expect((await sluice.cli("config", "shop", "--unset", "COLOR")).status).to.equal(0);
    expect(await sluice.json("config", "shop")).to.deep.equal({});
    expect(await sluice.cli("config", "shop", "PORT=1")).to.include({ status: 1 });
    const made = await sluice.cli("tokens", "create", "laptop");
    const [token = "", id = ""] = [made.stdout.split("\n")[0], /id (\w+)/.exec(made.stdout)?.[1]];
    expect((await sluice.control("/api/apps", { authorization: `Bearer ${token}` })).status).to.equal(200);
    await sluice.cli("tokens", "remove", id);
    expect((await sluice.control("/api/apps", { authorization: `Bearer ${token}` })).status).to.equal(401);
    expect((await sluice.control("/api/apps")).status).to.equal(401);
  });

  it("keeps no token or secret in records, logs or process lists", async () => {
    const { stdout } = await sluice.cli("tokens", "create", "hidden");
    const [token = ""] = stdout.split("\n");
    await sluice.cli("config", "shop", "PASSWORD=very-secret-word");
    const kept = await Promise.all(
      ["redis/appendonlydir/appendonly.aof.1.incr.aof", "server.log"].map((file) =>
        readFile(join(sluice.home, file), "utf8"),
      ),
    );
    const processes = await execa("ps", ["-eo", "args"]);
    for (const text of [...kept, processes.stdout])
      expect(text).not.to.include(token).and.not.to.include("very-secret-word");
  });

  it("answers wrong usage with 2, and a failure with 1, a message and a hint", async () => {
    for (const args of [
      ["bogus"],
      ["releases"],
      ["destroy", "shop"],
      ["up", "--roles", "cook"],
      ["logs", "shop", "--lines", "x"],
    ]) {
      expect(await sluice.cli(...args), args.join(" ")).to.include({ status: 2, stdout: "" });
    }
    const failed = await sluice.cli("releases", "nope");
    expect(failed).to.include({ status: 1, stdout: "" });
    expect(failed.stderr).to.equal(' !     There is no app "nope" here.\n !     Apps here: shop.');
  });

  it("doctor finds nothing wrong", async () => {
    const { status, stdout } = await sluice.cli("doctor");
    expect(status).to.equal(0);
    expect(stdout.split("\n").every((line) => line.startsWith("ok  "))).to.equal(true);
  });

  it("hooks install puts lint and test in front of a clone's commits", async () => {
    const clone = await sluice.clone(
      "hooked",
      tinyApp({ "package.json": '{"scripts": {"lint": "node lint.js"}}', "lint.js": "process.exit(0)" }),
    );
    const install = await execa(process.execPath, [BIN, "hooks", "install"], {
      cwd: clone.folder,
      env: sluice.env,
      extendEnv: false,
    });
    expect(install.stdout).to.include("installed");
    const declined = await execa("git", ["-C", clone.folder, "commit", "--allow-empty", "-m", "x"], {
      env: sluice.env,
      extendEnv: false,
      reject: false,
    });
    expect(declined.exitCode).to.equal(0);
    await expectDeclined(clone.folder, sluice.env);
  });

  it("destroy removes an app with all that was made for it", async () => {
    await (await sluice.clone("gone", tinyApp())).mustPush();
    const { pid } = (await sluice.json<{ app: string; instances: { pid: number }[] }[]>("apps")).find(
      ({ app }) => app === "gone",
    )?.instances[0] ?? { pid: 0 };
    expect(await sluice.cli("destroy", "gone", "--yes")).to.include({ status: 0 });
    expect(await isAlive(pid)).to.equal(false);
    expect((await sluice.get("gone")).status).to.equal(404);
    expect((await sluice.cli("apps")).stdout).not.to.include("gone");
  });

  it("down stops everything, up finds it all again", async () => {
    const before = await sluice.get("shop");
    expect((await sluice.cli("down")).stdout).to.equal("Sluice has stopped.");
    expect((await sluice.cli("down")).stdout).to.equal("Nothing was running.");
    const refused: unknown = await sluice.get("shop").catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(Error);
    await sluice.up();
    expect(
      (
        await eventually(
          "the app answers",
          async () => (await sluice.get("shop")).status === 200 && sluice.get("shop"),
        )
      ).body,
    ).to.equal(before.body);
  });

  it("down --keep-traffic stops the server alone, for an upgrade", async () => {
    const pid = await sluice.pid();
    expect((await sluice.cli("down", "--keep-traffic")).status).to.equal(0);
    await eventually("the server is gone", async () => !(await isAlive(pid)));
    expect((await sluice.get("shop")).status).to.equal(200);
    const status = await sluice.cli("status");
    expect(status.stderr).to.include("No Sluice server answers").and.to.include("sluice up --detach");
    await sluice.up();
    expect((await sluice.get("shop")).status).to.equal(200);
  });
});

async function expectDeclined(folder: string, env: Record<string, string>): Promise<void> {
  const git = async (...args: string[]) =>
    execa("git", ["-C", folder, ...args], { env, extendEnv: false, reject: false, all: true });
  await execa("sh", ["-c", "echo 'process.exit(1)' > lint.js"], { cwd: folder });
  await git("add", "lint.js");
  const { exitCode, all } = await git("commit", "-m", "bad");
  expect(exitCode).not.to.equal(0);
  expect(all).to.include("lint failed (status 1): the commit was not made");
}
