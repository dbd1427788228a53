import { expect } from "chai";
import type { Upstream } from "../../support/network/upstream.js";
import type { ProxyTrial } from "./proxy-trial.js";
import { cookieOf, splitRoutes, visits, whereOf, type WantedSplit } from "./split-app.js";

export function leadsWhoAsks(trial: ProxyTrial): void {
  let both: { production: Upstream; canary: Upstream };
  beforeEach(async () => {
    both = { production: await trial.upstream("v1"), canary: await trial.upstream("v2") };
  });
  const split = async (wanted: WantedSplit): Promise<void> => trial.apply("a", splitRoutes(wanted));

  it("leads blue to production and green to the canary, in any case, whatever the share and the cookie", async () => {
    for (const share of [0, 100])
      for (const sticky of [false, true]) {
        await split({ ...both, share, sticky });
        for (const cookie of ["", "sluice=canary.v2", "sluice=production.v1"])
          for (const [mode, where] of [
            ["blue", "production v1"],
            ["Green", "canary v2"],
            ["GREEN", "canary v2"],
          ] as const) {
            const headers = { "X-Client-Mode": mode, ...(cookie === "" ? {} : { cookie }) };
            const answer = await trial.get("a", "/", headers);
            const what = `${mode} at ${share} with ${cookie}`;
            expect([whereOf(answer), cookieOf(answer)], what).to.deep.equal([where, undefined]);
          }
      }
  });

  it("answers 404 to green without a canary, and production to blue; neither is given a cookie", async () => {
    await split({ production: both.production });
    for (const cookie of ["", "sluice=canary.v2"]) {
      const headers: Record<string, string> = cookie === "" ? {} : { cookie };
      expect((await trial.get("a", "/", { ...headers, "x-client-mode": "green" })).status).to.equal(404);
      const blue = await trial.get("a", "/", { ...headers, "x-client-mode": "blue" });
      expect([whereOf(blue), cookieOf(blue)], cookie).to.deep.equal(["production v1", undefined]);
    }
  });

  it("takes any other word for none", async () => {
    await split({ ...both, share: 100 });
    for (const mode of ["", "red", "greenish", "blue, green"])
      expect(await visits(trial, 5, { "x-client-mode": mode }), mode).to.deep.equal({ "canary v2": 5 });
  });

  it("looks at the header that an app names, and at no other then", async () => {
    await split({ ...both, share: 0, header: "x-side" });
    expect(whereOf(await trial.get("a", "/", { "X-Side": "Green" }))).to.equal("canary v2");
    expect(whereOf(await trial.get("a", "/", { "x-client-mode": "green" }))).to.equal("production v1");
    await split({ production: both.production, header: "x-side" });
    expect((await trial.get("a", "/", { "x-side": "green" })).status).to.equal(404);
    expect((await trial.get("a", "/", { "x-client-mode": "green" })).status).to.equal(200);
  });

  it("leads who asks by the header at a release's own host to that release", async () => {
    await split({ ...both, share: 30 });
    expect(whereOf(await trial.get("v1.a", "/", { "x-client-mode": "green" }))).to.equal("production v1");
    expect(whereOf(await trial.get("v2.a", "/", { "x-client-mode": "blue" }))).to.equal("canary v2");
  });
}
