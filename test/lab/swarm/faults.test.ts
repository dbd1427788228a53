import { expect } from "chai";
import { eventually } from "../../support/eventually.js";
import { throughout } from "../../support/throughout.js";
import type { LabHost } from "../lab-host.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { LabTest } from "../lab-test.js";
import { FleetApp, plainApp, printLoad } from "./fleet-app.js";
import { LabFleet } from "./lab-fleet.js";
import { SmallDisk } from "./small-disk.js";

const INSTANCES = 3;
const CUT_MS = 20_000;
const DISK_MEGABYTES = 600;
/** With a registry that is away, a push must have ended by then. */
const DECLINE_MS = 60_000;
const SPREAD_MS = 90_000;
/** A silent host is known after some seconds; until then a request may wait for it. */
const LONGEST_WAIT_MS = 8000;
/** What a host was answering just then is lost with it. */
const MOST_LOST = 5;

describe("a Sluice with three hosts, one of which fails", function () {
  this.timeout(300_000);
  const test = new LabTest();
  let fleet: LabFleet;
  let app: FleetApp;
  let [one, two]: LabHost[] = [];
  let disk: SmallDisk;
  before(async function () {
    await test.open(this, SERVER_PACKAGES);
    fleet = await LabFleet.start(test.lab, { hosts: 3 });
    app = new FleetApp(fleet, "shop");
    [one, two] = fleet.swarm.workers;
    disk = await SmallDisk.of(worker(one), DISK_MEGABYTES);
    await fleet.push("shop", plainApp("first"));
    await fleet.sluice(`scale shop web=${INSTANCES}`);
    await app.spread(INSTANCES, 3, SPREAD_MS);
  });
  after(async () => test.close());

  it("keeps what runs on the others when the manager's Docker is restarted", async () => {
    const workers = fleet.swarm.workers;
    const containers = async (): Promise<string[]> =>
      (await Promise.all(workers.map(async (host) => app.containersOn(host)))).flat();
    const kept = await containers();
    const routed = [...(await fleet.routesOf("shop"))].filter(([, address]) =>
      workers.some((host) => address.startsWith(`${host.address}:`)),
    );
    expect(kept).to.have.length(2);
    expect(routed).to.have.length(2);
    let isBack = false;
    let seconds = 0;
    const load = await app.underLoad(async () => {
      const began = Date.now();
      const restarted = fleet.server.run("systemctl restart docker").then(async () => {
        await app.spread(INSTANCES, 3, SPREAD_MS);
        seconds = (Date.now() - began) / 1000;
        await nodesAreReady();
        isBack = true;
      });
      await throughout(
        () => isBack,
        async () => {
          expect([...(await fleet.routesOf("shop"))]).to.deep.include.members(routed);
          expect(await containers()).to.deep.equal(kept);
        },
        SPREAD_MS,
      );
      await restarted;
    });
    printLoad(load, `; all instances answered again after ${seconds.toFixed(1)} s`);
    expect(load.failures).to.deep.equal([]);
    expect(await app.contained()).to.have.length(INSTANCES);
  });

  it("finishes a push during which the manager's Docker is restarted", async () => {
    const load = await app.underLoad(async () => {
      const push = fleet.push("shop", plainApp("while Docker restarts"));
      await fleet.server.run("systemctl restart docker");
      expect(await push).to.include("Live:");
      await onlyServes(await app.release());
    });
    printLoad(load);
    expect(load.failures).to.deep.equal([]);
  });

  it("declines a push while its registry is away, and takes it when the registry is back", async () => {
    const before = await app.release();
    const load = await app.underLoad(async () => {
      await fleet.control("registry", "d");
      const began = Date.now();
      expect(await fleet.declined("shop", plainApp("without a registry"))).to.match(
        /The image registry 10\.77\.\d+\.2:5443 does not answer \(.*\)\.\s+remote: +! +Running instances keep serving\. Try again in a moment\./,
      );
      const ms = Date.now() - began;
      process.stdout.write(`      declined after ${(ms / 1000).toFixed(1)} s\n`);
      expect(ms).to.be.lessThan(DECLINE_MS);
      expect(await app.release()).to.equal(before);
      await fleet.control("registry", "u");
      expect(await fleet.push("shop", plainApp("with a registry"))).to.include("Live:");
    });
    printLoad(load);
    expect(load.failures).to.deep.equal([]);
  });

  it("starts the instances of a lost host elsewhere, though its registry is away", async () => {
    await app.spread(INSTANCES, 3, SPREAD_MS);
    await fleet.control("registry", "d");
    const began = Date.now();
    let seconds = 0;
    const load = await app.underLoad(async () => {
      await worker(two).powerOff();
      await app.spread(INSTANCES, 2, SPREAD_MS);
      seconds = (Date.now() - began) / 1000;
    });
    printLoad(load, `; all instances answered elsewhere after ${seconds.toFixed(1)} s`);
    expect(load.failures.length, load.failures.join("\n")).to.be.at.most(MOST_LOST);
    await fleet.control("registry", "u");
    await worker(two).powerOn();
    await app.spread(INSTANCES, 3, SPREAD_MS);
  });

  it("goes on without a host whose network is cut, and with it again when that is healed", async () => {
    const cut = worker(two);
    const began = Date.now();
    const during = await app.underLoad(async () => {
      await cut.cutOff();
      await app.spread(INSTANCES, 2, SPREAD_MS);
      process.stdout.write(
        `      all instances answered elsewhere after ${((Date.now() - began) / 1000).toFixed(1)} s\n`,
      );
      await throughout(
        () => Date.now() - began >= CUT_MS,
        async () => {
          expect((await fleet.ask("shop")).status).to.equal(200);
        },
      );
    });
    printLoad(during);
    expect(during.failures.length, during.failures.join("\n")).to.be.at.most(MOST_LOST);
    expect(during.slowestMs).to.be.lessThan(LONGEST_WAIT_MS);
    const after = await app.underLoad(async () => {
      await cut.heal();
      await eventually("no instance is there twice", async () => {
        const ids = await app.contained();
        return ids.length === INSTANCES && new Set(ids).size === INSTANCES;
      });
      await app.spread(INSTANCES, 3, SPREAD_MS);
    });
    printLoad(after, " while it healed");
    expect(after.failures).to.deep.equal([]);
  });

  it("places what a host with a full disk cannot start elsewhere", async () => {
    await disk.fill();
    const load = await app.underLoad(async () => {
      const began = Date.now();
      expect(await fleet.push("shop", plainApp("beside a full disk"))).to.include("Live:");
      process.stdout.write(`      a push took ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
      await onlyServes(await app.release());
    });
    printLoad(load);
    expect(load.failures).to.deep.equal([]);
    expect([...(await fleet.placesOf("shop")).keys()]).not.to.include(worker(one).name);
  });

  it("declines what only a full host may run, and says which one; takes it when that has room", async () => {
    const before = await app.release();
    await label("--label-add sluice.role.production=true");
    const load = await app.underLoad(async () => {
      const began = Date.now();
      const said = await fleet.declined("shop", plainApp("for a full host"));
      process.stdout.write(`      declined after ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
      expect(said).to.match(new RegExp(`No host could start web\\.\\d\\. ${worker(one).name}: `));
      expect(said).to.include("is its disk full?");
      expect(await app.release()).to.equal(before);
      await disk.makeRoom();
      expect(await fleet.push("shop", plainApp("with room"))).to.include("Live:");
      await onlyServes(await app.release());
    });
    printLoad(load);
    expect(load.failures).to.deep.equal([]);
    expect([...(await fleet.placesOf("shop")).keys()]).to.deep.equal([worker(one).name]);
    await label("--label-rm sluice.role.production");
  });

  const label = async (change: string): Promise<string> =>
    fleet.server.run(`docker node update ${change} ${worker(one).name}`);

  async function nodesAreReady(): Promise<void> {
    await eventually(
      "every host is ready",
      async () => {
        const states = await fleet.server.run("docker node ls --format '{{.Status}}'");
        return states.split("\n").every((state) => state === "Ready");
      },
      SPREAD_MS,
    );
  }

  /** Every instance, service and secret is of that release. */
  async function onlyServes(release: string): Promise<void> {
    const ids = Array.from({ length: INSTANCES }, (_, index) => `shop.${release}.web.${index + 1}`);
    await eventually(
      `only ${release} is left`,
      async () => {
        expect(await app.owners("service")).to.deep.equal(ids);
        expect(await app.owners("secret")).to.deep.equal(ids);
        expect(await app.contained()).to.deep.equal(ids);
        return true;
      },
      SPREAD_MS,
    );
  }
});

function worker(host: LabHost | undefined): LabHost {
  if (host === undefined) throw new Error("there is no such worker");
  return host;
}
