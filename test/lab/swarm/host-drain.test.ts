import { expect } from "chai";
import { hostsSchema, type HostSummary } from "../../../core/api/machines/hosts.js";
import type { FleetEngine } from "../../../provisioning/fleet/fleet-needs.js";
import { SwarmApi } from "../../../server/engines/swarm/swarm-api.js";
import { SwarmHosts } from "../../../server/engines/swarm/swarm-hosts.js";
import { eventually } from "../../support/eventually.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { ask } from "../../support/network/ask.js";
import { Upgraded } from "../../support/network/upgraded.js";
import { throughout } from "../../support/throughout.js";
import type { LabHost } from "../lab-host.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { LabTest } from "../lab-test.js";
import { FleetApp, printLoad } from "./fleet-app.js";
import { HTTP_PORT, LabFleet } from "./lab-fleet.js";

const STICKY = JSON.stringify({ sluice: { sessions: "sticky", sessionIdleSeconds: 3 } });
const WITH_WORKER = {
  Procfile: "web: node server.js\nworker: node -e 'setInterval(() => console.log(process.env.DYNO), 1000)'\n",
};
const DRAIN_MS = 90_000;
const MOMENTS_MS = [0, 700, 1500];

describe("a host of a Swarm that is drained", function () {
  this.timeout(300_000);
  const test = new LabTest();
  let fleet: LabFleet;
  let many: FleetApp;
  let single: FleetApp;
  before(async function () {
    await test.open(this, SERVER_PACKAGES);
    fleet = await LabFleet.start(test.lab, { hosts: 3 });
    [many, single] = [new FleetApp(fleet, "many"), new FleetApp(fleet, "single")];
    await fleet.push("many", tinyApp(WITH_WORKER));
    await fleet.sluice("scale many web=4 worker=1");
    await fleet.push("many", tinyApp({ ...WITH_WORKER, note: "v1 is on standby" }));
    await fleet.push("many", tinyApp({ ...WITH_WORKER, note: "canary" }), "staging");
    await fleet.push("single", tinyApp({ "app.json": STICKY }));
  });
  after(async () => test.close());

  it("is left by every instance, each replaced first: no request, session or connection is lost", async () => {
    const host = await hostOf("single.v1.web.1");
    await runsOn(host, "many", 2);
    const [cookie = ""] = String((await fleet.ask("single")).headers["set-cookie"]).split(";");
    const socket = await Upgraded.open(HTTP_PORT, "single", {}, fleet.server.address);
    const began = Date.now();
    let [isOut, isOver] = [false, false];
    let said = "";
    const seconds = { out: 0, drained: 0 };
    const visits: string[] = [];
    const loads = await Promise.all([
      many.underLoad(async () => {
        await eventually("the drain is over", () => isOver, DRAIN_MS);
      }),
      single.underLoad(async () => {
        const drained = fleet.sluice(`hosts drain ${host.name}`).then((text) => (said = text));
        const visiting = throughout(
          () => isOver,
          async () => {
            const headers = { host: "single.localhost", cookie };
            const { status, body } = await ask(`${fleet.server.address}:${HTTP_PORT}`, { headers });
            visits.push(`${status} ${body.split(" ")[0] ?? ""}`);
          },
          DRAIN_MS,
        );
        await eventually(
          "no route leads there",
          async () =>
            (isOut = !(await addresses()).some((address) => address.startsWith(`${host.address}:`))),
          DRAIN_MS,
        );
        seconds.out = (Date.now() - began) / 1000;
        expect(await socket.echo("still")).to.equal("v1");
        expect((await summary(host)).phase).to.equal("draining");
        expect(said, "it waits for what is open").to.equal("");
        socket.close();
        await drained;
        seconds.drained = (Date.now() - began) / 1000;
        isOver = true;
        await visiting;
      }),
    ]);
    for (const load of loads) printLoad(load);
    process.stdout.write(
      `      out of the routes after ${seconds.out.toFixed(1)} s, drained after ${seconds.drained.toFixed(1)} s\n`,
    );
    expect(isOut).to.equal(true);
    expect(said).to.include(`Drained: no instance runs on ${host.name}`);
    expect(loads.flatMap(({ failures }) => failures)).to.deep.equal([]);
    expect([...new Set(visits)]).to.deep.equal(["200 v1"]);
    expect(cookie).to.equal("sluice=production.v1");
    expect(await containersOn(host)).to.deep.equal([]);
    expect((await summary(host)).phase).to.equal("drained");
    // v1 on standby, v2 and the canary, with their workers.
    const running = await many.owners("service");
    expect(running.filter((id) => id.includes(".v1.web"))).to.have.length(4);
    expect(running.filter((id) => id.includes(".v2.web"))).to.have.length(4);
    expect(running.filter((id) => id.includes(".worker."))).to.have.length(2);
    expect(await single.owners("service")).to.deep.equal(["single.v1.web.2"]);
  });

  it("gets nothing new; a release on standby is rolled back to at once, and can be scaled", async () => {
    const host = await drainedHost();
    const { failures } = await many.underLoad(async () => {
      const began = Date.now();
      await fleet.sluice("rollback many");
      process.stdout.write(`      the rollback took ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
      await fleet.sluice("scale many web=5");
      await fleet.push("many", tinyApp({ ...WITH_WORKER, note: "while it is drained" }));
    });
    expect(failures).to.deep.equal([]);
    expect(await containersOn(host)).to.deep.equal([]);
  });

  it("runs instances again when the drain has ended", async () => {
    const host = await drainedHost();
    await fleet.sluice(`hosts undrain ${host.name}`);
    expect((await summary(host)).phase).to.equal("ready");
    await fleet.push("many", tinyApp({ ...WITH_WORKER, note: "after it" }));
    expect(await containersOn(host)).not.to.deep.equal([]);
    const events = await fleet.sluice("events");
    expect(events).to.include(`host.draining: ${host.name}`).and.include(`host.undrained: ${host.name}`);
  });

  for (const moment of MOMENTS_MS)
    it(`is drained by the next server when one is killed (-9) ${moment} ms after the beginning`, async () => {
      const host = fleet.swarm.workers[0];
      if (host === undefined) throw new Error("there is no worker");
      await runsOn(host, "many", 1);
      const { failures } = await many.underLoad(async () => {
        const drained = fleet.sluice(`hosts drain ${host.name}`).catch(() => undefined);
        const label = `docker node inspect --format '{{index .Spec.Labels "sluice.draining"}}' ${host.name}`;
        await eventually("it has begun", async () => (await fleet.server.run(label)) === "true");
        await new Promise((resolve) => setTimeout(resolve, moment));
        await fleet.killServer();
        await drained;
        await fleet.up();
        await eventually("it is drained", async () => (await summary(host)).phase === "drained", DRAIN_MS);
      });
      expect(failures).to.deep.equal([]);
      expect(await containersOn(host)).to.deep.equal([]);
      await eventually(
        "nothing is left over",
        async () => {
          const routed = new Set((await fleet.routesOf("many")).keys());
          const web = (await many.owners("service")).filter((id) => id.includes(".web."));
          expect(web.sort()).to.deep.equal([...routed].sort());
          return true;
        },
        DRAIN_MS,
      );
      await fleet.sluice(`hosts undrain ${host.name}`);
      await fleet.push("many", tinyApp({ ...WITH_WORKER, note: `after ${moment}` }));
    });

  it("keeps what has no room elsewhere, and says so", async () => {
    const hosts = fleet.swarm.hosts;
    const [last, ...others] = hosts;
    for (const host of others) await fleet.sluice(`hosts drain ${host.name}`);
    const before = await containersOn(last);
    const { failures } = await many.underLoad(async () => {
      const why = await fleet.sluice(`hosts drain ${last?.name ?? ""}`).then(
        () => expect.fail("it was drained"),
        (reason: unknown) => String(reason),
      );
      expect(why).to.include("no other host takes instances for production now").and.include("many.v");
    });
    expect(failures).to.deep.equal([]);
    expect(await containersOn(last)).to.deep.equal(before);
    expect(await fleet.sluice("hosts")).to.include(`stays on ${last?.name ?? ""}`);
    // As soon as one has room, what was stuck moves by itself.
    await fleet.sluice(`hosts undrain ${others[0]?.name ?? ""}`);
    await eventually(
      "the last one is drained",
      async () => last !== undefined && (await summary(last)).phase === "drained",
      DRAIN_MS,
    );
    for (const host of hosts) await fleet.sluice(`hosts undrain ${host.name}`);
  });

  it("is labelled for its roles, joins and leaves as the fleet asks", async () => {
    const { server, swarm } = fleet;
    const hosts = new SwarmHosts({ api: new SwarmApi(await swarm.socket()), owner: "nobody" });
    // What it must be for the fleet.
    const engine: FleetEngine = hosts;
    const [one] = swarm.workers;
    if (one === undefined) throw new Error("there is no worker");
    const idOf = async ({ name }: LabHost): Promise<string> =>
      (await hosts.list()).find((host) => host.name === name)?.id ?? "";
    expect(await engine.joinToken()).to.deep.equal({
      token: await server.run("docker swarm join-token --quiet worker"),
      manager: `${server.address}:2377`,
    });
    await engine.labelRoles(await idOf(one), ["production", "proxy"]);
    const listed = (await hosts.list()).map(({ name, address, roles, isServer, state, instances }) => ({
      ...{ name, address, roles, isServer, state, instances },
    }));
    const common = { state: "ready", instances: [] };
    const expected = swarm.hosts.map((host) => ({
      ...{ name: host.name, address: host.address, isServer: host === server, ...common },
      roles: host === one ? ["production"] : [],
    }));
    expect(listed).to.have.deep.members(expected);
    await engine.labelRoles(await idOf(one), []);
    const refused = await engine.remove(await idOf(server)).catch((error: unknown) => error);
    expect(String(refused)).to.include("manages the Swarm");
    await one.run("docker swarm leave");
    await engine.remove(await idOf(one));
    expect(await idOf(one)).to.equal("");
    await swarm.takeIn([one]);
    await eventually("it is back", async () => (await summary(one)).phase === "ready");
  });

  it("is down, not drained, when it loses its power", async () => {
    const [, host] = fleet.swarm.workers;
    if (host === undefined) throw new Error("there is no second worker");
    await host.powerOff();
    await eventually("it is down", async () => (await summary(host)).phase === "down", DRAIN_MS);
  });

  async function hosts(): Promise<HostSummary[]> {
    return hostsSchema.parse(JSON.parse(await fleet.sluice("hosts --json")));
  }

  async function summary({ name }: LabHost): Promise<HostSummary> {
    const found = (await hosts()).find(({ host }) => host === name);
    if (found === undefined) throw new Error(`${name} is not listed`);
    return found;
  }

  async function drainedHost(): Promise<LabHost> {
    const drained = (await hosts()).find(({ phase }) => phase === "drained");
    const host = fleet.swarm.hosts.find(({ name }) => name === drained?.host);
    if (host === undefined) throw new Error("no host is drained");
    return host;
  }

  async function hostOf(id: string): Promise<LabHost> {
    const address = (await fleet.routesOf(id.split(".")[0] ?? "")).get(id) ?? "";
    const host = fleet.swarm.hosts.find((each) => address.startsWith(`${each.address}:`));
    if (host === undefined) throw new Error(`${id} runs nowhere`);
    return host;
  }

  async function addresses(): Promise<string[]> {
    const routes = [await fleet.routesOf("many"), await fleet.routesOf("single")];
    return routes.flatMap((of) => [...of.values()]);
  }

  async function containersOn(host: LabHost | undefined): Promise<string[]> {
    if (host === undefined) return [];
    return [...(await many.containersOn(host)), ...(await single.containersOn(host))];
  }

  async function runsOn(host: LabHost, app: string, atLeast: number): Promise<void> {
    const found = await new FleetApp(fleet, app).containersOn(host);
    expect(found.length, found.join(", ")).to.be.at.least(atLeast);
  }
});
