import { expect } from "chai";
import type { HttpAnswer } from "../../support/running/test-sluice.js";
import { routesOf, type ProxyTrial } from "./proxy-trial.js";

export function keepsVisitors(trial: ProxyTrial): void {
  it("brings a visitor's cookie back to a sticky release, until it is none", async () => {
    const [one, two] = [await trial.upstream("v1"), await trial.upstream("v2")];
    const releases = { 1: [one], 2: [two] };
    await trial.apply("a", routesOf("a", { live: 1, releases, sticky: [1, 2] }));
    const [cookie = ""] = cookiesOf(await trial.get("a"));
    expect(cookie).to.equal("sluice=production.v1");
    await trial.apply("a", routesOf("a", { live: 2, releases, sticky: [1, 2] }));
    const back = await trial.get("a", "/", { cookie: `theme=dark; ${cookie}; other=1` });
    expect([back.body, cookiesOf(back)]).to.deep.equal(["v1", []]);
    expect(back.headers).to.include({ "sluice-release": "v1" });
    expect((await trial.get("a")).body).to.equal("v2");
    await trial.apply("a", routesOf("a", { live: 2, releases, sticky: [2] }));
    const moved = await trial.get("a", "/", { cookie });
    expect([moved.body, cookiesOf(moved)]).to.deep.equal(["v2", ["sluice=production.v2"]]);
    await trial.apply("a", routesOf("a", { live: 2, releases: { 2: [two] }, sticky: [2] }));
    expect((await trial.get("a", "/", { cookie })).body).to.equal("v2");
  });

  it("gives no cookie to visitors of a release that is not sticky", async () => {
    const one = await trial.upstream("v1");
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] } }));
    expect(cookiesOf(await trial.get("a"))).to.deep.equal([]);
    expect(cookiesOf(await trial.get("a", "/", { cookie: "sluice=production.v9" }))).to.deep.equal([]);
  });

  it("brings a visitor to the live release when the one that they had has no server left", async () => {
    const [one, two] = [await trial.upstream("v1"), await trial.upstream("v2")];
    const sticky = [1, 2];
    await trial.apply("a", routesOf("a", { live: 2, releases: { 1: [one], 2: [two] }, sticky }));
    const cookie = "sluice=production.v1";
    expect((await trial.get("a", "/", { cookie })).body).to.equal("v1");
    await trial.apply("a", routesOf("a", { live: 2, releases: { 1: [], 2: [two] }, sticky }));
    const moved = await trial.get("a", "/", { cookie });
    expect([moved.body, cookiesOf(moved)]).to.deep.equal(["v2", ["sluice=production.v2"]]);
  });

  it("takes any other cookie for none", async () => {
    const [one, two] = [await trial.upstream("v1"), await trial.upstream("v2")];
    await trial.apply("a", routesOf("a", { live: 2, releases: { 1: [one], 2: [two] }, sticky: [1, 2] }));
    await trial.apply("b", routesOf("b", { live: 7, releases: { 7: [one] }, sticky: [7] }));
    for (const value of [
      "",
      "v1",
      ".",
      "production.",
      "production.v7",
      "production./../v1",
      "b/v7",
      "a.b.c",
      "%00",
      '"',
    ]) {
      const answer = await trial.get("a", "/", { cookie: `sluice=${value}` });
      expect([answer.status, answer.body], value).to.deep.equal([200, "v2"]);
    }
  });
}

function cookiesOf({ headers }: HttpAnswer): string[] {
  return (headers["set-cookie"] ?? []).map((cookie) => cookie.split(";")[0] ?? "");
}
