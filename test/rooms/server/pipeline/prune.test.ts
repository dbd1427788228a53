import { expect } from "chai";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Home } from "../../../../core/home.js";
import type { ReleaseRecord } from "../../../../core/records/releases/release-record.js";
import {
  emptyRouteTable,
  PRODUCTION,
  type RoutedRelease,
} from "../../../../core/records/routes/route-table.js";
import { RouteTables } from "../../../../core/records/routes/route-tables.js";
import { prune } from "../../../../server/pipeline/prune.js";
import { ReleaseStore } from "../../../../server/releases/release-store.js";
import type { ReconcileNeeds } from "../../../../server/reconcile/needs.js";
import { TestRedis } from "../../../support/redis/test-redis.js";

const NEWEST = 104;
const SERVING: RoutedRelease = {
  ...{ number: 1, track: PRODUCTION, servers: [], sticky: false, asleep: false, sleepSeconds: 0 },
  ...{ expireSeconds: 0, since: 0, drainSeconds: 9, standbySeconds: 0, sessionIdleSeconds: 60 },
};

describe("pruning an app", () => {
  let redis: TestRedis;
  let folder: string;
  before(async () => {
    redis = await TestRedis.start();
    folder = await mkdtemp(join(tmpdir(), "prune-"));
  });
  after(async () => {
    await redis.dispose();
    await rm(folder, { recursive: true });
  });

  it("keeps what serves and what is being made though a hundred came later, and the last hundred records", async () => {
    const connection = await redis.connect();
    const releases = new ReleaseStore(connection);
    const home = new Home(folder);
    const forgotten: string[] = [];
    // What only asks Redis and the file system is enough for this.
    const tools = {
      ...{ home, releases, routes: new RouteTables(connection), path: "" },
      settings: { limits: { keepReleases: 2 } },
      logs: { forget: async (id: string) => Promise.resolve(forgotten.push(id)) },
    } as unknown as ReconcileNeeds;
    const draft = await releases.draft({
      ...{ app: "shop", commit: "c", branch: "main", track: PRODUCTION, source: "push", by: "me" },
      ...{ steps: "deploy", processes: [{ name: "web", command: "x", quantity: 1 }] },
    });
    const phases: Record<number, ReleaseRecord["phase"]> = { 1: "settled", 2: "built" };
    for (let number = 1; number <= NEWEST; number++)
      await releases.save({
        ...{ ...draft, number, phase: phases[number] ?? "failed" },
        instances: [{ id: `shop.v${number}.web.1`, process: "web", index: 1, address: "127.0.0.1:1" }],
      });
    await tools.routes.update("shop", () => ({
      ...emptyRouteTable("shop"),
      ...{ tracks: { [PRODUCTION]: 1 }, releases: [SERVING] },
    }));
    const trees = ["v1", "v2", "v3", `v${NEWEST}`, "notes"];
    for (const name of trees) await mkdir(join(home.releases("shop"), name, "tree"), { recursive: true });

    await prune(tools, "shop");

    const numbers = (await releases.list("shop")).map(({ number }) => number);
    // 104 to 5 are the last hundred.
    expect(numbers).to.deep.equal([...Array.from({ length: 100 }, (_, index) => NEWEST - index), 2, 1]);
    expect((await readdir(home.releases("shop"))).sort()).to.deep.equal(["notes", "v1", "v2"]);
    expect(forgotten).to.have.members([`shop.v${NEWEST}`, "shop.v3"]);
  });
});
