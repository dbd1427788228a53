import { expect } from "chai";
import { rm, writeFile } from "node:fs/promises";
import { Agent } from "node:http";
import { join } from "node:path";
import type { ReleaseTraffic } from "../../../core/records/traffic/traffic-series.js";
import type { CanarySummary } from "../../../core/api/apps/canary.js";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

/** Every n-th request fails; nobody reaches a goal but by asking for it. While there is a file `obstacle` it does not start. */
const server = (failEvery: number, obstacle = "/nowhere"): string => `
if (require("node:fs").existsSync(${JSON.stringify(obstacle)})) throw new Error("there is an obstacle");
let count = 0;
require("node:http").createServer((request, response) => {
  if (request.url === "/" && ++count % ${failEvery} === 0) response.statusCode = 500;
  response.end(process.env.RELEASE);
}).listen(process.env.PORT);
process.on("SIGTERM", () => process.exit(0));
`;
const NEVER = 1_000_000_000;

describe("the verdict on a canary", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  before(async () => {
    sluice = await TestSluice.start({});
  });
  after(async () => {
    agent.destroy();
    await sluice.dispose();
  });

  /** Pushes production, then a canary of other code. */
  const pushBoth = async (
    app: string,
    canary: object,
    failEvery: number,
    obstacle?: string,
  ): Promise<void> => {
    const files = { "app.json": JSON.stringify({ sluice: { standbySeconds: 0, canary } }) };
    const clone = await sluice.clone(app, tinyApp({ ...files, "server.js": server(NEVER) }));
    await clone.mustPush();
    await clone.commit({ "server.js": server(failEvery, obstacle), "note.txt": "canary" });
    await clone.mustPush("HEAD:staging");
  };
  const summary = async (app: string): Promise<CanarySummary> =>
    sluice.read<CanarySummary>(`apps/${app}/canary`);

  /** Visitors without cookies, one after the other, until it is over with the canary. Answers how many there were, and how it was. */
  const visitUntil = async (
    app: string,
    isOver: (canary: CanarySummary) => boolean,
  ): Promise<{ visits: number; canary: CanarySummary }> => {
    let visits = 0;
    let over = false;
    const visitors = Array.from({ length: 8 }, async () => {
      while (!over) {
        visits++;
        await ask(`127.0.0.1:${sluice.httpPort}`, { headers: { host: `${app}.localhost` }, agent });
      }
    });
    let last: CanarySummary | undefined;
    const what = (): string => `it is over; the canary is ${last?.state}: ${last?.verdict?.reason}`;
    const canary = await eventually(
      what,
      async () => isOver((last = await summary(app))) && last,
      60_000,
    ).finally(() => (over = true));
    await Promise.all(visitors);
    return { visits, canary };
  };

  /** The former canary, v2. What is decided is told before the last proxy has done it. */
  const servesAsProduction = async (app: string): Promise<void> => {
    await eventually("v2 serves as production", async () => {
      const { headers } = await sluice.get(app);
      return headers["sluice-release"] === "v2" && headers["sluice-track"] === "production";
    });
  };

  /** The canary's figures in the API, once so many requests are over. */
  const canaryTotals = async (app: string, over: number): Promise<ReleaseTraffic> =>
    eventually("all is written", async () => {
      const headers = { authorization: `Bearer ${await sluice.token()}` };
      const { body } = await sluice.control(`/api/apps/${app}/traffic`, headers);
      const { totals } = JSON.parse(body) as { totals: ReleaseTraffic[] };
      const canary = totals.find(({ release, track }) => release === "v2" && track === "canary");
      return canary !== undefined && canary.answersOk + canary.answers5xx === over && canary;
    });
  /** Of the canary, that the verdict is made from. */
  const requestsOf = ({ verdict }: CanarySummary): number =>
    (verdict?.numbers as { canary: { requests: number } } | undefined)?.canary.requests ?? 0;

  it("takes a canary out of the traffic that fails 5 % of its requests, and says why", async () => {
    await pushBoth("bad", { share: 30, stepSeconds: 600 }, 20);
    const { visits } = await visitUntil("bad", ({ state }) => state === "aborted");
    const { verdict, decisions, release } = await summary("bad");
    expect(release).to.equal("v2");
    expect(verdict).to.include({ word: "fail", action: "abort", share: 30 });
    expect(verdict?.reason).to.match(
      /visitors meet errors more often than those of production: [\d,]+ of [\d,]+ visitors met an error/,
    );
    expect(decisions.at(-1)).to.deep.equal(verdict);
    expect(visits).to.be.greaterThan(100);
    await eventually("nobody gets it any more", async () => {
      const { status } = await sluice.get("bad", "/", { "x-client-mode": "green" });
      return status === 404;
    });
    const shown = await sluice.cli("canary", "bad");
    expect(shown.stdout)
      .to.match(/v2 of bad: canary since .* UTC, was aborted/)
      .and.to.match(/fail: abort/);
  });

  it("raises a canary that is as good through its steps, then promotes it", async () => {
    const canary = { steps: [10, 40], stepSeconds: 2, minRequests: 30, onPass: "promote" };
    await pushBoth("good", canary, NEVER);
    expect(await summary("good")).to.include({ state: "live", share: 10, step: 1, steps: 2 });
    await visitUntil("good", ({ state }) => state === "promoted");
    const { decisions } = await summary("good");
    expect(
      decisions.map(({ action, share }) => [action, share]).filter(([action]) => action !== "none"),
    ).to.deep.equal([
      ["raise", 10],
      ["promote", 40],
    ]);
    await servesAsProduction("good");
  });

  it("tries a promotion again that failed, and says why meanwhile", async () => {
    const obstacle = join(sluice.shared, "obstacle");
    await pushBoth("again", { share: 50, stepSeconds: 1, onPass: "promote" }, NEVER, obstacle);
    expect((await sluice.cli("scale", "again", "web=2")).status).to.equal(0);
    await writeFile(obstacle, "");
    const {
      canary: { state, share, verdict },
    } = await visitUntil("again", ({ verdict }) => verdict?.reason.includes("The promotion failed") ?? false);
    expect([state, share, verdict?.word, verdict?.action]).to.deep.equal(["live", 50, "hold", "none"]);
    expect(verdict?.reason).to.equal(
      "The promotion failed: web.2 ended (status 1) before it was ready. Production was not changed. The promotion will be tried again.",
    );
    await rm(obstacle);
    await visitUntil("again", ({ state }) => state === "promoted");
    await servesAsProduction("again");
  });

  it("holds without traffic, whatever the time, and says why", async () => {
    await pushBoth("quiet", { stepSeconds: 1, onPass: "promote" }, NEVER);
    const held = await eventually("two looks after its step", async () => {
      const now = await summary("quiet");
      const numbers = now.verdict?.numbers as { secondsInStep: number } | undefined;
      return (numbers?.secondsInStep ?? 0) > 2 && now;
    });
    expect(held).to.include({ state: "live" });
    expect(held.verdict).to.include({ word: "hold", action: "none" });
    expect(held.verdict?.reason).to.match(/had 0 of the 100 requests/);
  });

  it("fails at once over a hard limit, and leaves it to people with onFail: hold", async () => {
    await pushBoth("limit", { share: 50, maxErrorShare: 0.2, onFail: "hold" }, 2);
    await visitUntil("limit", ({ verdict }) => verdict?.word === "fail");
    const { state, verdict } = await summary("limit");
    expect(state).to.equal("live");
    expect(verdict).to.include({ word: "fail", action: "none" });
  });

  it("does not judge by who asks for a release, though all figures have them", async () => {
    await pushBoth("asked", { share: 50, stepSeconds: 600, minRequests: 10, maxErrorShare: 0.05 }, 2);
    let failed = 0;
    for (let request = 0; request < 100; request++) {
      if ((await sluice.get("asked", "/", { "x-client-mode": "green" })).status === 500) failed++;
      if ((await sluice.get("v2.asked", "/")).status === 500) failed++;
    }
    expect(failed).to.equal(100);
    let visitors = 0;
    for (let visit = 0; visit < 60; visit++) {
      const { headers } = await sluice.get("asked", "/fine");
      if (headers["sluice-track"] === "canary") visitors++;
    }
    expect(await canaryTotals("asked", 200 + visitors)).to.include({
      ...{ requests: 200 + visitors, answersOk: 100 + visitors, answers5xx: 100 },
    });
    const judged = await eventually("the visitors are seen", async () => {
      const now = await summary("asked");
      return requestsOf(now) >= visitors && now;
    });
    expect(judged).to.include({ state: "live" });
    expect(judged.verdict).to.include({ word: "hold", action: "none" });
    expect(judged.verdict?.reason).to.include(`errors 0 % of ${visitors} requests`);
    expect(judged.decisions.map(({ word }) => word)).to.deep.equal(["hold"]);
  });

  it("says at a share of 0 that nobody is sent to the canary, and decides nothing by who asks", async () => {
    const settings = { share: 0, stepSeconds: 0.1, minRequests: 1, maxErrorShare: 0.05, onPass: "promote" };
    await pushBoth("green", settings, 2);
    for (let request = 0; request < 60; request++)
      await sluice.get("green", "/", { "x-client-mode": "green" });
    await sluice.get("green", "/");
    expect(await canaryTotals("green", 60)).to.include({ answersOk: 30, answers5xx: 30 });
    const counted = new Date().toISOString();
    await eventually("it was looked at", async () => ((await summary("green")).verdict?.at ?? "") > counted);
    const { state, verdict } = await summary("green");
    expect([state, verdict?.word, verdict?.action]).to.deep.equal(["live", "hold", "none"]);
    expect(requestsOf(await summary("green"))).to.equal(0);
    expect((await sluice.cli("canary", "green")).stdout).to.match(
      /^hold: No visitors are sent to the canary: its share is 0. Visitors who choose it themselves do not count.$/m,
    );
  });

  it("counts who reached the goal of an A/B test, each visitor once, and decides nothing", async () => {
    await pushBoth(
      "ab",
      { share: 50, stepSeconds: 1, minRequests: 1, onPass: "promote", goal: { path: "/thanks" } },
      NEVER,
    );
    const cookies: string[] = [];
    for (let visitor = 0; visitor < 60; visitor++) {
      const first = await sluice.get("ab");
      const cookie = first.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
      cookies.push(cookie);
      if (visitor % 3 !== 0) continue;
      const thanks = await sluice.get("ab", "/thanks", { cookie });
      const marked = thanks.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
      expect(marked).to.equal(`${cookie}.g`);
      expect((await sluice.get("ab", "/thanks", { cookie: marked })).headers["set-cookie"]).to.equal(
        undefined,
      );
    }
    const canaries = cookies.filter((cookie) => cookie.includes("canary")).length;
    const goal = await eventually("all are counted", async () => {
      const { goal } = await summary("ab");
      return (
        goal !== null &&
        goal.canary.visitors + goal.production.visitors === 60 &&
        goal.canary.reached + goal.production.reached === 20 &&
        goal
      );
    });
    expect(goal.canary.visitors).to.equal(canaries);
    expect(goal.canary.interval.low).to.be.lessThan(goal.canary.share ?? 0);
    expect((await summary("ab")).state).to.equal("live");
    expect((await sluice.cli("canary", "ab")).stdout).to.match(/Visitors who reached \/thanks/);
  });
});
