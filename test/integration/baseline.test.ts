import { expect } from "chai";
import type { CanarySummary } from "../../server/canary/canary-summary.js";
import type { ReleaseSummary } from "../../server/releases/summaries.js";
import { expectAccepted } from "../support/accepted.js";
import { eventually } from "../support/eventually.js";
import { startLoad } from "../support/load.js";
import type { TestClone } from "../support/test-clone.js";
import { TestSluice } from "../support/test-sluice.js";
import { tinyApp } from "../support/tiny-app.js";

const APP = "shop";
const SETTINGS = {
  standbySeconds: 0,
  canary: { share: 20, baseline: true, minRequests: 20, stepSeconds: 600 },
};

describe("a baseline", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  let clone: TestClone;
  before(async () => {
    sluice = await TestSluice.start({});
    const files = {
      Procfile: "web: node server.js\nworker: sleep 1000\nrelease: echo migrated\n",
      "app.json": JSON.stringify({
        sluice: SETTINGS,
        formation: { web: { quantity: 2 }, worker: { quantity: 1 } },
      }),
    };
    clone = await sluice.clone(APP, tinyApp(files));
    expectAccepted(await clone.push());
  });
  after(async () => sluice.dispose());

  const trackOf = async (headers: Record<string, string> = {}): Promise<string> => {
    const answer = await sluice.get(APP, "/", headers);
    return `${String(answer.headers["sluice-track"])} ${String(answer.headers["sluice-release"])}`;
  };
  const push = async (files: Record<string, string>, branch: string): Promise<void> => {
    await clone.commit(files);
    expectAccepted(await clone.push(`HEAD:${branch}`));
  };
  const baselines = async (): Promise<ReleaseSummary[]> =>
    (await sluice.read<ReleaseSummary[]>(`apps/${APP}/releases`)).filter(({ track }) => track === "baseline");
  const serving = async (): Promise<string | undefined> =>
    (await baselines()).find(({ traffic }) => traffic === "live")?.release;

  it("is as many fresh instances of production's release as the canary has, made without its scripts", async () => {
    const app = { sluice: SETTINGS, formation: { web: { quantity: 1 }, worker: { quantity: 1 } } };
    await push({ "app.json": JSON.stringify(app) }, "staging");
    const release = await eventually("it serves", serving);
    expect(release).to.equal("v3");
    const baseline = await eventually("it is settled", async () =>
      (await baselines()).find(({ phase }) => phase === "settled"),
    );
    const [, , production] = await sluice.read<ReleaseSummary[]>(`apps/${APP}/releases`);
    expect(baseline.commit).to.equal(production?.commit);
    expect((await sluice.instances()).filter((id) => id.startsWith(`${APP}.v3.`))).to.deep.equal([
      `${APP}.v3.web.1`,
    ]);
    const heard = await sluice.cli("logs", APP, "--release", "v3");
    expect(heard.stdout)
      .to.match(/Copying v1/)
      .and.not.to.match(/migrated/);
  });

  it("gets the canary's share of the visitors, who stay with it", async () => {
    const seen: Record<string, number> = {};
    for (let visit = 0; visit < 600; visit++) {
      const track = await trackOf();
      seen[track] = (seen[track] ?? 0) + 1;
    }
    expect(Object.keys(seen).sort()).to.deep.equal(["baseline v3", "canary v2", "production v1"]);
    expect(seen["baseline v3"]).to.be.within(80, 165);
    expect(seen["canary v2"]).to.be.within(80, 165);
    for (let visit = 0; visit < 20; visit++)
      expect(await trackOf({ cookie: "sluice=baseline.v3" })).to.equal("baseline v3");
  });

  it("is what the canary is compared with", async () => {
    const judged = await eventually("there is a verdict", async () => {
      const { verdict } = await sluice.read<CanarySummary>(`apps/${APP}/canary`);
      const { canary, production, against } = (verdict?.numbers ?? {}) as {
        canary?: { requests: number };
        production?: { requests: number };
        against?: string;
      };
      return (
        (canary?.requests ?? 0) > 80 && { against, requests: production?.requests, reason: verdict?.reason }
      );
    });
    expect(judged.against).to.equal("baseline");
    // The visits of the test before; production had three times as many.
    expect(judged.requests).to.be.within(80, 190);
    expect((await sluice.cli("canary", APP)).stdout).to.match(/^baseline +\d/m);
  });

  it("follows production's release, under load, without a failed request", async () => {
    const load = startLoad(sluice.httpPort, APP, "/", 100);
    await push({ "note.txt": "new production" }, "master");
    const release = await eventually("it is made anew", async () => {
      const now = await serving();
      return now !== "v3" && now;
    });
    await eventually(
      "its visitors are led to the new one",
      async () => (await trackOf({ cookie: "sluice=baseline.v3" })) === `baseline ${release}`,
    );
    await eventually(
      "the old one is gone",
      async () => !(await sluice.instances()).some((id) => id.includes(".v3.")),
    );
    expect((await load.stop()).failures).to.deep.equal([]);
  });

  it("goes with the canary", async () => {
    expect((await sluice.cli("abort", APP)).status).to.equal(0);
    await eventually("it is gone", async () => (await sluice.instances()).every((id) => id.includes(".v4.")));
    expect(await trackOf({ cookie: "sluice=baseline.v5" })).to.equal("production v4");
    expect((await baselines()).map(({ phase }) => phase)).to.deep.equal(["retired", "retired"]);
  });
});
