import { expect } from "chai";
import { AppError } from "../../../../core/errors/app-error.js";
import { FleetHosts } from "../../../../core/records/fleet/fleet-hosts.js";
import type { FleetHost } from "../../../../core/records/fleet/fleet-host.js";
import { FleetRequests } from "../../../../core/records/fleet/fleet-requests.js";
import { keys } from "../../../../core/redis/keys.js";
import { provisionRequestSchema } from "../../../../core/api/machines/provision.js";
import { Fleet } from "../../../../provisioning/fleet/fleet.js";
import { FleetGrowth } from "../../../../provisioning/fleet/sizing/fleet-growth.js";
import { hostEvent } from "../../../../provisioning/fleet/host-event.js";
import { FleetReplacement } from "../../../../provisioning/fleet/sizing/fleet-replacement.js";
import { ReservedAddress } from "../../../../provisioning/fleet/reserved-address.js";
import { FleetOrders } from "../../../../provisioning/fleet/fleet-orders.js";
import { FleetWorld } from "../../../support/fakes/fleet-world.js";
import { eventually } from "../../../support/eventually.js";
import { throughout } from "../../../support/throughout.js";
import { OwnRedis } from "../../../support/redis/own-redis.js";

const ACTOR = { by: "ann" };
const DROPLET = provisionRequestSchema.parse({ role: "production" });
/** More than a way in or out has. */
const MOST_MOMENTS = 60;

describe("the fleet", function () {
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

  const begin = (): FleetOrders => {
    const needs = world.needs();
    const fleet = new Fleet(needs);
    running = fleet.start();
    return new FleetOrders(needs, fleet);
  };
  const restart = async (): Promise<FleetOrders> => {
    await running?.stop();
    return begin();
  };
  const host = async (name: string): Promise<FleetHost | undefined> => hosts.find(name);
  const becomes = async (name: string, phase: string | undefined): Promise<void> => {
    let isRestarted = false;
    let found: FleetHost | undefined;
    await eventually(
      () => `${name} is ${String(phase)}: ${JSON.stringify(found)}`,
      async () => {
        if (world.wasKilled && !isRestarted) {
          isRestarted = true;
          await restart();
        }
        found = await host(name);
        return found?.phase === phase;
      },
    );
  };

  it("makes a droplet, configures it, and replaces the key pair that its user data held", async () => {
    const { host: name } = await begin().provision(DROPLET, ACTOR);
    expect(name).to.equal("production-1");
    await becomes(name, "ready");
    const made = await host(name);
    expect(made).to.include({ address: "203.0.113.1", privateAddress: "10.0.0.11", by: "ann" });
    expect(made?.hostKey).to.equal(world.hostKeys.get(name));
    expect(made?.droplet).not.to.have.any.keys("sealedHostKey", "sealedNextHostKey");
    expect(world.droplets.size).to.equal(1);
  });

  for (const when of ["before", "after"] as const)
    it(`leaves nothing behind, wherever the server is killed on the way in or out (${when} the effect)`, async () => {
      let isThrough = false;
      for (let moment = 1; !isThrough && moment < MOST_MOMENTS; moment++) {
        const { host: name } = await (await restart()).provision(DROPLET, ACTOR);
        world.killAtMoment(moment, when);
        await becomes(name, "ready");
        expect(world.droplets.size, `droplets, killed at ${moment}`).to.equal(1);
        const wasKilledOnTheWayIn = world.wasKilled;
        const orders = await restart();
        world.killAtMoment(moment, when);
        await orders.remove(name, { force: false }, ACTOR);
        await becomes(name, undefined);
        isThrough = !wasKilledOnTheWayIn && !world.wasKilled;
        expect(world.droplets.size, `droplets left, killed at ${moment}`).to.equal(0);
        expect(world.engineHosts.size).to.equal(0);
        expect([...world.accesses]).to.deep.equal([]);
      }
      expect(isThrough).to.equal(true);
    });

  it("believes no host that says it is another member of the Swarm, and does that one no harm", async () => {
    const orders = begin();
    const { host: name } = await orders.provision(DROPLET, ACTOR);
    await becomes(name, "ready");
    world.claimedNode = `node of ${name}`;
    const { host: liar, after } = await orders.provision(DROPLET, ACTOR);
    await becomes(liar, undefined);
    const { lines } = await orders.progress(liar, after);
    expect(lines.map(({ text }) => text).join("\n")).to.include(
      "the member of the Swarm that joined from 10.0.0.11",
    );
    expect(world.engineHosts.get(`node of ${name}`)).to.include({ draining: false, state: "ready" });
    expect([...world.droplets.values()].map((droplet) => droplet.name)).to.deep.equal([name]);
  });

  it("goes on when DigitalOcean does not answer for a while", async () => {
    world.unavailable = 3;
    const { host: name } = await begin().provision(DROPLET, ACTOR);
    await becomes(name, "ready");
    expect(world.droplets.size).to.equal(1);
  });

  it("destroys a droplet that cannot be configured, and says why", async () => {
    world.configureError = new AppError("home-path-too-long", { home: "/x", limit: 1 });
    const orders = begin();
    const { host: name, after } = await orders.provision(DROPLET, ACTOR);
    await becomes(name, undefined);
    expect(world.droplets.size).to.equal(0);
    const { lines } = await orders.progress(name, after);
    expect(lines.map(({ text }) => text)).to.include(world.configureError.message);
  });

  it("keeps such a droplet for a look at it, if that is wanted", async () => {
    world.configureError = new AppError("home-path-too-long", { home: "/x", limit: 1 });
    const orders = begin();
    const { host: name } = await orders.provision({ ...DROPLET, keepFailed: true }, ACTOR);
    await becomes(name, "failed");
    expect((await host(name))?.failure).to.include({ step: "configuring" });
    world.configureError = undefined;
    await orders.configureAgain(name, ACTOR);
    await becomes(name, "ready");
  });

  for (const hanging of ["order", "configure"] as const)
    it(`removes a host at once while ${hanging} is under way, and its droplet with it`, async () => {
      world.hanging = hanging;
      const orders = begin();
      const { host: name } = await orders.provision(DROPLET, ACTOR);
      await becomes(name, hanging === "order" ? "creating" : "configuring");
      await orders.remove(name, { force: false }, ACTOR);
      await becomes(name, undefined);
      world.passTime(60_000);
      expect(world.droplets.size).to.equal(0);
      expect([...world.accesses]).to.deep.equal([]);
    });

  it("removes a host at once that is let know of others, and does not answer", async () => {
    const orders = begin();
    const { host: name } = await orders.provision(DROPLET, ACTOR);
    await becomes(name, "ready");
    world.hanging = "configure";
    await hosts.update(name, (before) => ({ ...before, peers: [] }));
    await eventually("it is being configured", () => world.hung > 0);
    await orders.remove(name, { force: false }, ACTOR);
    await becomes(name, undefined);
  });

  describe("gets an order", () => {
    const KEYED = { ...DROPLET, idempotencyKey: "6f9c1f3e-0d3b-4b8e-9d6c-1f2a3b4c5d6e" };

    it("twice with the same key, and makes one droplet: while it is ordered, when it is ready, after a restart", async () => {
      const orders = begin();
      const [first, second] = await Promise.all([
        orders.provision(KEYED, ACTOR),
        orders.provision(KEYED, ACTOR),
      ]);
      expect(second).to.deep.equal(first);
      await becomes(first.host, "ready");
      expect(await orders.provision(KEYED, ACTOR)).to.deep.equal(first);
      expect(await (await restart()).provision(KEYED, ACTOR)).to.deep.equal(first);
      expect(world.droplets.size).to.equal(1);
    });

    it("again that could not be carried out, and tries it again", async () => {
      world.settings.monthlyLimit = 1;
      const orders = begin();
      const refused = await orders.provision(KEYED, ACTOR).catch((error: unknown) => error);
      expect(refused).to.include({ code: "fleet-over-budget" });
      world.settings.monthlyLimit = 100;
      await becomes((await orders.provision(KEYED, ACTOR)).host, "ready");
    });

    it("for a machine twice with the same key, without a word that it is busy", async () => {
      world.hanging = "configure";
      const orders = begin();
      const address = { address: "192.0.2.7" };
      const first = await orders.provision({ ...KEYED, ...address }, ACTOR);
      await becomes(first.host, "configuring");
      expect(await orders.provision({ ...KEYED, ...address }, ACTOR)).to.deep.equal(first);
    });

    it("while another one is under way, and names that: --another makes one more", async () => {
      const orders = begin();
      const first = await orders.provision(DROPLET, ACTOR);
      expect(await orders.provision(DROPLET, ACTOR)).to.deep.equal({ ...first, orderedBy: "ann" });
      const other = await orders.provision({ ...DROPLET, another: true }, ACTOR);
      const named = await orders.provision({ ...DROPLET, name: "web-9" }, ACTOR);
      expect([first, other, named].map(({ host: name }) => name)).to.deep.equal([
        ...["production-1", "production-2", "web-9"],
      ]);
      for (const { host: name } of [first, other, named]) await becomes(name, "ready");
      expect(await orders.provision(DROPLET, ACTOR)).to.include({ host: "production-3" });
    });

    it("while the autoscaler makes one, which is not what was asked for", async () => {
      world.settings.production.max = 3;
      const needs = world.needs();
      const fleet = new Fleet(needs);
      running = fleet.start();
      await new FleetGrowth(needs, new FleetRequests(own.redis), fleet).grow("production", "load");
      const begun = await new FleetOrders(needs, fleet).provision(DROPLET, ACTOR);
      expect(begun.host).to.equal("production-2");
    });
  });

  it("tells what is billed, also of droplets that it does not know", async () => {
    const orders = begin();
    const { host: name } = await orders.provision(DROPLET, ACTOR);
    await becomes(name, "ready");
    await hosts.remove(name, hostEvent("host.removed", { name }));
    const { host: next } = await orders.provision({ ...DROPLET, name: "web-9" }, ACTOR);
    await becomes(next, "ready");
    expect((await orders.billed()).map((droplet) => [droplet.name, droplet.host])).to.deep.equal([
      ["production-1", null],
      ["web-9", "web-9"],
    ]);
  });

  it("takes in a machine that there is by its own name, and once", async () => {
    const orders = begin();
    const request = provisionRequestSchema.parse({ role: "production", address: "192.0.2.7" });
    const { host: name } = await orders.provision(request, ACTOR);
    expect(name).to.equal("host-7");
    await becomes(name, "ready");
    await orders.provision({ ...request, role: "staging" }, ACTOR);
    await becomes(name, "ready");
    expect((await hosts.list()).map(({ roles }) => roles)).to.deep.equal([["production", "staging"]]);
    expect(world.droplets.size).to.equal(0);
  });

  it("does not remove the last host of a role where the server runs no instances, unless it must", async () => {
    world.settings.serverRunsInstances = false;
    const orders = begin();
    const { host: name } = await orders.provision(DROPLET, ACTOR);
    await becomes(name, "ready");
    const refused = await orders.remove(name, { force: false }, ACTOR).catch((error: unknown) => error);
    expect(refused).to.include({ code: "fleet-host-last" });
    await orders.remove(name, { force: true }, ACTOR);
    await becomes(name, undefined);
  });

  it("orders no droplet beyond the monthly limit, nor beyond max for the autoscaler", async () => {
    world.settings.monthlyLimit = 30;
    world.settings.production.max = 2;
    const needs = world.needs();
    const fleet = new Fleet(needs);
    running = fleet.start();
    const growth = new FleetGrowth(needs, new FleetRequests(own.redis), fleet);
    const grow = async (): Promise<string> => growth.grow("production", "load");
    expect(await grow()).to.equal("production-1 is ordered");
    expect(await grow()).to.equal("one is on its way");
    await becomes("production-1", "ready");
    expect(await grow()).to.equal("production-2 is ordered");
    await becomes("production-2", "ready");
    expect(await grow()).to.equal("fleet.production.max is 2");
    const refused = await new FleetOrders(needs, fleet)
      .provision(DROPLET, ACTOR)
      .catch((error: unknown) => error);
    expect(refused).to.include({ code: "fleet-over-budget" });
    expect(world.droplets.size).to.equal(2);
  });

  it("replaces a droplet that the engine has lost for a while, and destroys it", async () => {
    const needs = world.needs();
    const fleet = new Fleet(needs);
    running = fleet.start();
    const { host: name } = await new FleetOrders(needs, fleet).provision(DROPLET, ACTOR);
    await becomes(name, "ready");
    const [lost] = world.engineHosts.values();
    if (lost === undefined) throw new Error("there is no host");
    world.engineHosts.set(lost.id, { ...lost, state: "unknown" });
    const looks = new FleetReplacement(needs, fleet).start();
    try {
      world.settings.replaceSeconds = 0;
      const before = world.moments;
      await eventually("it was looked at several times", () => world.moments > before + 5);
      expect(await host(name))
        .to.include({ phase: "ready" })
        .and.not.have.property("downSince");
      world.engineHosts.set(lost.id, { ...lost, state: "down" });
      await becomes(name, undefined);
      await becomes("production-2", "ready");
    } finally {
      await looks.stop();
    }
    expect([...world.droplets.values()].map((droplet) => droplet.name)).to.deep.equal(["production-2"]);
  });

  describe("with proxies that may be lost", () => {
    const PROXY = provisionRequestSchema.parse({ role: "proxy" });
    let replacing: { stop(): Promise<void> } | undefined;
    let provision: (role: "redis") => Promise<unknown>;
    beforeEach(async () => {
      world.runsInstances = false;
      const needs = world.needs();
      const fleet = new Fleet(needs);
      running = fleet.start();
      const orders = new FleetOrders(needs, fleet);
      for (const name of ["proxy-1", "proxy-2"]) {
        await orders.provision(PROXY, ACTOR);
        await becomes(name, "ready");
      }
      provision = async (role) => orders.provision(provisionRequestSchema.parse({ role }), ACTOR);
      world.settings.replaceSeconds = 30;
      replacing = new FleetReplacement(needs, fleet).start();
    });
    afterEach(async () => replacing?.stop());

    const names = (): string[] => [...world.droplets.values()].map(({ name }) => name).sort();
    /** Looks go on all the while, for much longer than a proxy may be silent. */
    const nothingIsReplaced = async (): Promise<void> => {
      const until = world.clock().now() + 300_000;
      await throughout(
        () => world.clock().now() > until,
        () => void expect(names()).to.deep.equal(["proxy-1", "proxy-2"]),
      );
      expect((await hosts.list()).map(({ phase }) => phase)).to.deep.equal(["ready", "ready"]);
    };

    it("replaces a replica of Redis in the same way", async () => {
      await provision("redis");
      await becomes("redis-1", "ready");
      world.silent.add("redis-1");
      world.unreachable.add("redis-1");
      await becomes("redis-1", undefined);
      expect(names()).to.deep.equal(["proxy-1", "proxy-2", "redis-2"]);
      expect((await host("redis-2"))?.roles).to.deep.equal(["redis"]);
    });

    it("replaces one that is silent and does not answer, and destroys it when the other is ready", async () => {
      world.silent.add("proxy-1");
      world.unreachable.add("proxy-1");
      await becomes("proxy-1", undefined);
      expect((await host("proxy-3"))?.phase).to.equal("ready");
      expect(names()).to.deep.equal(["proxy-2", "proxy-3"]);
      const events = (await own.redis.xrange(keys.events, "-", "+")).map(([, fields]) => fields.join(" "));
      const [ready, leaving] = [/host\.ready.*proxy-3/, /host\.leaving.*proxy-1/].map((event) =>
        events.findIndex((text) => event.test(text)),
      );
      expect(ready)
        .to.be.greaterThan(-1)
        .and.lessThan(leaving ?? -1);
    });

    it("replaces one whose droplet somebody has destroyed", async () => {
      const lost = (await host("proxy-1"))?.droplet?.mark ?? "";
      world.droplets.delete(lost);
      world.silent.add("proxy-1");
      await becomes("proxy-1", undefined);
      expect(names()).to.deep.equal(["proxy-2", "proxy-3"]);
    });

    it("replaces one where another droplet would be beyond the monthly limit: the lost one goes", async () => {
      world.settings.monthlyLimit = 24;
      world.silent.add("proxy-1");
      world.unreachable.add("proxy-1");
      await becomes("proxy-1", undefined);
      expect(names()).to.deep.equal(["proxy-2", "proxy-3"]);
    });

    it("replaces none that answers over SSH: its service alone is broken, and the log says so", async () => {
      world.silent.add("proxy-1");
      await nothingIsReplaced();
      expect(world.warnings).to.include(
        "a host is silent but answers over SSH: look at sluice.service there",
      );
    });

    it("replaces none when all are silent at once", async () => {
      for (const name of ["proxy-1", "proxy-2"]) {
        world.silent.add(name);
        world.unreachable.add(name);
      }
      await nothingIsReplaced();
    });

    it("replaces none that is back before", async () => {
      world.silent.add("proxy-1");
      world.unreachable.add("proxy-1");
      await eventually("it is missed", async () => (await host("proxy-1"))?.downSince !== undefined);
      world.silent.delete("proxy-1");
      await nothingIsReplaced();
      expect(await host("proxy-1")).not.to.have.property("downSince");
    });
  });

  describe("with a reserved IP for its proxies", () => {
    const PROXY = provisionRequestSchema.parse({ role: "proxy" });
    let orders: FleetOrders;
    let keeping: { stop(): Promise<void> } | undefined;
    beforeEach(async () => {
      const needs = world.needs();
      const fleet = new Fleet(needs);
      running = fleet.start();
      keeping = new ReservedAddress(needs, "203.0.113.99").start();
      orders = new FleetOrders(needs, fleet);
      for (const name of ["proxy-1", "proxy-2"]) {
        await orders.provision(PROXY, ACTOR);
        await becomes(name, "ready");
      }
      await holderIs("proxy-1");
    });
    afterEach(async () => keeping?.stop());

    const holders = async (): Promise<string[]> => {
      const found = (await hosts.list()).filter(({ hasReservedAddress }) => hasReservedAddress);
      for (const { droplet } of found) expect(droplet?.id).to.equal(world.reservedAt);
      return found.map(({ name }) => name);
    };
    const holderIs = async (name: string): Promise<void> => {
      await eventually(`${name} has it`, async () => (await holders()).join() === name);
    };
    const staysAt = async (name: string): Promise<void> => {
      const until = world.moments + 300;
      await throughout(
        () => world.moments > until,
        async () => void expect(await holders()).to.deep.equal([name]),
      );
    };

    it("moves it when the one that has it is silent, and not back", async () => {
      world.silent.add("proxy-1");
      await holderIs("proxy-2");
      world.silent.delete("proxy-1");
      await staysAt("proxy-2");
    });

    it("leaves it where it is when no other works", async () => {
      world.silent.add("proxy-1").add("proxy-2");
      await staysAt("proxy-1");
    });

    it("takes it back from somebody else", async () => {
      world.reservedAt = 99;
      await eventually("proxy-1 has it again", () => world.reservedAt === 1);
    });

    it("moves it before the one that has it is removed", async () => {
      await orders.remove("proxy-1", { force: false }, ACTOR);
      await becomes("proxy-1", undefined);
      expect(await holders()).to.deep.equal(["proxy-2"]);
      expect(world.abandoned.get("proxy-1"), "it had moved before").to.equal(2);
    });
  });
});
