import { expect } from "chai";
import { AppError } from "../../../../core/errors/app-error.js";
import { FleetHosts } from "../../../../core/records/fleet/fleet-hosts.js";
import { snapshotRequestSchema } from "../../../../core/api/machines/snapshots.js";
import { SNAPSHOT_SCOPES } from "../../../../provisioning/digitalocean/droplets/snapshots.js";
import { Fleet } from "../../../../provisioning/fleet/fleet.js";
import { FleetOrders } from "../../../../provisioning/fleet/fleet-orders.js";
import { FleetWorld } from "../../../support/fakes/fleet-world.js";
import { eventually } from "../../../support/eventually.js";
import { OwnRedis } from "../../../support/redis/own-redis.js";

const ACTOR = { by: "ann" };
const REQUEST = snapshotRequestSchema.parse({});
const NAME = "sluice-1-production-fra1-0.1.0-aa";
/** More than a snapshot takes. */
const MOST_MOMENTS = 40;

describe("a snapshot of a fleet", function () {
  this.timeout(60_000);
  let own: OwnRedis;
  let world: FleetWorld;
  let hosts: FleetHosts;
  let running: { stop(): Promise<void> } | undefined;
  before(async () => (own = await OwnRedis.start()));
  beforeEach(async () => {
    await own.redis.flushall();
    world = new FleetWorld(own.redis);
    hosts = new FleetHosts(own.redis);
  });
  afterEach(async () => running?.stop());
  after(async () => own.stop());

  const restart = async (): Promise<FleetOrders> => {
    await running?.stop();
    const needs = world.needs();
    const fleet = new Fleet(needs);
    running = fleet.start();
    return new FleetOrders(needs, fleet);
  };
  const isOver = async (): Promise<void> => {
    let isRestarted = false;
    await eventually("it is over", async () => {
      if (world.wasKilled && !isRestarted) {
        isRestarted = true;
        await restart();
      }
      return (await hosts.list()).length === 0;
    });
  };
  const snapshots = (): string[] => world.snapshots.map(({ name }) => name);

  it("is taken of a droplet that is destroyed then, and replaces the earlier ones", async () => {
    world.snapshots.push({
      ...{ id: 99, name: "sluice-1-production-fra1-0.0.9-bb", role: "production", regions: ["fra1"] },
      ...{ createdAt: "2025-01-01T00:00:00Z", gigabytes: 2, minDiskGigabytes: 50, monthlyUsd: 0.12 },
    });
    const orders = await restart();
    const { snapshot, begun } = await orders.snapshots.order(REQUEST, ACTOR);
    expect(snapshot).to.equal(NAME);
    await isOver();
    expect(snapshots()).to.deep.equal([NAME]);
    expect(world.droplets.size).to.equal(0);
    const { lines, active } = await orders.progress(begun?.host ?? "", begun?.after ?? "");
    expect(active).to.equal(false);
    expect(lines.map(({ text }) => text)).to.include.members([
      `Taking the snapshot ${NAME}`,
      "sluice-1-production-fra1-0.0.9-bb is deleted",
      "the droplet is destroyed",
    ]);
    expect((await orders.snapshots.billed()).map(({ name }) => name)).to.deep.equal([NAME]);
  });

  it("is not taken twice: who asks again follows the first, or finds it", async () => {
    const orders = await restart();
    const first = await orders.snapshots.order(REQUEST, ACTOR);
    expect(await orders.snapshots.order(REQUEST, ACTOR)).to.deep.equal(first);
    await isOver();
    expect(await orders.snapshots.order(REQUEST, ACTOR)).to.deep.equal({ snapshot: NAME, begun: null });
    expect(snapshots()).to.deep.equal([NAME]);
  });

  it("does not keep a role's hosts waiting, and is none of them", async () => {
    const orders = await restart();
    await orders.snapshots.order(REQUEST, ACTOR);
    expect((await hosts.list()).map(({ roles }) => roles)).to.deep.equal([[]]);
    await isOver();
    expect(world.engineHosts.size).to.equal(0);
    expect([...world.accesses]).to.deep.equal([]);
  });

  it("is not taken of a droplet that cannot be configured, and that is destroyed", async () => {
    world.configureError = new AppError("home-path-too-long", { home: "/x", limit: 1 });
    const orders = await restart();
    await orders.snapshots.order(REQUEST, ACTOR);
    await isOver();
    expect(snapshots()).to.deep.equal([]);
    expect(world.droplets.size).to.equal(0);
  });

  it("is refused before a droplet is paid for when the token lacks a scope, and none is billed then", async () => {
    const values = { request: "GET /v2/snapshots", scopes: SNAPSHOT_SCOPES, reason: "forbidden" };
    world.snapshotError = new AppError("digitalocean-scope-missing", values);
    const orders = await restart();
    const refused = await orders.snapshots.order(REQUEST, ACTOR).catch((error: unknown) => error);
    expect(refused).to.have.property("hint").that.includes("image:create, image:delete, snapshot:read");
    expect(await hosts.list()).to.deep.equal([]);
    expect(await orders.snapshots.billed()).to.deep.equal([]);
  });

  it("is refused where the settings name an image", async () => {
    world.settings.production.image = "123";
    const refused = await (await restart()).snapshots.order(REQUEST, ACTOR).catch((error: unknown) => error);
    expect(refused).to.include({ code: "fleet-image-set" });
  });

  for (const when of ["before", "after"] as const)
    it(`leaves no droplet that is forgotten, wherever the server is killed (${when} the effect)`, async () => {
      let [isThrough, failed] = [false, 0];
      for (let moment = 1; !isThrough && moment < MOST_MOMENTS; moment++) {
        world.snapshots.length = 0;
        await (await restart()).snapshots.order(REQUEST, ACTOR);
        world.killAtMoment(moment, when);
        await isOver();
        isThrough = !world.wasKilled;
        expect(world.droplets.size, `droplets, killed at ${moment}`).to.equal(0);
        if (snapshots().join() !== NAME) failed++;
      }
      // A droplet that nobody can log in to any more is given up, if that was not saved.
      expect(failed).to.be.at.most(when === "after" ? 1 : 0);
      expect(isThrough).to.equal(true);
    });
});
