import { expect } from "chai";
import { get } from "node:http";
import { eventually } from "../../support/eventually.js";
import { startLoad } from "../../support/running/load.js";
import { isAlive, TestSluice } from "../../support/running/test-sluice.js";
import { throughout } from "../../support/throughout.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { Upgraded } from "../../support/network/upgraded.js";

const GOES_AT_ONCE = { "app.json": '{"sluice": {"standbySeconds": 0}}' };

describe("a release that is replaced", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  before(async () => (sluice = await TestSluice.start()));
  after(async () => sluice.dispose());

  it("finishes the requests it has begun", async () => {
    const clone = await sluice.clone("inflight", tinyApp(GOES_AT_ONCE));
    await clone.mustPush();
    const slow = sluice.get("inflight", "/slow?ms=3000");
    await clone.commit({ note: "2" });
    await clone.mustPush();
    expect((await sluice.get("inflight")).body).to.equal("v2 web.1");
    expect(await slow).to.include({ status: 200, body: "v1" });
  });

  it("keeps upgraded connections and event streams until they close, then goes by itself", async () => {
    const clone = await sluice.clone("sockets", tinyApp(GOES_AT_ONCE));
    await clone.mustPush();
    const socket = await Upgraded.open(sluice.httpPort, "sockets");
    const stream = openStream(sluice.httpPort, "sockets");
    await eventually("the stream has begun", () => stream.text().includes("v1"));
    await clone.commit({ note: "2" });
    await clone.mustPush();
    const fresh = await Upgraded.open(sluice.httpPort, "sockets");
    expect([socket.release, fresh.release]).to.deep.equal(["v1", "v2"]);
    expect(await socket.echo("still")).to.equal("v1");
    const seen = stream.text().length;
    await eventually("the stream goes on", () => stream.text().length > seen + 30);
    expect(stream.text()).not.to.include("v2");
    expect(await sluice.instances()).to.include("sockets.v1.web.1");
    stream.close();
    socket.close();
    await eventually("v1 is gone", async () => !(await sluice.instances()).includes("sockets.v1.web.1"));
    fresh.close();
  });

  it("tells what is still open goodbye when drainSeconds are over", async () => {
    const clone = await sluice.clone(
      "limit",
      tinyApp({ "app.json": '{"sluice": {"standbySeconds": 0, "drainSeconds": 1}}' }),
    );
    await clone.mustPush();
    const socket = await Upgraded.open(sluice.httpPort, "limit");
    await clone.commit({ note: "2" });
    await clone.mustPush();
    await eventually(
      "the old release said goodbye",
      () => socket.text.endsWith("goodbye\n") && socket.isClosed,
    );
    await eventually("v1 is gone", async () => !(await sluice.instances()).includes("limit.v1.web.1"));
  });

  it("keeps sticky visitors until they were idle, while new ones get the new release", async () => {
    const appJson = '{"sluice": {"sessions": "sticky", "sessionIdleSeconds": 3, "standbySeconds": 0}}';
    const clone = await sluice.clone("sticky", tinyApp({ "app.json": appJson }));
    await clone.mustPush();
    const [cookie = ""] = String((await sluice.get("sticky")).headers["set-cookie"]).split(";");
    expect(cookie).to.equal("sluice=production.v1");
    await clone.commit({ note: "2" });
    let isOver = false;
    const pushed = clone.mustPush().finally(() => (isOver = true));
    // Who pauses for too long is idle.
    await throughout(
      () => isOver,
      async () => {
        expect((await sluice.get("sticky", "/", { cookie })).body).to.equal("v1 web.1");
      },
    );
    await pushed;
    expect((await sluice.get("sticky")).body).to.equal("v2 web.1");
    await eventually(
      "v1 goes once its visitor is idle",
      async () => !(await sluice.instances()).includes("sticky.v1.web.1"),
    );
    const back = await sluice.get("sticky", "/", { cookie });
    expect(back.body).to.equal("v2 web.1");
    expect(String(back.headers["set-cookie"])).to.match(/^sluice=production\.v2;/);
  });

  it("stays on standby, so that a rollback is only a switch, and can be looked at by its name", async () => {
    const clone = await sluice.clone("standby", tinyApp());
    await clone.mustPush();
    const [before] = (await sluice.read<{ instances: { pid: number }[]; app: string }[]>("apps")).filter(
      ({ app }) => app === "standby",
    );
    await clone.commit({ note: "2" });
    await clone.mustPush();
    expect((await sluice.get("v1.standby")).body).to.equal("v1 web.1");
    const load = startLoad(sluice.httpPort, "standby");
    const rollback = await sluice.cli("rollback", "standby");
    expect(rollback).to.include({ status: 0, stderr: "" });
    expect(rollback.stdout).to.match(/Live: .* \(v1, [\d.]+ s\)/);
    expect((await sluice.get("standby")).body).to.equal("v1 web.1");
    const forward = await sluice.cli("rollback", "standby", "v2");
    expect(forward.status).to.equal(0);
    expect((await load.stop()).failures).to.deep.equal([]);
    const [after] = (await sluice.read<{ instances: { pid: number }[]; app: string }[]>("apps")).filter(
      ({ app }) => app === "standby",
    );
    expect(after?.instances.map(({ pid }) => pid)).to.include(before?.instances[0]?.pid);
    expect((await sluice.get("standby")).body).to.equal("v2 web.1");
  });

  it("serves again though an instance of it had crashed once, and runs since", async () => {
    const clone = await sluice.clone("once", tinyApp());
    await clone.mustPush();
    await sluice.get("once", "/crash").catch(() => undefined);
    await eventually("it is back", async () => (await sluice.get("once")).body === "v1 web.1");
    await clone.commit({ note: "2" });
    await clone.mustPush();
    expect(await sluice.cli("rollback", "once")).to.include({ status: 0, stderr: "" });
    expect((await sluice.get("once")).body).to.equal("v1 web.1");
  });

  it("can serve again after it was retired, without a build", async () => {
    const clone = await sluice.clone("again", tinyApp(GOES_AT_ONCE));
    await clone.mustPush();
    await clone.commit({ note: "2" });
    await clone.mustPush();
    await eventually("v1 is gone", async () => !(await sluice.instances()).includes("again.v1.web.1"));
    const load = startLoad(sluice.httpPort, "again");
    expect((await sluice.cli("rollback", "again", "v1")).status).to.equal(0);
    expect((await sluice.get("again")).body).to.equal("v1 web.1");
    expect((await load.stop()).failures).to.deep.equal([]);
    const nothing = await sluice.cli("rollback", "again", "v9");
    expect(nothing.status).to.equal(1);
    expect(nothing.stderr).to.include('"again" has no release "v9"').and.to.include("Kept releases: v2");
  });
});

/** Answers on for a while after TERM, as one with much to put away does. */
const SLOW_TO_END = `
require("node:http").createServer((_, response) => response.end(process.env.RELEASE)).listen(process.env.PORT);
process.on("SIGTERM", () => setTimeout(() => process.exit(0), 6000));`;

describe("a rollback", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  before(async () => (sluice = await TestSluice.start()));
  after(async () => sluice.dispose());

  it("to a release that is being stopped waits until it can start again; nobody notices", async () => {
    const clone = await sluice.clone("ending", { ...tinyApp(GOES_AT_ONCE), "server.js": SLOW_TO_END });
    await clone.mustPush();
    const ending = await pidOf("ending.v1.web.1");
    await clone.commit({ note: "2" });
    await clone.mustPush();
    await eventually("v1 is let go", async () => {
      const [, first] = await sluice.read<{ traffic: string }[]>("apps/ending/releases");
      return first?.traffic === "no";
    });
    const load = startLoad(sluice.httpPort, "ending");
    const rollback = await sluice.cli("rollback", "ending");
    expect(rollback).to.include({ status: 0, stderr: "" });
    await eventually("the old process has ended", async () => !(await isAlive(ending)));
    expect((await load.stop()).failures).to.deep.equal([]);
    expect((await sluice.get("ending")).body).to.equal("v1");
    expect(rollback.stdout).to.include("waiting until v1 has stopped");
  });

  it("goes back to what served before, not to what was taken back already", async () => {
    const clone = await sluice.clone("bad", tinyApp());
    await clone.mustPush();
    const serves = async (): Promise<string> => (await sluice.get("bad")).body;
    for (const release of ["v2", "v3"]) {
      await clone.commit({ note: release });
      await clone.mustPush();
      expect(await serves()).to.equal(`${release} web.1`);
      expect((await sluice.cli("rollback", "bad")).status).to.equal(0);
      expect(await serves()).to.equal("v1 web.1");
    }
    const further = await sluice.cli("rollback", "bad");
    expect(further.status).to.equal(1);
    expect(further.stderr).to.include('"bad" has no earlier release to roll back to');
    expect((await sluice.cli("rollback", "bad", "v3")).status).to.equal(0);
    expect((await sluice.cli("rollback", "bad")).stdout).to.include("Rolling back to v1");
  });

  const pidOf = async (id: string): Promise<number> => {
    const apps = await sluice.read<{ instances: { id: string; pid: number }[] }[]>("apps");
    const pid = apps.flatMap(({ instances }) => instances).find((instance) => instance.id === id)?.pid;
    if (pid === undefined) throw new Error(`${id} does not run`);
    return pid;
  };
});

describe("ten releases under load", function () {
  this.timeout(300_000);
  let sluice: TestSluice;
  before(async () => (sluice = await TestSluice.start()));
  after(async () => sluice.dispose());

  it("cost no request and no connection", async () => {
    const clone = await sluice.clone("busy", tinyApp(GOES_AT_ONCE));
    await clone.mustPush();
    const load = startLoad(sluice.httpPort, "busy");
    const sockets: Upgraded[] = [];
    for (let release = 2; release <= 21; release++) {
      sockets.push(await Upgraded.open(sluice.httpPort, "busy"));
      await clone.commit({ note: String(release) });
      await clone.mustPush();
    }
    const report = await load.stop();
    expect(report.failures).to.deep.equal([]);
    expect(report.sent).to.be.greaterThan(500);
    expect([...report.releases.keys()]).to.include.members(["v1", "v21"]);
    for (const [index, socket] of sockets.entries()) {
      expect(await socket.echo("ping")).to.equal(`v${index + 1}`);
      socket.close();
    }
    await eventually("only the newest is left", async () => (await sluice.instances()).length === 1);
  });
});

function openStream(port: number, host: string): { text(): string; close(): void } {
  let text = "";
  const outgoing = get(
    { host: "127.0.0.1", port, path: "/events", headers: { host: `${host}.localhost` }, agent: false },
    (response) => {
      response.on("data", (bytes: Buffer) => (text += bytes.toString()));
      response.on("error", () => undefined);
    },
  );
  outgoing.on("error", () => undefined);
  return { text: () => text, close: () => outgoing.destroy() };
}
