import { expect } from "chai";
import { canarySettingsSchema } from "../../../core/records/releases/canary-settings.js";
import type { ReleaseRecord } from "../../../core/records/releases/release-record.js";
import {
  CANARY,
  emptyRouteTable,
  PRODUCTION,
  type RouteTable,
} from "../../../core/records/routes/route-table.js";
import type { AppRoutes } from "../../../proxy/proxy.js";
import { routesOf } from "../../../proxy/routes-of.js";
import { withLive, withoutCanary } from "../../../server/routes/route-changes.js";
import type { Upstream } from "../../support/network/upstream.js";
import type { ProxyTrial } from "./proxy-trial.js";
import { cookieOf, shapeOf, splitRoutes, visits, whereOf, type WantedSplit } from "./split-app.js";

const VISITS = 400;
/** 30 % of them: five standard deviations to either side are left by chance once in a million times. */
const [LEAST, MOST] = [75, 165];

export function splitsVisitors(trial: ProxyTrial): void {
  let both: { production: Upstream; canary: Upstream };
  let baseline: Upstream;
  beforeEach(async () => {
    both = { production: await trial.upstream("v1"), canary: await trial.upstream("v2") };
    baseline = await trial.upstream("v3");
  });
  const split = async (wanted: WantedSplit): Promise<void> => trial.apply("a", splitRoutes(wanted));

  it("gives a canary its share of the visitors without a cookie, and each a cookie that names what they got", async () => {
    await split({ ...both, share: 30 });
    const seen: Record<string, number> = {};
    for (let visit = 0; visit < VISITS; visit++) {
      const answer = await trial.get("a");
      const where = whereOf(answer);
      seen[where] = (seen[where] ?? 0) + 1;
      expect(shapeOf(answer)).to.equal(`sluice=${where.replace(" ", ".")}.v2-3000.TICKET`);
    }
    expect(Object.keys(seen).sort()).to.deep.equal(["canary v2", "production v1"]);
    expect(seen["canary v2"]).to.be.within(LEAST, MOST);
  });

  it("sends all to the canary at 100, and nobody at 0, who is then given no cookie", async () => {
    await split({ ...both, share: 100 });
    expect(await visits(trial, 50)).to.deep.equal({ "canary v2": 50 });
    await split({ ...both, share: 0 });
    expect(await visits(trial, 50)).to.deep.equal({ "production v1": 50 });
    expect(cookieOf(await trial.get("a"))).to.equal(undefined);
  });

  it("leads nobody back to an aborted canary that is still left, also once there is another", async () => {
    const live =
      (number: number, track: string, { address }: Upstream) =>
      (table: RouteTable) =>
        withLive(table, recordOf(number, track, address), number);
    const table = [
      live(1, PRODUCTION, both.production),
      live(2, CANARY, both.canary),
      (now: RouteTable) => withoutCanary(now, 3),
      live(4, CANARY, baseline),
    ].reduce((now, change) => change(now), emptyRouteTable("a"));
    await trial.apply(
      "a",
      routesOf(
        { ...table, canary: { share: 50, isManual: true } },
        { domain: "localhost", isAlert: false, covered: () => undefined, errorPage: undefined },
      ),
    );
    expect(await visits(trial, 20, { cookie: "sluice=canary.v2" })).to.deep.equal({ "canary v4": 20 });
    expect(await visits(trial, 20, { cookie: "sluice=production.v1" })).to.deep.equal({
      "production v1": 20,
    });
  });

  it("keeps visitors on their track whatever the share becomes, but for 0", async () => {
    for (const share of [1, 99, 50]) {
      await split({ ...both, share });
      for (const [cookie, where] of [
        ["sluice=canary.v2", "canary v2"],
        ["sluice=production.v1", "production v1"],
      ] as const) {
        expect(await visits(trial, 20, { cookie }), `${share}`).to.deep.equal({ [where]: 20 });
        expect(cookieOf(await trial.get("a", "/", { cookie })), cookie).to.equal(undefined);
      }
    }
  });

  for (const sticky of [false, true])
    it(`lets a canary's visitors wait in production at 0, who return after it (${sticky ? "sticky" : "free"} releases)`, async () => {
      const cookie = "sluice=canary.v2";
      await split({ ...both, share: 0, sticky });
      const waiting = await trial.get("a", "/", { cookie });
      expect([whereOf(waiting), cookieOf(waiting)]).to.deep.equal(["production v1", undefined]);
      await split({ ...both, share: 1, sticky });
      expect(await visits(trial, 20, { cookie })).to.deep.equal({ "canary v2": 20 });
    });

  it("gives visitors of a canary that is gone production, and its cookie", async () => {
    await split({ production: both.production });
    const moved = await trial.get("a", "/", { cookie: "sluice=canary.v2" });
    expect([whereOf(moved), cookieOf(moved)]).to.deep.equal(["production v1", "sluice=production.v1"]);
    expect(cookieOf(await trial.get("a", "/", { cookie: "sluice=production.v1" }))).to.equal(undefined);
  });

  it("names the release of now to visitors whose track has another one", async () => {
    await split({ ...both, share: 1 });
    const moved = await trial.get("a", "/", { cookie: "sluice=canary.v9" });
    expect([whereOf(moved), cookieOf(moved)]).to.deep.equal(["canary v2", "sluice=canary.v2"]);
    const other = await trial.get("a", "/", { cookie: "sluice=production.v9" });
    expect([whereOf(other), cookieOf(other)]).to.deep.equal(["production v1", "sluice=production.v1"]);
  });

  it("gives a baseline the canary's share, or what is left of it", async () => {
    await split({ ...both, baseline, share: 30 });
    const seen = await visits(trial, VISITS);
    expect(Object.keys(seen).sort()).to.deep.equal(["baseline v3", "canary v2", "production v1"]);
    for (const where of ["baseline v3", "canary v2"]) expect(seen[where], where).to.be.within(LEAST, MOST);
    expect(await visits(trial, 20, { cookie: "sluice=baseline.v3" })).to.deep.equal({ "baseline v3": 20 });
    await split({ ...both, baseline, share: 70 });
    const more = await visits(trial, VISITS);
    expect(Object.keys(more).sort()).to.deep.equal(["baseline v3", "canary v2"]);
    expect(more["baseline v3"]).to.be.within(LEAST, MOST);
    await split({ ...both, baseline, share: 0 });
    expect(await visits(trial, 20, { cookie: "sluice=baseline.v3" })).to.deep.equal({ "production v1": 20 });
  });

  it("lets visitors of a baseline that is gone throw dice again", async () => {
    await split({ ...both, share: 100 });
    const moved = await trial.get("a", "/", { cookie: "sluice=baseline.v3" });
    expect([whereOf(moved), shapeOf(moved)]).to.deep.equal(["canary v2", "sluice=canary.v2.v2-10000.TICKET"]);
  });

  it("keeps whom chance has sent on their track, whatever the share and the canary become", async () => {
    await split({ ...both, share: 30 });
    const cookies: string[] = [];
    for (let visit = 0; visit < 40; visit++) cookies.push(cookieOf(await trial.get("a")) ?? "");
    const changes = [
      splitRoutes({ ...both, share: 99 }),
      splitRoutes({ ...both, share: 1 }),
      withCanaryNumbered(7, splitRoutes({ ...both, share: 60 })),
      withCanaryNumbered(7, splitRoutes({ ...both, share: 30 })),
    ];
    for (const routes of changes) {
      await trial.apply("a", routes);
      for (const [index, cookie] of cookies.entries()) {
        const answer = await trial.get("a", "/", { cookie });
        expect(String(answer.headers["sluice-track"])).to.equal(/sluice=([a-z]+)/.exec(cookie)?.[1]);
        cookies[index] = cookieOf(answer) ?? cookie;
        expect(ticketOf(cookies[index] ?? "")).to.equal(ticketOf(cookie));
      }
    }
    for (const cookie of cookies)
      expect(cookie).to.match(/^sluice=(canary\.v7|production\.v1)\.v7-3000\.\d+$/);
  });

  it("leaves visitors their tickets while the canary takes nobody, and takes them when it is gone", async () => {
    await split({ ...both, share: 100 });
    const cookie = cookieOf(await trial.get("a")) ?? "";
    await split({ ...both, share: 0 });
    const waiting = await trial.get("a", "/", { cookie });
    expect([whereOf(waiting), cookieOf(waiting)]).to.deep.equal(["production v1", undefined]);
    await split({ production: both.production });
    const after = await trial.get("a", "/", { cookie });
    expect([whereOf(after), cookieOf(after)]).to.deep.equal(["production v1", "sluice="]);
    expect(String(after.headers["set-cookie"])).to.include("Max-Age=0");
    await split({ production: both.production, sticky: true });
    expect(cookieOf(await trial.get("a", "/", { cookie }))).to.equal("sluice=production.v1");
  });

  it("serves a canary without production, whose visitors keep their cookie", async () => {
    await split({ canary: both.canary, share: 100 });
    const first = await trial.get("a");
    expect([whereOf(first), shapeOf(first)]).to.deep.equal(["canary v2", "sluice=canary.v2.v2-10000.TICKET"]);
    const again = await trial.get("a", "/", { cookie: "sluice=canary.v2" });
    expect([whereOf(again), cookieOf(again)]).to.deep.equal(["canary v2", undefined]);
  });

  it("splits nobody who comes by a release's own host", async () => {
    for (const sticky of [false, true]) {
      await split({ ...both, share: 50, sticky });
      for (const cookie of ["", "sluice=canary.v2", "sluice=production.v1"]) {
        for (const [host, where] of [
          ["v1.a", "production v1"],
          ["v2.a", "canary v2"],
        ] as const) {
          const answer = await trial.get(host, "/", cookie === "" ? {} : { cookie });
          expect([whereOf(answer), cookieOf(answer)], `${host} ${cookie}`).to.deep.equal([where, undefined]);
        }
      }
    }
  });
}

function ticketOf(cookie: string): string | undefined {
  return cookie.split(".")[3];
}

/** The same routes where v2, the canary, has another number. */
function withCanaryNumbered(number: number, routes: AppRoutes): AppRoutes {
  const renamed = (release: string): string => (release === "a/v2" ? `a/v${number}` : release);
  const renamedIn = <Value>(map: ReadonlyMap<string, Value>): Map<string, Value> =>
    new Map([...map].map(([key, value]) => [renamed(key), value]));
  return {
    ...routes,
    hosts: new Map([...routes.hosts].map(([host, target]) => [host, renamed(target)])),
    tracks: new Map([...routes.tracks].map(([track, release]) => [track, renamed(release)])),
    splits: new Map(
      [...routes.splits].map(([track, split]) => [
        track,
        { ...split, canary: split.canary && renamed(split.canary) },
      ]),
    ),
    releases: renamedIn(routes.releases),
  };
}

/** A release whose visitors are kept. */
function recordOf(number: number, track: string, address: string): ReleaseRecord {
  return {
    ...{ v: 1, app: "a", number, commit: "c", branch: "b", track, phase: "healthy", source: "push" },
    ...{
      steps: "deploy",
      by: "x",
      at: "",
      reachedAt: {},
      processes: [{ name: "web", command: "x", quantity: 1 }],
      previewEnv: {},
    },
    instances: [{ id: `a.v${number}.web.1`, process: "web", index: 1, address }],
    canary: canarySettingsSchema.parse({}),
    artifact: { kind: "tree" },
    serving: {
      ...{ sticky: true, listen: "port", drainSeconds: 900, standbySeconds: 600, sessionIdleSeconds: 900 },
      ...{ memoryMegabytes: 4, sleepSeconds: 0, expireSeconds: 0 },
    },
  };
}
