import { expect } from "chai";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CanarySummary } from "../../../core/api/apps/canary.js";
import { expectAccepted } from "../../support/accepted.js";
import { eventually } from "../../support/eventually.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

/** As the canary it fails the requests that want it to. */
const SERVER = `
require("node:http").createServer((request, response) => {
  if (process.env.SLUICE_TRACK === "canary" && request.headers["x-bad"]) response.statusCode = 500;
  response.end(process.env.RELEASE);
}).listen(process.env.PORT);
process.on("SIGTERM", () => process.exit(0));`;
const CANARY = { share: 50, stepSeconds: 1, minRequests: 5, onPass: "promote", maxErrorShare: 0.05 };

describe("a promotion that waits for a push to master", function () {
  this.timeout(180_000);
  let sluice: TestSluice;
  before(async () => (sluice = await TestSluice.start()));
  after(async () => sluice.dispose());

  const canary = async (app: string): Promise<CanarySummary> => sluice.read(`apps/${app}/canary`);
  const visit = async (app: string, headers: Record<string, string> = {}): Promise<void> => {
    for (let visitor = 0; visitor < 40; visitor++) await sluice.get(app, "/", headers);
  };
  const alert = async (value: string): Promise<void> => {
    const own = await sluice.redis();
    await own.redis.set("sluice:alert", value);
    own.close();
  };

  /** A canary that has passed, and a push to master whose gate ends when the answer is called. */
  const waiting = async (app: string): Promise<() => Promise<void>> => {
    const open = join(sluice.shared, `${app}-gate`);
    const files = (gate: string): Record<string, string> => ({
      "app.json": JSON.stringify({ sluice: { canary: CANARY, gates: { gate } } }),
    });
    const clone = await sluice.clone(app, tinyApp({ ...files("true"), "server.js": SERVER }));
    await clone.mustPush();
    await clone.commit({ "note.txt": "canary" });
    await clone.mustPush("HEAD:staging");
    await clone.commit(files(`echo the gate runs; until [ -e ${open} ]; do sleep 0.1; done`));
    const push = clone.startPush();
    await eventually("the gate runs", () => push.output().includes("the gate runs"));
    await visit(app);
    await eventually("it passes", async () => (await canary(app)).verdict?.action === "promote");
    return async () => {
      await writeFile(open, "");
      expectAccepted(await push.done);
    };
  };

  it("is given up when the canary turns bad meanwhile, which goes", async () => {
    const go = await waiting("bad");
    await visit("bad", { "x-bad": "1" });
    await eventually("it goes", async () => (await canary("bad")).state === "aborted");
    await go();
    expect((await canary("bad")).verdict).to.include({ word: "fail", action: "abort" });
    expect((await sluice.get("bad")).body).to.equal("v3");
  });

  it("is given up when production became another one, a person set the share, or there is an alert", async () => {
    const [pushed, byHand, alerted] = [
      await waiting("pushed"),
      await waiting("hand"),
      await waiting("alert"),
    ];
    expect((await sluice.cli("weight", "hand", "5")).status).to.equal(0);
    await alert("yes");
    for (const go of [pushed, byHand, alerted]) await go();
    await alert("no");
    const calm = new Date().toISOString();
    const replaced = /^Production changed from v1 to v3 after this canary began/;
    for (const [app, word, reason] of [
      ["pushed", "hold", replaced],
      ["alert", "hold", replaced],
      ["hand", "pass", /no sign of being worse/],
    ] as const) {
      const left = await eventually(`${app}: it was looked at again`, async () => {
        const { state, verdict } = await canary(app);
        return verdict !== null && verdict.at > calm && reason.test(verdict.reason) && { state, ...verdict };
      });
      expect([left.state, left.word, left.action]).to.deep.equal(["live", word, "none"]);
      expect((await sluice.get(app, "/", { "x-client-mode": "blue" })).body).to.equal("v3");
    }
  });
});
