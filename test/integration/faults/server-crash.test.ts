import { expect } from "chai";
import { Redis } from "ioredis";
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../../support/eventually.js";
import { leftoversOf } from "../../support/running/leftovers.js";
import { startLoad } from "../../support/running/load.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { TINY_SERVER, tinyApp } from "../../support/git/tiny-app.js";
import { Upgraded } from "../../support/network/upgraded.js";

const MARK = "the-step-is-under-way";
/** By the command itself; a heading may show the command. */
const SAID = new RegExp(`^ +${MARK}$`, "m");
const HANGS = `echo ${MARK}; sleep 300`;
const APP_JSON = { sluice: { standbySeconds: 0 } };

interface Summary {
  release: string;
  phase: string;
  traffic: string;
  error?: string;
}

/** Kills the server in the middle of every step; the traffic must not notice, and the release is finished or undone. */
describe("a server that is killed (-9)", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  before(async () => (sluice = await TestSluice.start()));
  after(async () => sluice.dispose());

  const undone: Record<
    string,
    {
      files: Record<string, string>;
      phase: string;
      isThere?: (app: string, output: string) => Promise<boolean>;
    }
  > = {
    checkout: {
      files: Object.fromEntries(
        Array.from({ length: 4000 }, (_, index) => [`many/${index % 50}/${index}.txt`, `${index}`]),
      ),
      phase: "queued",
      isThere: async (app) => exists(join(sluice.home, "apps", app, "releases/v2/tree/many")),
    },
    dependencies: {
      files: withPackage(
        { scripts: { preinstall: HANGS }, dependencies: { nothing: "file:./nothing" } },
        { "nothing/package.json": '{"name": "nothing", "version": "1.0.0"}' },
      ),
      phase: "checked-out",
    },
    gates: { files: withPackage({ scripts: { lint: HANGS } }), phase: "installed" },
    build: { files: withPackage({ scripts: { build: HANGS } }), phase: "gated" },
    "the release command": {
      files: { Procfile: `web: node server.js\nrelease: ${HANGS}\n` },
      phase: "built",
    },
    "the health check": {
      files: { "server.js": `setTimeout(() => {${TINY_SERVER}}, 20000);` },
      phase: "started",
      isThere: async (_app, output) => output.includes("-----> Health"),
    },
  };

  for (const [step, { files, phase, isThere }] of Object.entries(undone)) {
    it(`during ${step}: takes the release back when it returns, and the traffic never stopped`, async () => {
      const app = `c-${step.replace(/\W+/g, "-")}`;
      const clone = await liveApp(app);
      const load = startLoad(sluice.httpPort, app);
      await clone.commit(files);
      const push = clone.startPush();
      await eventually(`${step} is under way: ${push.output()}`, async () =>
        isThere ? isThere(app, push.output()) : SAID.test(push.output()),
      );
      await sluice.kill();
      const { status, output } = await push.done;
      expect(status).not.to.equal(0);
      expect(output).to.match(/The Sluice server closed the connection|unexpected disconnect|hung up/);
      await sluice.up();
      expect((await load.stop()).failures).to.deep.equal([]);
      await eventually("v2 is taken back", async () => {
        expect(await releases(app)).to.deep.equal(["v2 failed no", "v1 settled live"]);
        return true;
      });
      const [failed] = await sluice.read<Summary[]>(`apps/${app}/releases`);
      expect(failed?.error).to.include(`while this release was in the phase ${phase}`);
      expect(await clone.git("ls-remote", "sluice", "master")).not.to.include(
        await clone.git("rev-parse", "HEAD"),
      );
      await onlyRuns(app, 1);
      await eventually("its tree is gone", async () => {
        expect((await leftoversOf(sluice, app)).trees).to.deep.equal(["v1"]);
        return true;
      });
      await pushWorks(clone, app, 3);
    });
  }

  it("between the push's acceptance and the switch: finishes the release", async () => {
    const clone = await liveApp("c-accepted");
    const load = startLoad(sluice.httpPort, "c-accepted");
    await clone.commit({ note: "2" });
    const freeze = await freezeRedisWhen(sluice, '\\"phase\\":\\"healthy\\"');
    const push = clone.startPush();
    await freeze.frozen;
    await eventually(
      "git has moved the branch",
      async () => (await branchOnDisk(sluice, "c-accepted")) === (await clone.git("rev-parse", "HEAD")),
    );
    await sluice.kill();
    await freeze.thaw();
    await push.done;
    await sluice.up();
    await eventually("v2 is finished", async () => (await releases("c-accepted"))[0] === "v2 settled live");
    expect((await sluice.get("c-accepted")).body).to.equal("v2 web.1");
    expect((await load.stop()).failures).to.deep.equal([]);
    await eventually("v1 retires", async () => (await releases("c-accepted")).includes("v1 retired no"));
    await onlyRuns("c-accepted", 2);
  });

  it("during the switch (a proxy has not answered yet): finishes the release", async () => {
    const clone = await liveApp("c-live");
    await clone.commit({ note: "2" });
    const { proxy } = await sluice.read<{ proxy: { pid: number } }>("status");
    const workers = (await readFile(`/proc/${proxy.pid}/task/${proxy.pid}/children`, "utf8"))
      .trim()
      .split(" ")
      .map(Number);
    const push = clone.startPush();
    await eventually("the health check runs", () => push.output().includes("-----> Health"));
    for (const pid of workers) process.kill(pid, "SIGSTOP");
    try {
      await eventually(
        "the table names v2",
        async () => (await branchOnDisk(sluice, "c-live")) === (await clone.git("rev-parse", "HEAD")),
      );
      await sluice.kill();
    } finally {
      for (const pid of workers) process.kill(pid, "SIGCONT");
    }
    await push.done;
    await sluice.up();
    await eventually(
      "v2 is live and v1 has retired",
      async () => (await releases("c-live")).join() === "v2 settled live,v1 retired no",
    );
    expect((await sluice.get("c-live")).body).to.equal("v2 web.1");
    await onlyRuns("c-live", 2);
  });

  it("after the switch, during postdeploy: finishes the release", async () => {
    const clone = await liveApp("c-settle");
    const load = startLoad(sluice.httpPort, "c-settle");
    const ran = join(sluice.shared, "ran");
    const script = `test -e ${ran} || { touch ${ran}; ${HANGS}; }`;
    await clone.commit({
      "app.json": JSON.stringify({ ...APP_JSON, scripts: { dokku: { postdeploy: script } } }),
    });
    const push = clone.startPush();
    await eventually("postdeploy runs", () => SAID.test(push.output()));
    await sluice.kill();
    await push.done;
    await sluice.up();
    expect((await sluice.get("c-settle")).body).to.equal("v2 web.1");
    expect((await load.stop()).failures).to.deep.equal([]);
    await eventually(
      "v2 is settled and v1 has retired",
      async () => (await releases("c-settle")).join() === "v2 settled live,v1 retired no",
    );
    await onlyRuns("c-settle", 2);
  });

  it("while an old release drains: goes on draining", async () => {
    const clone = await liveApp("c-drain");
    const socket = await Upgraded.open(sluice.httpPort, "c-drain");
    await clone.commit({ note: "2" });
    await clone.mustPush();
    await sluice.kill();
    expect(await socket.echo("unhurt")).to.equal("v1");
    await sluice.up();
    expect(await socket.echo("still")).to.equal("v1");
    expect(await sluice.instances()).to.include("c-drain.v1.web.1");
    socket.close();
    await eventually("v1 retires", async () => (await releases("c-drain")).includes("v1 retired no"));
    await onlyRuns("c-drain", 2);
  });

  it("during a rollback: finishes it", async () => {
    const clone = await liveApp("c-back", { "server.js": `setTimeout(() => {${TINY_SERVER}}, 1500);` });
    await clone.commit({ "server.js": TINY_SERVER });
    await clone.mustPush();
    await eventually("v1 retires", async () => (await releases("c-back")).includes("v1 retired no"));
    const load = startLoad(sluice.httpPort, "c-back");
    const rollback = sluice.cli("rollback", "c-back");
    await eventually("v1 starts", async () => (await sluice.instances()).includes("c-back.v1.web.1"));
    await sluice.kill();
    const { status, stderr } = await rollback;
    expect(status).to.equal(1);
    expect(stderr).to.match(
      /closed the connection before the command finished\.\n.*`sluice status` shows which/,
    );
    await sluice.up();
    await eventually("v1 serves", async () => (await sluice.get("c-back")).body === "v1 web.1");
    expect((await load.stop()).failures).to.deep.equal([]);
    await eventually(
      "v2 retires",
      async () => (await releases("c-back")).join() === "v2 retired no,v1 settled live",
    );
    await onlyRuns("c-back", 1);
  });

  async function liveApp(app: string, files: Record<string, string> = {}): Promise<TestClone> {
    const clone = await sluice.clone(app, tinyApp({ "app.json": JSON.stringify(APP_JSON), ...files }));
    await clone.mustPush();
    return clone;
  }

  async function releases(app: string): Promise<string[]> {
    return (await sluice.read<Summary[]>(`apps/${app}/releases`)).map(
      ({ release, phase, traffic }) => `${release} ${phase} ${traffic}`,
    );
  }

  async function onlyRuns(app: string, number: number): Promise<void> {
    const id = `${app}.v${number}.web.1`;
    // HAProxy lets a server go when it has swept.
    await eventually(`only ${id} is left`, async () => {
      const { jobs, instances, servers } = await leftoversOf(sluice, app);
      expect({ jobs, instances, servers }).to.deep.equal({ jobs: [], instances: [id], servers: [id] });
      return true;
    });
  }

  async function pushWorks(clone: TestClone, app: string, number: number): Promise<void> {
    await clone.git("reset", "--quiet", "--hard", "HEAD~1");
    await clone.commit({ note: "fixed" });
    const push = await clone.push("+HEAD:master");
    expect(push.status, push.output).to.equal(0);
    expect((await sluice.get(app)).body).to.equal(`v${number} web.1`);
  }
});

/** A package.json with a lockfile that fits. */
function withPackage(
  packageJson: { scripts: Record<string, string>; dependencies?: Record<string, string> },
  more: Record<string, string> = {},
): Record<string, string> {
  const root = { name: "tiny", version: "1.0.0", ...packageJson };
  const nothing = {
    nothing: { name: "nothing", version: "1.0.0" },
    "node_modules/nothing": { resolved: "nothing", link: true },
  };
  const lock = {
    name: "tiny",
    version: "1.0.0",
    lockfileVersion: 3,
    requires: true,
    packages: { "": root, ...(packageJson.dependencies ? nothing : {}) },
  };
  return { "package.json": JSON.stringify(root), "package-lock.json": JSON.stringify(lock), ...more };
}

/** Stops Redis' writes as soon as it is told something that contains `text`. */
async function freezeRedisWhen(
  sluice: TestSluice,
  text: string,
): Promise<{ frozen: Promise<void>; thaw(): Promise<void> }> {
  const password = (await readFile(join(sluice.home, "redis/password"), "utf8")).trim();
  const redis = new Redis({ path: join(sluice.home, "redis/redis.sock"), password });
  const monitor = await redis.monitor();
  const frozen = new Promise<void>((resolve, reject) => {
    monitor.on("monitor", (_time: string, args: string[]) => {
      if (!args.join(" ").includes(text.replaceAll("\\", ""))) return;
      monitor.disconnect();
      redis.call("CLIENT", "PAUSE", "20000", "WRITE").then(() => resolve(), reject);
    });
  });
  return {
    frozen,
    thaw: async () => {
      await redis.call("CLIENT", "UNPAUSE");
      redis.disconnect();
    },
  };
}

async function branchOnDisk(sluice: TestSluice, app: string): Promise<string> {
  return (await readFile(join(sluice.home, "apps", app, "repo.git/refs/heads/master"), "utf8")).trim();
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
