import { expect } from "chai";
import { randomInt } from "node:crypto";
import { Agent } from "node:http";
import { join } from "node:path";
import { paths } from "../../../proxy/haproxy/config/paths.js";
import { Runtime } from "../../../proxy/haproxy/runtime/runtime.js";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import { startLoad } from "../../support/running/load.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

const APP = "shop";
const ROUNDS = 10;

describe("changes of who sees a canary", function () {
  this.timeout(400_000);
  let sluice: TestSluice;
  let clone: TestClone;
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  before(async () => {
    sluice = await TestSluice.start({});
    const app = tinyApp({ "app.json": JSON.stringify({ sluice: { standbySeconds: 5 } }) });
    clone = await sluice.clone(APP, app);
    await clone.mustPush();
  });
  after(async () => {
    agent.destroy();
    await sluice.dispose();
  });

  const api = async (method: string, path: string, body: object = {}): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${sluice.controlPort}/api/apps/${APP}/${path}`, {
      method,
      headers: { authorization: `Bearer ${await sluice.token()}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    expect(answer.status, text).to.equal(200);
    expect(text).not.to.match(/"error"/);
    return text;
  };
  const pushCanary = async (): Promise<void> => {
    await clone.commit({ "note.txt": String(randomInt(1e9)) });
    await clone.mustPush("HEAD:staging");
  };
  const visit = async (headers: Record<string, string> = {}): Promise<{ track: string; cookie: string }> => {
    const answer = await ask(`127.0.0.1:${sluice.httpPort}`, {
      path: "/",
      headers: { host: `${APP}.localhost`, ...headers },
      agent,
    });
    const [cookie = ""] = answer.headers["set-cookie"] ?? [];
    return { track: String(answer.headers["sluice-track"]), cookie: cookie.split(";")[0] ?? "" };
  };

  /** Pid of the HAProxy process that serves new visitors: a reload makes another. */
  const worker = async (): Promise<string | undefined> =>
    /^Pid: (\d+)/m.exec(
      await new Runtime(paths.adminSocket(join(sluice.home, "haproxy"))).run("show info"),
    )?.[1];

  it("cost no request and no reload: a hundred of them under load", async () => {
    const before = await worker();
    const load = startLoad(sluice.httpPort, APP);
    let changes = 0;
    for (let round = 0; round < ROUNDS; round++) {
      await pushCanary();
      for (const percent of [5, 50, 100]) {
        await api("PUT", "weight", { percent });
        changes++;
      }
      await api("POST", "promote");
      await api("POST", "rollback");
      await pushCanary();
      for (const percent of [70, 0, 30]) {
        await api("PUT", "weight", { percent });
        changes++;
      }
      await api("POST", "abort");
      changes += 4;
    }
    expect(changes).to.equal(100);
    expect((await load.stop()).failures).to.deep.equal([]);
    expect(await worker()).to.equal(before);
  });

  it("leave every visitor of 10,000 on the track they were given; the share is what was said", async () => {
    await pushCanary();
    await api("PUT", "weight", { percent: 30 });
    const given: { track: string; cookie: string }[] = [];
    const visitors = Array.from({ length: 16 }, async () => {
      while (given.length < 10_000) given.push(await visit());
    });
    await Promise.all(visitors);
    const share = given.filter(({ track }) => track === "canary").length / given.length;
    // Five standard deviations to either side.
    expect(share).to.be.within(0.277, 0.323);
    const stays = async (): Promise<void> => {
      for (const { track, cookie } of given.slice(0, 100))
        for (let again = 0; again < 5; again++) expect((await visit({ cookie })).track).to.equal(track);
    };
    await stays();
    await clone.commit({ "note.txt": "production" });
    await clone.mustPush("HEAD:master");
    await stays();
    const before = await worker();
    await new Runtime(paths.masterSocket(join(sluice.home, "haproxy"))).run("reload");
    await eventually("HAProxy has reloaded", async () => (await worker()) !== before);
    await stays();
  });

  it("are not needed for an alert: everybody leaves the canary, and comes back, without a failed request", async () => {
    const own = await sluice.redis();
    try {
      await pushCanary();
      await api("PUT", "weight", { percent: 100 });
      const load = startLoad(sluice.httpPort, APP, "/", 400);
      await own.redis.set("sluice:alert", "yes");
      await eventually("a hundred visits elsewhere", async () => {
        for (let elsewhere = 0; elsewhere < 100; elsewhere++)
          if ((await visit()).track !== "production") return false;
        return true;
      });
      await own.redis.set("sluice:alert", "no");
      await eventually("back on the canary", async () => (await visit()).track === "canary");
      expect((await load.stop()).failures).to.deep.equal([]);
    } finally {
      own.close();
    }
  });
});
