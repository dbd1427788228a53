import { expect } from "chai";
import type { CanarySummary } from "../../../core/api/apps/canary.js";
import type { ReleaseSummary } from "../../../core/api/apps/releases.js";
import { eventually } from "../../support/eventually.js";
import { startLoad } from "../../support/running/load.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

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
    await clone.mustPush();
  });
  after(async () => sluice.dispose());

  const trackOf = async (headers: Record<string, string> = {}): Promise<string> => {
    const answer = await sluice.get(APP, "/", headers);
    return `${String(answer.headers["sluice-track"])} ${String(answer.headers["sluice-release"])}`;
  };
  const push = async (files: Record<string, string>, branch: string): Promise<void> => {
    await clone.commit(files);
    await clone.mustPush(`HEAD:${branch}`);
  };
  const baselines = async (): Promise<ReleaseSummary[]> =>
    (await sluice.read<ReleaseSummary[]>(`apps/${APP}/releases`)).filter(({ track }) => track === "baseline");
  const serving = async (): Promise<string | undefined> =>
    (await baselines()).find(({ traffic, phase }) => traffic === "live" && phase === "settled")?.release;

  /** The baseline's release; with a new canary where there is none. */
  const present = async (): Promise<string> => {
    if ((await serving()) === undefined) {
      const app = { sluice: SETTINGS, formation: { web: { quantity: 1 }, worker: { quantity: 1 } } };
      await push({ "app.json": JSON.stringify(app) }, "staging");
    }
    return eventually("it serves", serving);
  };
  const releaseOf = async (mode: "blue" | "green"): Promise<string> =>
    String((await sluice.get(APP, "/", { "x-client-mode": mode })).headers["sluice-release"]);
  let visiting: Promise<Record<string, number>> | undefined;
  /** Track and release → how many of 600 visitors got it, once for all tests. */
  const sixHundredVisits = async (): Promise<Record<string, number>> =>
    (visiting ??= (async () => {
      const seen: Record<string, number> = {};
      for (let visit = 0; visit < 600; visit++) {
        const track = await trackOf();
        seen[track] = (seen[track] ?? 0) + 1;
      }
      return seen;
    })());

  it("is as many fresh instances of production's release as the canary has, made without its scripts", async () => {
    const release = await present();
    const baseline = await eventually("it is settled", async () =>
      (await baselines()).find(({ phase }) => phase === "settled"),
    );
    const production = await releaseOf("blue");
    const releases = await sluice.read<ReleaseSummary[]>(`apps/${APP}/releases`);
    expect(baseline.commit).to.equal(releases.find((each) => each.release === production)?.commit);
    expect((await sluice.instances()).filter((id) => id.startsWith(`${APP}.${release}.`))).to.deep.equal([
      `${APP}.${release}.web.1`,
    ]);
    const heard = await sluice.cli("logs", APP, "--release", release);
    expect(heard.stdout)
      .to.match(new RegExp(`Copying ${production}`))
      .and.not.to.match(/migrated/);
  });

  it("gets the canary's share of the visitors, who stay with it", async () => {
    const release = await present();
    const [production, canary] = [await releaseOf("blue"), await releaseOf("green")];
    const seen = await sixHundredVisits();
    expect(Object.keys(seen).sort()).to.deep.equal([
      `baseline ${release}`,
      `canary ${canary}`,
      `production ${production}`,
    ]);
    expect(seen[`baseline ${release}`]).to.be.within(80, 165);
    expect(seen[`canary ${canary}`]).to.be.within(80, 165);
    for (let visit = 0; visit < 20; visit++)
      expect(await trackOf({ cookie: `sluice=baseline.${release}` })).to.equal(`baseline ${release}`);
  });

  it("is what the canary is compared with", async () => {
    await present();
    await sixHundredVisits();
    const judged = await eventually("there is a verdict", async () => {
      const { verdict } = await sluice.read<CanarySummary>(`apps/${APP}/canary`);
      const { canary, production, against } = (verdict?.numbers ?? {}) as {
        canary?: { requests: number };
        production?: { requests: number };
        against?: string;
      };
      // Each track is counted by itself, second by second.
      const isCounted = (canary?.requests ?? 0) > 80 && (production?.requests ?? 0) > 80;
      return isCounted && { against, requests: production?.requests, reason: verdict?.reason };
    });
    expect(judged.against).to.equal("baseline");
    // Production had three times as many.
    expect(judged.requests).to.be.below(190);
    expect((await sluice.cli("canary", APP)).stdout).to.match(/^baseline +\d/m);
  });

  it("follows production's release, under load, without a failed request", async () => {
    const before = await present();
    const load = startLoad(sluice.httpPort, APP, "/", 100);
    await push({ "note.txt": "new production" }, "master");
    const release = await eventually("it is made again", async () => {
      const now = await serving();
      return now !== before && now;
    });
    await eventually(
      "its visitors are led to the new one",
      async () => (await trackOf({ cookie: `sluice=baseline.${before}` })) === `baseline ${release}`,
    );
    await eventually(
      "the old one is gone",
      async () => !(await sluice.instances()).some((id) => id.includes(`.${before}.`)),
    );
    expect((await load.stop()).failures).to.deep.equal([]);
  });

  it("goes with the canary", async () => {
    const release = await present();
    const production = await releaseOf("blue");
    expect((await sluice.cli("abort", APP)).status).to.equal(0);
    await eventually("it is gone", async () =>
      (await sluice.instances()).every((id) => id.includes(`.${production}.`)),
    );
    expect(await trackOf({ cookie: `sluice=baseline.${release}` })).to.equal(`production ${production}`);
    await eventually("every baseline has retired", async () =>
      (await baselines()).every(({ phase }) => phase === "retired"),
    );
  });
});
