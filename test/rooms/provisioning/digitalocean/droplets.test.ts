import { expect } from "chai";
import { deferred } from "../../../../core/async/deferred.js";
import type { CloudDisk, CloudHost } from "../../../lab/digitalocean/cloud-host.js";
import { eventually } from "../../../support/eventually.js";
import { DigitalOceanTrial, HOST, ORDER } from "../../../support/fakes/digitalocean-trial.js";

const POST = "POST /v2/droplets";

describe("droplets", () => {
  let trial: DigitalOceanTrial;
  let removed: number;
  let booted = deferred<CloudHost>();
  beforeEach(async () => {
    removed = 0;
    booted = deferred();
    booted.resolve({
      ...HOST,
      remove: async () => {
        removed++;
      },
    });
    trial = await DigitalOceanTrial.start(async () => booted.promise);
  });
  afterEach(async () => trial.close());

  const wait = (timeoutMs = 60_000): { timeoutMs: number; signal: AbortSignal } => ({
    timeoutMs,
    signal: trial.signal,
  });

  it("are new until they have booted, then have addresses, and cost money until they are deleted", async () => {
    booted = deferred();
    const { droplets } = trial.client();
    const made = await droplets.create(ORDER, trial.signal);
    expect(made).to.deep.include({ name: "web-1", status: "new", size: "s-1vcpu-2gb", region: "fra1" });
    expect(made).to.deep.include({ monthlyUsd: 12, tags: ["sluice", "sluice-mark:1"] });
    expect(made.publicAddress).to.equal(undefined);
    booted.resolve(HOST);
    const ready = await droplets.waitUntilActive(made.id, wait());
    const addresses = { publicAddress: "10.77.1.2", privateAddress: "10.77.1.2" };
    expect(ready).to.deep.equal({ ...made, status: "active", ...addresses });
    expect(trial.server.bill.monthlyUsd).to.equal(12);
    await droplets.delete(made.id, trial.signal);
    await droplets.delete(made.id, trial.signal);
    expect(await droplets.find(made.id, trial.signal)).to.equal(undefined);
    expect(trial.server.bill.monthlyUsd).to.equal(0);
  });

  it("are created once per mark, however often that is requested", async () => {
    const { droplets } = trial.client();
    const first = await droplets.create(ORDER, trial.signal);
    const again = await trial.client().droplets.create({ ...ORDER, name: "web-2" }, trial.signal);
    expect(again.id).to.equal(first.id);
    const other = await droplets.create({ ...ORDER, mark: "sluice-mark:2" }, trial.signal);
    expect(other.id).not.to.equal(first.id);
    expect((await droplets.listAll(trial.signal)).map(({ id }) => id)).to.have.members([first.id, other.id]);
    expect((await droplets.findByMark("sluice-mark:2", trial.signal))?.id).to.equal(other.id);
  });

  it("are created when DigitalOcean answers 404 for an unknown mark", async () => {
    trial.server.disrupt({ answer: 404, operation: "GET /v2/droplets" });
    expect((await trial.client().droplets.create(ORDER, trial.signal)).name).to.equal("web-1");
  });

  it("are created once when the response gets lost", async () => {
    trial.server.disrupt({ answer: "lost", operation: POST });
    const made = await trial.client().droplets.create(ORDER, trial.signal);
    expect(trial.server.bill.history.map(({ id }) => id)).to.deep.equal([made.id]);
    expect(trial.count(POST)).to.equal(1);
  });

  it("are created once when DigitalOcean creates one and responds with 500", async () => {
    trial.server.disrupt({ answer: 500, afterWork: true, operation: POST });
    await trial.client().droplets.create(ORDER, trial.signal);
    expect(trial.server.bill.history).to.have.length(1);
    expect(trial.count(POST)).to.equal(1);
  });

  it("are looked up several times before a lost request is repeated", async () => {
    trial.server.disrupt({ answer: 502, operation: POST });
    await trial.client().droplets.create(ORDER, trial.signal);
    expect(trial.clock.slept).to.deep.equal([1000, 2000, 4000, 8000, 15_000]);
    expect(trial.count("GET /v2/droplets")).to.equal(7);
    expect(trial.count(POST)).to.equal(2);
    expect(trial.server.bill.history).to.have.length(1);
  });

  it("are requested again after a 429, which means that nothing was done", async () => {
    trial.server.disrupt({ answer: 429, retryAfterSeconds: 2, operation: POST });
    await trial.client().droplets.create(ORDER, trial.signal);
    expect(trial.clock.slept).to.include(2000);
    expect(trial.count("GET /v2/droplets")).to.equal(1);
    expect(trial.server.bill.history).to.have.length(1);
  });

  it("are requested three times at most", async () => {
    trial.server.disrupt({ answer: 500, times: 9, operation: POST });
    expect(await codeOf(trial.client().droplets.create(ORDER, trial.signal))).to.equal(
      "digitalocean-server-error",
    );
    expect(trial.count(POST)).to.equal(3);
  });

  it("are not requested again after a refusal", async () => {
    const { droplets } = trial.client();
    const tooLarge = droplets.create({ ...ORDER, size: "s-99vcpu" }, trial.signal);
    expect(await tooLarge.catch(String)).to.include("invalid size");
    trial.server.cloud.dropletLimit = 0;
    expect(await codeOf(droplets.create(ORDER, trial.signal))).to.equal("digitalocean-droplet-limit");
    expect(trial.count(POST)).to.equal(2);
    expect(trial.server.bill.history).to.deep.equal([]);
  });

  it("end the wait with an error when they do not become active or get no address", async () => {
    const { droplets } = trial.client();
    for (const [index, quirk] of (["never-active", "no-address"] as const).entries()) {
      trial.server.spoilNextDroplet(quirk);
      const { id } = await droplets.create({ ...ORDER, mark: `mark:${index}` }, trial.signal);
      const message = await droplets.waitUntilActive(id, wait(120_000)).catch(String);
      expect(message).to.include(['is still "new" after 120 s', "has no public address after 120 s"][index]);
    }
  });

  it("end the wait with an error when they are deleted", async () => {
    booted = deferred();
    const { droplets } = trial.client();
    const { id } = await droplets.create(ORDER, trial.signal);
    await droplets.delete(id, trial.signal);
    expect(await codeOf(droplets.waitUntilActive(id, wait()))).to.equal("digitalocean-not-found");
    booted.resolve(HOST);
  });

  it("are deleted even when the response gets lost", async () => {
    const { droplets } = trial.client();
    const { id } = await droplets.create(ORDER, trial.signal);
    trial.server.disrupt({ answer: "lost", operation: "DELETE /v2/droplets/{droplet_id}" });
    await droplets.delete(id, trial.signal);
    await trial.server.cloud.close();
    expect(removed).to.equal(1);
  });

  it("wait for the snapshot that is being taken when the response gets lost", async () => {
    const saved = deferred<CloudDisk>();
    booted = deferred();
    booted.resolve({ ...HOST, saveDisk: async () => saved.promise });
    const { droplets, snapshots } = trial.client();
    const { id } = await droplets.create(ORDER, trial.signal);
    await droplets.waitUntilActive(id, wait());
    const begin = "POST /v2/droplets/{droplet_id}/actions";
    trial.server.disrupt({ answer: "lost", operation: begin });
    const taking = snapshots.ensure({ droplet: id, name: "sluice-base-1" }, wait(86_400_000));
    await eventually("it waits", () => trial.count("GET /v2/actions/{action_id}") > 0);
    saved.resolve(await HOST.saveDisk());
    expect((await taking).name).to.equal("sluice-base-1");
    expect(trial.count(begin)).to.equal(1);
  });

  it("are shut down, once, also when the response gets lost", async () => {
    let ended = 0;
    booted = deferred();
    booted.resolve({
      ...HOST,
      shutDown: async () => {
        ended++;
      },
    });
    const { droplets } = trial.client();
    const { id } = await droplets.create(ORDER, trial.signal);
    await droplets.waitUntilActive(id, wait());
    trial.server.disrupt({ answer: "lost", operation: "POST /v2/droplets/{droplet_id}/actions" });
    await droplets.shutDown(id, wait());
    await droplets.shutDown(id, wait());
    expect(await droplets.find(id, trial.signal)).to.include({ status: "off" });
    expect(ended).to.equal(1);
  });

  it("are powered off when their system does not end", async () => {
    let tries = 0;
    booted = deferred();
    booted.resolve({
      ...HOST,
      shutDown: async () => {
        if (++tries === 1) throw new Error("it does not listen");
      },
    });
    const { droplets } = trial.client();
    const { id } = await droplets.create(ORDER, trial.signal);
    await droplets.waitUntilActive(id, wait());
    await droplets.shutDown(id, wait());
    expect(tries).to.equal(2);
  });

  it("are not made of a snapshot that is elsewhere, or too large", async () => {
    const { droplets, snapshots } = trial.client();
    const { id } = await droplets.create(ORDER, trial.signal);
    const image = (await snapshots.ensure({ droplet: id, name: "sluice-base-1" }, wait())).id;
    for (const other of [{ region: "nyc3" }, { size: "s-1vcpu-1gb" }]) {
      const order = { ...ORDER, ...other, mark: "sluice-mark:2", image };
      expect(await codeOf(droplets.create(order, trial.signal))).to.equal("digitalocean-request-refused");
    }
  });

  it("become images for new ones by snapshots, one per name", async () => {
    const { droplets, snapshots } = trial.client();
    const { id } = await droplets.create(ORDER, trial.signal);
    const name = "sluice-base-1";
    trial.server.disrupt({ answer: "lost", operation: "POST /v2/droplets/{droplet_id}/actions" });
    const snapshot = await snapshots.ensure({ droplet: id, name }, wait());
    expect(await snapshots.ensure({ droplet: id, name }, wait())).to.deep.equal(snapshot);
    expect(snapshot).to.deep.include({ name, regions: ["fra1"], minDiskGigabytes: 50 });
    await droplets.create({ ...ORDER, mark: "sluice-mark:2", image: snapshot.id }, trial.signal);
    await snapshots.delete(snapshot.id, trial.signal);
    await snapshots.delete(snapshot.id, trial.signal);
    expect(await snapshots.list(trial.signal)).to.deep.equal([]);
  });
});

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => (error instanceof Error && "code" in error ? error.code : error),
  );
}
