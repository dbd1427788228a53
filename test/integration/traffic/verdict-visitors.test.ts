import { expect } from "chai";
import { Agent } from "node:http";
import { setTimeout } from "node:timers/promises";
import type { CanarySummary } from "../../../core/api/apps/canary.js";
import { eventually } from "../../support/eventually.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { ask } from "../../support/network/ask.js";
import { TestSluice } from "../../support/running/test-sluice.js";

/** `/broken` never works; `/N` fails where N is a multiple of `broken`. */
const server = (broken: number): string => `
require("node:http").createServer((request, response) => {
  const number = Number(request.url.slice(1));
  if (request.url === "/broken" || (number > 0 && number % ${broken} === 0)) response.statusCode = 500;
  response.end(process.env.RELEASE);
}).listen(process.env.PORT);
process.on("SIGTERM", () => process.exit(0));
`;
const NEVER = 1_000_000_000;
const VISITORS = 2000;
const REQUESTS = 4;
/** Each request of every fiftieth visitor is for a page that is broken in every release: 2 % of them. */
const UNLUCKY = 50;
const AT_ONCE = 16;

describe("the verdict on a canary with visitors who keep their cookies", function () {
  this.timeout(180_000);
  let sluice: TestSluice;
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  before(async () => {
    sluice = await TestSluice.start({});
  });
  after(async () => {
    agent.destroy();
    await sluice.dispose();
  });

  /** Production, and a canary that fails each `broken`-th number beside. */
  const pushBoth = async (app: string, broken: number): Promise<void> => {
    const canary = { share: 30, stepSeconds: 5 };
    const files = { "app.json": JSON.stringify({ sluice: { standbySeconds: 0, canary } }) };
    const clone = await sluice.clone(app, tinyApp({ ...files, "server.js": server(NEVER) }));
    await clone.mustPush();
    await clone.commit({ "server.js": server(broken), "note.txt": "canary" });
    await clone.mustPush("HEAD:staging");
  };
  const summary = async (app: string): Promise<CanarySummary> =>
    sluice.read<CanarySummary>(`apps/${app}/canary`);

  /** A visitor with a browser. Answers the last status. */
  const visit = async (app: string, path: string, requests: number): Promise<number> => {
    let [cookie, status] = ["", 0];
    for (let request = 0; request < requests; request++) {
      const headers = { host: `${app}.localhost`, ...(cookie === "" ? {} : { cookie }) };
      const answer = await ask(`127.0.0.1:${sluice.httpPort}`, { path, headers, agent });
      cookie = answer.headers["set-cookie"]?.[0]?.split(";")[0] ?? cookie;
      status = answer.status;
    }
    return status;
  };

  /** `everyMs`: a visitor comes so often. Answers how many came until it was over. */
  const visitors = async (app: string, everyMs: number, isOver: () => boolean): Promise<number> => {
    let came = 0;
    const beganAt = Date.now();
    const some = Array.from({ length: AT_ONCE }, async () => {
      while (came < VISITORS && !isOver()) {
        const number = ++came;
        await setTimeout(Math.max(0, beganAt + number * everyMs - Date.now()));
        await visit(app, number % UNLUCKY === 0 ? "/broken" : `/${number}`, REQUESTS);
      }
    });
    await Promise.all(some);
    return came;
  };

  it("passes one that is as good, though 2 % of them fail at each request, and one sends 300 that fail", async () => {
    await pushBoth("equal", NEVER);
    expect(await visitors("equal", 0, () => false)).to.equal(VISITORS);
    expect(await visit("equal", "/broken", 300)).to.equal(500);
    const passed = await eventually("all are counted, and it passes", async () => {
      const now = await summary("equal");
      expect(now.state, now.verdict?.reason).to.equal("live");
      const { canary, production } = now.verdict?.numbers ?? {};
      const seen = (canary?.visitors ?? 0) + (production?.visitors ?? 0);
      return seen === VISITORS + 1 && now.verdict?.word === "pass" && now;
    });
    const { canary, production } = passed.verdict?.numbers ?? {};
    expect((canary?.visitorsWithErrors ?? 0) + (production?.visitorsWithErrors ?? 0)).to.equal(
      VISITORS / UNLUCKY + 1,
    );
    expect((await sluice.cli("canary", "equal")).stdout).to.match(/visitors +met errors/);
  });

  it("takes one out that fails one visitor in ten more, and says by how many visitors", async () => {
    await pushBoth("worse", 10);
    let over = false;
    const watching = eventually("it goes", async () => (await summary("worse")).state === "aborted", 60_000);
    void watching.finally(() => (over = true)).catch(() => undefined);
    const came = await visitors("worse", 10, () => over);
    await watching;
    const { verdict } = await summary("worse");
    expect(verdict).to.include({ word: "fail", action: "abort" });
    expect(verdict?.reason).to.match(
      /^The canary's visitors meet errors more often than those of production: /,
    );
    expect(came).to.be.lessThan(VISITORS);
  });
});
