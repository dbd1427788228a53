import { expect } from "chai";
import { rm, writeFile } from "node:fs/promises";
import { Agent } from "node:http";
import { join } from "node:path";
import { expectAccepted } from "../../support/accepted.js";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import { startLoad } from "../../support/running/load.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { throughout } from "../../support/throughout.js";
import { TINY_SERVER, tinyApp } from "../../support/git/tiny-app.js";
import { Upgraded } from "../../support/network/upgraded.js";

const APP = "shop";
const SETTINGS = {
  standbySeconds: 0,
  previews: { sleepSeconds: 2, env: { GREETING: "from the preview" }, memoryMegabytes: 128 },
};
const PROCFILE = "web: node server.js\nworker: exec sleep 1000\n";

/** Answers on for a while after TERM, as one with much to put away does. */
const SLOW_MS = 2500;
const SLOW_TO_END = `
require("node:http").createServer((_, response) => response.end(process.env.RELEASE)).listen(process.env.PORT);
process.on("SIGTERM", () => setTimeout(() => process.exit(0), ${SLOW_MS}));`;

const appJson = (previews: object = SETTINGS.previews): string =>
  JSON.stringify({
    formation: { web: { quantity: 2 }, worker: { quantity: 1 } },
    sluice: { ...SETTINGS, previews },
  });

interface Summary {
  readonly tracks: readonly { track: string; asleep: boolean }[];
  readonly instances: readonly { id: string }[];
}

describe("a preview", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  let clone: TestClone;
  before(async () => {
    sluice = await TestSluice.start({});
    clone = await sluice.clone(APP, tinyApp({ Procfile: PROCFILE, "app.json": appJson() }));
    await clone.mustPush();
  });
  after(async () => sluice.dispose());

  const summary = async (): Promise<Summary> => {
    const [first] = await sluice.read<Summary[]>("apps");
    if (first === undefined) throw new Error("there is no app");
    return first;
  };
  const instancesOf = async (release: string): Promise<string[]> =>
    (await summary()).instances.map(({ id }) => id).filter((id) => id.includes(`.${release}.`));
  const asleep = async (release: string): Promise<void> => {
    await eventually(`${release} sleeps`, async () => (await instancesOf(release)).length === 0);
  };
  /** Pushes a new commit to a branch; resolves to its release. */
  const preview = async (branch: string, files: Record<string, string> = {}): Promise<string> => {
    const own = { "server.js": TINY_SERVER, "app.json": appJson(), note: String(Math.random()) };
    await clone.commit({ ...own, ...files });
    const push = await clone.push(`+HEAD:${branch}`);
    expectAccepted(push);
    const [, url, release = ""] = /Live: (\S+) \((v\d+), /.exec(push.output) ?? [];
    expect(url).to.equal(`http://${branch}.${APP}.localhost:${sluice.httpPort}`);
    return release;
  };

  it("has one web process, the settings of previews, and a URL of its own", async () => {
    const release = await preview("feature");
    await eventually("one instance of it runs", async () => {
      // It may sleep already.
      await sluice.get("feature.shop");
      expect(await instancesOf(release)).to.deep.equal([`shop.${release}.web.1`]);
      return true;
    });
    expect(await instancesOf("v1")).to.have.members(["shop.v1.web.1", "shop.v1.web.2", "shop.v1.worker.1"]);
    expect((await sluice.get("feature.shop", "/env")).body).to.include("from the preview");
    expect((await sluice.get("shop", "/env")).body).not.to.include("from the preview");
  });

  it("sleeps when nobody visits it, and the first visit wakes it and is answered", async () => {
    const release = await preview("sleepy");
    await asleep(release);
    const load = startLoad(sluice.httpPort, APP);
    const answers = await Promise.all(
      ["sleepy.shop", `${release}.shop`, "sleepy.shop"].map(async (host) => sluice.get(host)),
    );
    expect(answers.map(({ status, body }) => [status, body])).to.deep.equal(
      Array.from({ length: 3 }, () => [200, `${release} web.1`]),
    );
    expect(answers[0]?.headers).to.include({ "sluice-release": release, "sluice-track": "sleepy" });
    expect(await instancesOf(release)).to.deep.equal([`shop.${release}.web.1`]);
    expect((await load.stop()).failures).to.deep.equal([]);
  });

  it("is woken by a WebSocket as well, and does not sleep while that is open", async () => {
    const files = { "app.json": JSON.stringify({ sluice: SETTINGS }) };
    const sockets = await sluice.clone("sockets", tinyApp(files));
    await sockets.mustPush();
    await sockets.mustPush("HEAD:feature");
    const sleeps = async (): Promise<void> => {
      await eventually("it sleeps", async () => !(await sluice.instances()).includes("sockets.v2.web.1"));
    };
    await sleeps();
    const socket = await Upgraded.open(sluice.httpPort, "feature.sockets");
    expect(await socket.echo("hello")).to.equal("v2");
    const openedAt = Date.now();
    const couldHaveSlept = (): boolean => Date.now() - openedAt > 2 * SETTINGS.previews.sleepSeconds * 1000;
    await throughout(couldHaveSlept, async () => {
      expect([await socket.echo("x"), socket.isClosed]).to.deep.equal(["v2", false]);
    });
    socket.close();
    await sleeps();
    expect((await sluice.cli("destroy", "sockets", "--yes")).status).to.equal(0);
  });

  it("is not answered by another one that the same connection has woken", async () => {
    const [left, right] = [await preview("left"), await preview("right")];
    await eventually("both sleep", async () => {
      const sleeping = (await summary()).tracks.filter((track) => track.asleep).map(({ track }) => track);
      return sleeping.includes("left") && sleeping.includes("right");
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const bodies: string[] = [];
    for (const branch of ["left", "right", "left"]) {
      const headers = { host: `${branch}.${APP}.localhost` };
      const { body, headers: answered } = await ask(`127.0.0.1:${sluice.httpPort}`, { headers, agent });
      bodies.push(`${String(answered["sluice-track"])}: ${body}`);
    }
    agent.destroy();
    expect(bodies).to.deep.equal([`left: ${left} web.1`, `right: ${right} web.1`, `left: ${left} web.1`]);
  });

  it("stays asleep when the server comes back, and is woken by a visit all the same", async () => {
    const release = await preview("lasting");
    await asleep(release);
    await sluice.kill();
    await sluice.up();
    expect(await instancesOf(release)).to.deep.equal([]);
    expect((await sluice.get("lasting.shop")).body).to.equal(`${release} web.1`);
  });

  it("is replaced in its sleep by a new push, and goes with its branch", async () => {
    const isGone = async (host: string): Promise<boolean> => (await sluice.get(host)).status === 404;
    const first = await preview("brief");
    await asleep(first);
    const second = await preview("brief");
    expect((await sluice.get("brief.shop")).body).to.equal(`${second} web.1`);
    await eventually("the first is unknown", async () => isGone(`${first}.shop`));
    await asleep(second);
    await clone.mustPush("--delete", "brief");
    await eventually("the preview is gone", async () => isGone("brief.shop"));
    await eventually("its release is gone", async () => isGone(`${second}.shop`));
  });

  it("makes place for another when there are too many: the one that slept longest goes", async () => {
    const few = { "app.json": appJson({ ...SETTINGS.previews, max: 2 }) };
    for (const branch of ["one", "two", "three"]) await preview(branch, few);
    await eventually("two are left", async () => {
      const tracks = (await summary()).tracks.map(({ track }) => track).sort();
      return tracks.join() === "production,three,two";
    });
    await eventually("its host is unknown", async () => (await sluice.get("one.shop")).status === 404);
  });

  it("tells who waits in vain where it is told why it does not start", async () => {
    const obstacle = join(sluice.shared, "obstacle");
    const broken = `if (require("node:fs").existsSync(${JSON.stringify(obstacle)})) throw new Error("no way");`;
    const release = await preview("broken", { "server.js": `${broken}${TINY_SERVER}` });
    await asleep(release);
    await writeFile(obstacle, "");
    const { status, body } = await sluice.get("broken.shop");
    expect([status, body]).to.deep.equal([
      503,
      `This preview could not be started. To see why: sluice logs shop --release ${release}\n`,
    ]);
    const { stdout } = await sluice.cli("logs", "shop", "--release", release);
    expect(stdout).to.match(/Wake-up failed[^]*web\.1 ended \(status 1\) before it was ready/);
    await rm(obstacle);
    expect((await sluice.get("broken.shop")).status).to.equal(200);
  });

  it("is woken by a visit that comes while it is being stopped", async () => {
    await preview("slow", { "server.js": SLOW_TO_END });
    const isAsleep = async (): Promise<boolean> =>
      (await summary()).tracks.some(({ track, asleep }) => track === "slow" && asleep);
    await eventually("it goes to sleep", isAsleep);
    expect((await sluice.get("slow.shop")).status).to.equal(200);
    const load = startLoad(sluice.httpPort, "slow.shop");
    const began = Date.now();
    await eventually("what was told to end has ended long since", () => Date.now() - began > SLOW_MS);
    expect((await load.stop()).failures).to.deep.equal([]);
  });

  it("goes with its app, also while it is being woken", async () => {
    const gate = join(sluice.shared, "gate");
    await writeFile(gate, "");
    const files = {
      "server.js": `${WAITS_FOR(gate)}${TINY_SERVER}`,
      "app.json": JSON.stringify({ sluice: SETTINGS }),
    };
    const other = await sluice.clone("other", tinyApp(files));
    await other.mustPush();
    await other.mustPush("HEAD:feature");
    const preview = async (): Promise<boolean> => (await sluice.instances()).includes("other.v2.web.1");
    await eventually("it sleeps", async () => !(await preview()));
    await rm(gate);
    const visit = sluice.get("feature.other");
    await eventually("it is being woken", preview);
    const destroyed = sluice.cli("destroy", "other", "--yes");
    await eventually("its routes are gone", async () => (await sluice.get("other")).status === 404);
    await writeFile(gate, "");
    expect(await destroyed).to.include({ status: 0, stderr: "" });
    expect((await visit).status).to.be.oneOf([200, 503]);
    expect((await sluice.get("feature.other")).status).to.equal(404);
    expect((await sluice.instances()).filter((id) => id.startsWith("other."))).to.deep.equal([]);
    const own = await sluice.redis();
    const left = (await own.redis.keys("*")).filter((key) => /\bother\b/.test(key));
    own.close();
    expect(left).to.deep.equal([]);
  });
});

/** Nothing else is done until the file is there. */
const WAITS_FOR = (file: string): string => `
while (!require("node:fs").existsSync(${JSON.stringify(file)})) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);`;
