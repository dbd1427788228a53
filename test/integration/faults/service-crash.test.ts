import { expect } from "chai";
import { join } from "node:path";
import { readFile } from "node:fs/promises";
import { eventually } from "../../support/eventually.js";
import { leftoversOf } from "../../support/running/leftovers.js";
import { startLoad } from "../../support/running/load.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { TINY_SERVER, tinyApp } from "../../support/git/tiny-app.js";

interface Status {
  pid: number;
  proxy: { pid: number; state: string; revision: number };
  redis: { pid: number; state: string };
  apps: { app: string; instances: { id: string; pid: number; running: boolean; restarts: number }[] }[];
}

/** What is killed (-9) under 200 requests a second, and what that costs. */
describe("under load, killed (-9)", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  before(async () => (sluice = await TestSluice.start()));
  after(async () => sluice.dispose());

  it("the only instance of an app: is back by itself, and only what it was answering just then is lost", async () => {
    await (await sluice.clone("one", tinyApp())).mustPush();
    const load = startLoad(sluice.httpPort, "one");
    const killed = await instancePid("one.v1.web.1");
    // What ends within a second is started again only after another one (runsv).
    const beganAt = Date.now();
    await eventually("it has run for a while", () => Date.now() - beganAt > 1100);
    process.kill(killed, "SIGKILL");
    await eventually("it runs again", async () => ![0, killed].includes(await instancePid("one.v1.web.1")));
    await eventually("it answers", async () => (await sluice.get("one")).status === 200);
    const { failures, sent } = await load.stop();
    // Requests meanwhile wait for it. Those that it had read cannot be given to another.
    expectOneMoment(failures);
    expect(sent).to.be.greaterThan(100);
  });

  it("one instance of two: the other takes its requests", async () => {
    const clone = await sluice.clone(
      "two",
      tinyApp({ "app.json": '{"formation": {"web": {"quantity": 2}}}' }),
    );
    await clone.mustPush();
    const load = startLoad(sluice.httpPort, "two");
    const killed = await instancePid("two.v1.web.1");
    process.kill(killed, "SIGKILL");
    await eventually("it is back", async () => ![0, killed].includes(await instancePid("two.v1.web.1")));
    const { failures } = await load.stop();
    expectOneMoment(failures);
  });

  it("Redis: the traffic does not notice, pushes are refused until it is back", async () => {
    const clone = await sluice.clone("records", tinyApp());
    await clone.mustPush();
    const load = startLoad(sluice.httpPort, "records");
    const { redis } = await status();
    process.kill(redis.pid, "SIGKILL");
    await eventually("it is back", async () => {
      const now = await status();
      return now.redis.state === "up" && now.redis.pid !== redis.pid && now.apps.length > 0;
    });
    await clone.commit({ note: "2" });
    const { output } = await eventually("a push goes through again", async () => {
      const push = await clone.push();
      return push.status === 0 && push;
    });
    const [, release = ""] = /\((v\d+), [\d.]+ s\)/.exec(output) ?? [];
    expect((await sluice.get("records")).body).to.equal(`${release} web.1`);
    expect((await load.stop()).failures).to.deep.equal([]);
  });

  it("HAProxy: is back by itself with the same routes, and only requests of that time fail", async () => {
    await (await sluice.clone("edge", tinyApp())).mustPush();
    const before = await leftoversOf(sluice, "edge");
    const { proxy } = await status();
    const load = startLoad(sluice.httpPort, "edge");
    const workers = (await readFile(`/proc/${proxy.pid}/task/${proxy.pid}/children`, "utf8"))
      .trim()
      .split(" ")
      .map(Number);
    const killedAt = Date.now();
    for (const pid of [proxy.pid, ...workers]) process.kill(pid, "SIGKILL");
    await eventually("it answers again", async () => (await sluice.get("edge")).status === 200);
    const goneMs = Date.now() - killedAt;
    const { failures } = await load.stop();
    // 200 a second, and those that were open when it died.
    expect(failures.length).to.be.lessThan((goneMs / 1000) * 200 + 40);
    expect(
      failures.every((failure) => /ECONNREFUSED|ECONNRESET|hang up/.test(failure)),
      failures[0],
    ).to.equal(true);
    expect(await leftoversOf(sluice, "edge")).to.deep.equal(before);
    await eventually("it is followed again", async () => (await status()).proxy.state === "up");
    await (await sluice.clone("afterwards", tinyApp())).mustPush();
    const { status: answered, body } = await sluice.get("afterwards");
    expect(answered, body).to.equal(200);
  });

  it("an instance that keeps dying: is tried again with growing pauses, and the app answers 503 with Retry-After", async () => {
    const dead = JSON.stringify(join(sluice.shared, "dead"));
    const dies = `const fs = require("node:fs"); if (fs.existsSync(${dead})) process.exit(1);\n`;
    const server = TINY_SERVER.replace("process.exit(3)", `fs.writeFileSync(${dead}, ""), process.exit(3)`);
    await (await sluice.clone("mortal", tinyApp({ "server.js": dies + server }))).mustPush();
    const request = await sluice.get("mortal", "/crash");
    expect(request.status).to.be.oneOf([502, 503]);
    const answer = await eventually("the app is out of the traffic", async () => {
      const now = await sluice.get("mortal");
      return now.status === 503 && now;
    });
    expect(answer.headers).to.include({ "retry-after": "5" });
    const { stdout } = await eventually("it has paused twice", async () => {
      const logs = await sluice.cli("logs", "mortal");
      return logs.stdout.includes("starting again in 2 s") && logs;
    });
    expect(stdout).to.include("starting again in 1 s");
  });

  async function status(): Promise<Status> {
    return sluice.read<Status>("status");
  }

  async function instancePid(id: string): Promise<number> {
    return (
      (await status()).apps.flatMap(({ instances }) => instances).find((instance) => instance.id === id)
        ?.pid ?? 0
    );
  }
});

/** Only what it was answering when it was killed; after a pause of this machine that may be several. */
function expectOneMoment(failures: readonly string[]): void {
  for (const failure of failures) expect(failure).to.match(/ECONNRESET|hang up/);
  const moments = failures.map((failure) => Number.parseInt(failure));
  expect(Math.max(...moments) - Math.min(...moments), failures.join()).to.be.lessThan(30);
}
