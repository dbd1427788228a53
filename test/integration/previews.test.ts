import { expect } from "chai";
import { rm, writeFile } from "node:fs/promises";
import { Agent } from "node:http";
import { join } from "node:path";
import { expectAccepted } from "../support/accepted.js";
import { ask } from "../support/ask.js";
import { eventually } from "../support/eventually.js";
import { startLoad } from "../support/load.js";
import type { TestClone } from "../support/test-clone.js";
import { TestSluice } from "../support/test-sluice.js";
import { TINY_SERVER, tinyApp } from "../support/tiny-app.js";
import { Upgraded } from "../support/upgraded.js";

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
    const files = {
      Procfile: PROCFILE,
      "app.json": JSON.stringify({
        formation: { web: { quantity: 2 }, worker: { quantity: 1 } },
        sluice: SETTINGS,
      }),
    };
    clone = await sluice.clone(APP, tinyApp(files));
    expectAccepted(await clone.push());
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

  it("has one web process, the settings of previews, and a URL of its own", async () => {
    await clone.commit({ "note.txt": "1" });
    const push = await clone.push("HEAD:feature");
    expectAccepted(push);
    expect(push.output).to.match(/Live: http:\/\/feature\.shop\.localhost/);
    expect(await instancesOf("v2")).to.deep.equal(["shop.v2.web.1"]);
    expect(await instancesOf("v1")).to.have.members(["shop.v1.web.1", "shop.v1.web.2", "shop.v1.worker.1"]);
    expect((await sluice.get("feature.shop", "/env")).body).to.include("from the preview");
    expect((await sluice.get("shop", "/env")).body).not.to.include("from the preview");
  });

  it("sleeps when nobody visits it, and the first visit wakes it and is answered", async () => {
    await asleep("v2");
    const load = startLoad(sluice.httpPort, APP);
    const answers = await Promise.all(
      ["feature.shop", "v2.shop", "feature.shop"].map(async (host) => sluice.get(host)),
    );
    expect(answers.map(({ status, body }) => [status, body])).to.deep.equal(
      Array.from({ length: 3 }, () => [200, "v2 web.1"]),
    );
    expect(answers[0]?.headers).to.include({ "sluice-release": "v2", "sluice-track": "feature" });
    expect(await instancesOf("v2")).to.deep.equal(["shop.v2.web.1"]);
    expect((await load.stop()).failures).to.deep.equal([]);
  });

  it("is woken by a WebSocket as well, and does not sleep while that is open", async () => {
    const files = { "app.json": JSON.stringify({ sluice: SETTINGS }) };
    const sockets = await sluice.clone("sockets", tinyApp(files));
    expectAccepted(await sockets.push());
    expectAccepted(await sockets.push("HEAD:feature"));
    const sleeps = async (): Promise<void> => {
      await eventually("it sleeps", async () => !(await sluice.instances()).includes("sockets.v2.web.1"));
    };
    await sleeps();
    const socket = await Upgraded.open(sluice.httpPort, "feature.sockets");
    expect(await socket.echo("hello")).to.equal("v2");
    const openedAt = Date.now();
    await eventually("it could have slept twice", async () => {
      expect([await socket.echo("x"), socket.isClosed]).to.deep.equal(["v2", false]);
      return Date.now() - openedAt > 2 * SETTINGS.previews.sleepSeconds * 1000;
    });
    socket.close();
    await sleeps();
    expect((await sluice.cli("destroy", "sockets", "--yes")).status).to.equal(0);
  });

  it("is not answered by another one that the same connection has woken", async () => {
    for (const branch of ["left", "right"]) expectAccepted(await clone.push(`HEAD:${branch}`));
    const isAsleep = async (): Promise<boolean> =>
      (await summary()).tracks.filter(({ asleep }) => asleep).length === 3;
    await eventually("all sleep", isAsleep);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const bodies: string[] = [];
    for (const branch of ["left", "right", "left"]) {
      const headers = { host: `${branch}.${APP}.localhost` };
      const { body, headers: answered } = await ask(`127.0.0.1:${sluice.httpPort}`, { headers, agent });
      bodies.push(`${String(answered["sluice-track"])}: ${body}`);
    }
    agent.destroy();
    expect(bodies).to.deep.equal(["left: v3 web.1", "right: v4 web.1", "left: v3 web.1"]);
    for (const branch of ["left", "right"]) expectAccepted(await clone.push("--delete", branch));
  });

  it("stays asleep when the server comes back, and is woken by a visit all the same", async () => {
    await sluice.kill();
    await sluice.up();
    expect(await instancesOf("v2")).to.deep.equal([]);
    expect((await sluice.get("feature.shop")).body).to.equal("v2 web.1");
  });

  it("is replaced in its sleep by a new push, and goes with its branch", async () => {
    await asleep("v2");
    await clone.commit({ "note.txt": "2" });
    expectAccepted(await clone.push("HEAD:feature"));
    expect((await sluice.get("feature.shop")).body).to.equal("v5 web.1");
    await eventually("v2 is unknown", async () => (await sluice.get("v2.shop")).status === 404);
    await asleep("v5");
    expectAccepted(await clone.push("--delete", "feature"));
    await eventually("the preview is gone", async () => (await sluice.get("feature.shop")).status === 404);
    await eventually("its release is gone", async () => (await sluice.get("v5.shop")).status === 404);
  });

  it("makes place for another when there are too many: the one that slept longest goes", async () => {
    const { previews } = SETTINGS;
    await clone.commit({
      "app.json": JSON.stringify({ sluice: { ...SETTINGS, previews: { ...previews, max: 2 } } }),
    });
    for (const branch of ["one", "two", "three"]) expectAccepted(await clone.push(`HEAD:${branch}`));
    await eventually("two are left", async () => {
      const tracks = (await summary()).tracks.map(({ track }) => track).sort();
      return tracks.join() === "production,three,two";
    });
    expect((await sluice.get("one.shop")).status).to.equal(404);
  });

  it("tells who waits in vain where it is told why it does not start", async () => {
    const obstacle = join(sluice.folder, "obstacle");
    const broken = `if (require("node:fs").existsSync(${JSON.stringify(obstacle)})) throw new Error("no way");`;
    await clone.commit({ "server.js": `${broken}${TINY_SERVER}` });
    const push = await clone.push("HEAD:broken");
    expectAccepted(push);
    const [, release = ""] = /\((v\d+), /.exec(push.output) ?? [];
    await asleep(release);
    await writeFile(obstacle, "");
    const { status, body } = await sluice.get("broken.shop");
    expect([status, body]).to.deep.equal([
      503,
      `This preview could not be started. Its log says why: sluice logs shop --release ${release}\n`,
    ]);
    const { stdout } = await sluice.cli("logs", "shop", "--release", release);
    expect(stdout).to.match(/It was to be woken[^]*web\.1 ended \(status 1\) before it answered/);
    await rm(obstacle);
    expect((await sluice.get("broken.shop")).status).to.equal(200);
    await clone.commit({ "server.js": TINY_SERVER });
  });

  it("is woken by a visit that comes while it is being stopped", async () => {
    await clone.commit({ "server.js": SLOW_TO_END });
    expectAccepted(await clone.push("HEAD:slow"));
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
    const gate = join(sluice.folder, "gate");
    await writeFile(gate, "");
    const files = {
      "server.js": `${WAITS_FOR(gate)}${TINY_SERVER}`,
      "app.json": JSON.stringify({ sluice: SETTINGS }),
    };
    const other = await sluice.clone("other", tinyApp(files));
    expectAccepted(await other.push());
    expectAccepted(await other.push("HEAD:feature"));
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
