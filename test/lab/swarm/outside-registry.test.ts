import { expect } from "chai";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../../support/eventually.js";
import { TINY_SERVER } from "../../support/git/tiny-app.js";
import type { LabHost } from "../lab-host.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { LabTest } from "../lab-test.js";
import { FleetApp, plainApp, printLoad } from "./fleet-app.js";
import { LabFleet } from "./lab-fleet.js";
import { LabRegistry, placesOfImages } from "./lab-registry.js";

const BASE = "debian-node:1";
const CA_FILE = "/etc/outside-ca.crt";
const STATE = "/var/lib/sluice";
const MOVE_MS = 120_000;
const APPS = ["shop", "box"] as const;

/** One of its own Dockerfile: nobody but a registry has its image. */
const box = (note: string): Record<string, string> => ({
  "server.js": TINY_SERVER,
  Dockerfile: `FROM ${BASE}\nWORKDIR /opt/box\nCOPY server.js note ./\nEXPOSE 8080\nENV PORT=8080\nCMD ["node", "server.js"]\n`,
  "app.json": '{"sluice": {"standbySeconds": 0}}',
  note,
});

describe("an outside registry of images", function () {
  this.timeout(300_000);
  const test = new LabTest();
  let fleet: LabFleet;
  let registry: LabRegistry;
  let opened: LabRegistry | undefined;
  let worker: LabHost;
  before(async function () {
    await test.open(this, SERVER_PACKAGES);
    fleet = await LabFleet.start(test.lab, { hosts: 2 });
    [worker] = fleet.swarm.workers as [LabHost];
    const folder = await mkdtemp(join(tmpdir(), "sluice-base-"));
    await fleet.swarm.load(BASE, folder);
    await rm(folder, { recursive: true });
    const [host] = (await test.lab.boot(1)) as [LabHost];
    registry = opened = await LabRegistry.start(host);
    const ca = registry.access.ca ?? "";
    await fleet.server.run(`cat >${CA_FILE} <<'END'\n${ca}\nEND`);
    // What provisioning does for the hosts that it configures.
    await fleet.swarm.trust(registry.access.address, ca);
    for (const note of ["1", "2"]) {
      await fleet.push("shop", plainApp(note));
      await fleet.push("box", box(note));
    }
    for (const app of APPS) await fleet.sluice(`scale ${app} web=2`);
  });
  after(async () => {
    opened?.close();
    await test.close();
  });

  const release = async (app: string): Promise<string> => new FleetApp(fleet, app).release();
  const onlyFrom = async (app: string, place: string): Promise<void> => {
    await eventually(`all of ${app} is from ${place}`, async () => {
      const places = await placesOfImages(fleet.server, app);
      return places.length === 1 && places[0] === `${place}/${app}`;
    });
  };
  const ownRegistry = async (): Promise<string> =>
    fleet.server.run(`pgrep -x docker-registry || true; ls -d ${STATE}/registry/storage || true`);

  it("is refused at the start while it cannot work, with the reason", async () => {
    const wrong = registry.settings(CA_FILE, "wrong");
    const error = await fleet.change(wrong).then(
      () => expect.fail("it started"),
      (reason: unknown) => String(reason),
    );
    expect(error).to.include(`${registry.access.address} refused Sluice's user or password`);
  });

  it("gets the images of all releases that can serve, and no request fails meanwhile", async () => {
    const load = await new FleetApp(fleet, "shop").underLoad(async () => {
      await fleet.change(registry.settings(CA_FILE));
      await eventually(
        "all are there",
        async () => (await registry.tags("shop")).length === 2 && (await registry.tags("box")).length === 2,
        MOVE_MS,
      );
    });
    printLoad(load);
    expect(load.failures).to.deep.equal([]);
    expect(await ownRegistry(), "the hosts may still fetch what runs").not.to.equal("");
  });

  it("takes pushes, and gives back what was released before it was there", async () => {
    for (const app of APPS) {
      await fleet.sluice(`rollback ${app}`);
      expect(await release(app)).to.equal("v1");
      await onlyFrom(app, registry.client.place);
    }
    await fleet.push("shop", plainApp("3"));
    await fleet.push("box", box("3"));
    for (const app of APPS) {
      expect(await release(app)).to.equal("v3");
      // At once, unless a host was slow to start one: then it is moved there later.
      await new FleetApp(fleet, app).spread(2, 2, MOVE_MS);
      expect(await registry.tags(app)).to.deep.equal(["v1", "v2", "v3"]);
    }
  });

  it("leaves nothing to Sluice's own registry, which is stopped and emptied", async () => {
    let left = "";
    await eventually(
      () => `it is gone: ${left}`,
      async () => (left = await ownRegistry()) === "",
      MOVE_MS,
    );
    const images = `docker image ls --format '{{.Repository}}' | grep -c '^${fleet.server.address}:' || true`;
    for (const host of fleet.swarm.hosts) expect(await host.run(images)).to.equal("0");
  });

  it("gives images to the host that takes over from a lost one", async () => {
    await fleet.push("late", plainApp("1"));
    const names = "docker image ls --digests --format '{{.Repository}}@{{.Digest}}'";
    // Docker refuses this for what runs there.
    const remove = "xargs --no-run-if-empty --max-args=1 docker image rm 2>&1 || true";
    await fleet.server.run(`${names} | grep '^${registry.client.place}/' | ${remove}`);
    await worker.powerOff();
    for (const app of [...APPS, "late"])
      await eventually(
        `${app} answers`,
        async () => (await fleet.ask(app)).status === 200 && (await fleet.placesOf(app)).size === 1,
        60_000,
      );
    await worker.powerOn();
    await eventually(
      "the worker is back",
      async () => (await fleet.server.run("docker node ls --format '{{.Status}}'")) === "Ready\nReady",
      60_000,
    );
  });

  it("may be away: what runs goes on, a push says so, and the server starts all the same", async () => {
    await registry.stop();
    expect(await fleet.declined("shop", plainApp("4"))).to.include(
      `The image registry ${registry.access.address} does not answer`,
    );
    expect(await fleet.declined("box", box("4"))).to.include(
      `The image registry ${registry.access.address} does not answer`,
    );
    await fleet.change(registry.settings(CA_FILE));
    expect(await fleet.server.run("cat /root/up.log")).to.include("does not answer");
    expect((await fleet.ask("shop")).status).to.equal(200);
    await registry.run();
    registry.tokens.allows = ({ action }) => action === "pull";
    for (const declined of [
      await fleet.declined("shop", plainApp("5")),
      await fleet.declined("box", box("5")),
    ])
      expect(declined).to.include("does not allow").and.include("team/apps/");
    registry.tokens.allows = () => true;
    await fleet.push("shop", plainApp("6"));
  });

  it("gives all of it back to Sluice's own registry when the settings name it no more", async () => {
    await fleet.change("");
    await fleet.swarm.trust(
      `${fleet.server.address}:5443`,
      await fleet.server.run(`cat ${STATE}/registry/ca.crt`),
    );
    // Whether its image has been copied by now or not.
    const earlier = await release("box");
    await fleet.sluice("rollback box");
    const other = await release("box");
    expect(other).not.to.equal(earlier);
    // What still drained would be taken up again as it is.
    await onlyFrom("box", `${fleet.server.address}:5443`);
    const storage = `${STATE}/registry/storage/docker/registry/v2/repositories/box/_manifests/tags`;
    const copied = async (): Promise<string[]> => (await fleet.server.run(`ls ${storage}`)).split("\n");
    await eventually(
      "both are there",
      async () => {
        const tags = await copied();
        return tags.includes(earlier) && tags.includes(other);
      },
      MOVE_MS,
    );
    await registry.stop();
    await fleet.sluice(`rollback box ${earlier}`);
    expect(await release("box")).to.equal(earlier);
    await onlyFrom("box", `${fleet.server.address}:5443`);
    await fleet.push("box", box("7"));
  });
});
