import { expect } from "chai";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expectAccepted } from "../../support/accepted.js";
import { eventually } from "../../support/eventually.js";
import { haproxy, leftoversOf, type Leftovers } from "../../support/running/leftovers.js";
import { startLoad } from "../../support/running/load.js";
import { saying } from "../../support/running/saying.js";
import { fillUp, keepFull, mountSmall, unmount } from "../../support/running/small-disk.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

interface Summary {
  readonly release: string;
  readonly track: string;
  readonly phase: string;
}

interface Change {
  readonly line?: string;
  readonly error?: { readonly code: string };
}

describe("a full disk", function () {
  this.timeout(60_000);
  const app = "brim";
  let disk: string | undefined;
  let sluice: TestSluice;
  let clone: TestClone;
  let full: { stop(): Promise<void> } | undefined;

  before(async function () {
    disk = await mountSmall("size=64m,mode=711");
    if (disk === undefined) return this.skip();
    sluice = await TestSluice.start({ homeFolder: disk });
    clone = await sluice.clone(app, tinyApp());
    await push("HEAD:master");
    await push("HEAD:master");
  });
  afterEach(makeRoom);
  after(async () => {
    if (disk === undefined) return;
    await sluice.dispose();
    await unmount(disk);
  });

  async function push(refspec: string): Promise<string> {
    await clone.commit({ "note.txt": String(Math.random()) });
    const pushed = await clone.push(refspec);
    expectAccepted(pushed);
    return /\((v\d+), [\d.]+ s\)/.exec(pushed.output)?.[1] ?? "";
  }

  async function makeRoom(): Promise<void> {
    await full?.stop();
    full = undefined;
  }

  const live = async (): Promise<string> => (await sluice.get(app)).body.split(" ")[0] ?? "";
  const redisPid = async (): Promise<number> =>
    (await sluice.read<{ redis: { pid: number } }>("status")).redis.pid;

  /** A command by the API, without a process for it. Returns its last line. */
  async function change(method: string, path: string, body: object = {}): Promise<Change> {
    const response = await fetch(`http://127.0.0.1:${sluice.controlPort}/api/apps/${app}/${path}`, {
      method,
      headers: { authorization: `Bearer ${await sluice.token()}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    expect(response.status, text).to.be.within(200, 299);
    return JSON.parse(text.trim().split("\n").at(-1) ?? "") as Change;
  }

  async function does(method: string, path: string, body: object = {}): Promise<void> {
    const last = await change(method, path, body);
    expect(last.error, JSON.stringify(last)).to.equal(undefined);
  }

  it("rolls back to a release on standby and forth again; Redis runs on, and no request fails", async () => {
    const [before, pid] = [await live(), await redisPid()];
    const load = startLoad(sluice.httpPort, app, "/", 50);
    full = keepFull(sluice.home);
    const { status, stderr } = await sluice.cli("rollback", app);
    expect(status, stderr).to.equal(0);
    expect(await live()).not.to.equal(before);
    await does("POST", "rollback", { release: before });
    expect(await live()).to.equal(before);
    expect(await redisPid(), "Redis' process").to.equal(pid);
    expect((await load.stop()).failures).to.deep.equal([]);
    await eventually("the log says so", async () =>
      /the disk is full: HAProxy uses the current routes/.test(await sluice.serverLog()),
    );
    expect((await sluice.cli("status")).stdout).to.match(/^disk {5}full: \d+ MB free/m);
    await makeRoom();
    expect((await sluice.cli("status")).stdout).not.to.include("disk ");
    expect(await push("HEAD:master")).to.equal(await live());
  });

  it("takes a canary out of the traffic by the alert key, and lets it in again", async () => {
    const canary = await push("HEAD:staging");
    await does("PUT", "weight", { percent: 100 });
    await eventually("the canary has all", async () => (await live()) === canary);
    full = keepFull(sluice.home);
    const connection = await sluice.redis();
    const { redis } = connection;
    try {
      await redis.set("sluice:alert", "yes");
      await eventually("the canary has nobody", async () => (await live()) !== canary);
      await redis.set("sluice:alert", "no");
      await eventually("the canary has all", async () => (await live()) === canary);
    } finally {
      connection.close();
    }
  });

  it("promotes a canary, and aborts one", async () => {
    full = keepFull(sluice.home);
    // The canary has all visitors since the test before.
    const production = await live();
    await does("POST", "promote");
    expect(await live()).to.equal(production);
    await makeRoom();
    const canary = await push("HEAD:staging");
    full = keepFull(sluice.home);
    await does("PUT", "weight", { percent: 100 });
    await eventually("the canary has all", async () => (await live()) === canary);
    await does("POST", "abort");
    expect(await live()).to.equal(production);
    await eventually("it is gone", async () => {
      const { instances, servers } = await leftoversOf(sluice, app);
      return [...instances, ...servers].every((id) => !id.includes(`.${canary}.`) && !id.startsWith("slot-"));
    });
  });

  it("scales down; up only with the room kept for it, and half done never", async () => {
    const now = await live();
    await does("PUT", "scale", { web: 2 });
    expect(await sluice.instances()).to.include(`${app}.${now}.web.2`);
    const load = startLoad(sluice.httpPort, app, "/", 50);
    full = keepFull(sluice.home);
    await does("PUT", "scale", { web: 1 });
    const isThere = ({ instances, servers }: Leftovers): boolean =>
      [...instances, ...servers].some((id) => id.startsWith(`${app}.${now}.`) && id.endsWith(".2"));
    await eventually("the second one is gone", async () => !isThere(await leftoversOf(sluice, app)));
    const before = await leftoversOf(sluice, app);
    // Somebody takes what was kept at once.
    const last = await change("PUT", "scale", { web: 3 });
    expect(last.error?.code, JSON.stringify(last)).to.equal("disk-full");
    await eventually("nothing is left of it", async () => {
      expect(await leftoversOf(sluice, app)).to.deep.equal(before);
      return true;
    });
    expect((await load.stop()).failures).to.deep.equal([]);
  });

  it("rolls back to a release that has stopped, with the room kept for starting it", async () => {
    await push("HEAD:master");
    const before = await live();
    const stopped = await eventually("an earlier one has stopped", async () =>
      (await sluice.read<Summary[]>(`apps/${app}/releases`)).find(
        ({ phase, track }) => phase === "retired" && track === "production",
      ),
    );
    await eventually("room is kept", async () => stat(join(sluice.home, "reserve")));
    full = fillUp(sluice.home);
    await does("POST", "rollback", { release: stopped.release });
    expect(await live())
      .to.equal(stopped.release)
      .and.not.to.equal(before);
  });

  it("HAProxy ends meanwhile: it has the routes again within seconds, and its files say them once there is room", async () => {
    const writtenAgain = async (): Promise<number> =>
      (await sluice.serverLog()).split("HAProxy's files contain the current routes again").length;
    const before = await push("HEAD:master");
    full = keepFull(sluice.home);
    await does("POST", "rollback");
    const written = await writtenAgain();
    const now = await live();
    expect(now).not.to.equal(before);
    await killHaproxy();
    await eventually("HAProxy has the routes again", async () => (await live()) === now);
    await makeRoom();
    await eventually("its files say so", async () => (await writtenAgain()) > written);
    await killHaproxy();
    expect(await eventually("HAProxy is back", live)).to.equal(now);
  });

  it("a release that serves already when the disk fills up is finished", async () => {
    const go = join(sluice.shared, "go");
    await clone.commit({
      "app.json": JSON.stringify({
        scripts: { dokku: { postdeploy: `echo it waits; until [ -e ${go} ]; do sleep 0.02; done` } },
      }),
    });
    const pushed = clone.startPush();
    await saying(pushed, /it waits$/m);
    full = keepFull(sluice.home);
    await writeFile(go, "");
    const { status, output } = await pushed.done;
    expect(status, output).to.equal(0);
    const [newest] = await sluice.read<Summary[]>(`apps/${app}/releases`);
    expect(newest?.phase).to.equal("settled");
  });

  async function killHaproxy(): Promise<void> {
    const { proxy } = await sluice.read<{ proxy: { pid: number } }>("status");
    const worker = /^Pid: (\d+)/m.exec(await haproxy(sluice, "show info"))?.[1];
    process.kill(proxy.pid, "SIGKILL");
    process.kill(Number(worker), "SIGKILL");
  }
});
