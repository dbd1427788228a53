import { expect } from "chai";
import { fleetSettingsSchema, type DropletSettings } from "../../../../core/settings/fleet-settings.js";
import { newSshKeyPair } from "../../../../core/ssh-key-pair.js";
import { DigitalOceanDroplets } from "../../../../provisioning/fleet/droplets/digitalocean-droplets.js";
import { DigitalOceanSnapshots } from "../../../../provisioning/fleet/droplets/digitalocean-snapshots.js";
import { DigitalOceanTrial, ORDER } from "../../../support/fakes/digitalocean-trial.js";

const DEBIAN = "debian-12-x64";
const READS = ["sizes:read", "regions:read"];
const NAMES = ["sluice-1-production-fra1-0.1.0-aa", "sluice-1-production-fra1-0.1.1-bb"] as const;
type More = Pick<DropletSettings, "image"> | { readonly region: string } | { readonly size: string };
const NEWEST = NAMES[1];

describe("the image of a droplet", () => {
  let trial: DigitalOceanTrial;
  beforeEach(async () => {
    trial = await DigitalOceanTrial.start();
    const { droplets, snapshots } = trial.client();
    const wait = { timeoutMs: 60_000, signal: trial.signal };
    const { id } = await droplets.create(ORDER, trial.signal);
    for (const name of [...NAMES, "sluice-1-staging-fra1-0.1.2-cc", "sluice-2-production-fra1-0.1.3-dd"])
      await snapshots.ensure({ droplet: id, name }, wait);
  });
  afterEach(async () => trial.close());

  const dropletsOf = (token?: string): DigitalOceanDroplets => {
    const api = trial.client(token === undefined ? {} : { token });
    const { publicKey } = newSshKeyPair("sluice");
    const snapshots = new DigitalOceanSnapshots(api, "sluice-1");
    const addresses = { openPorts: [80], serverAddress: "10.114.0.2" };
    return new DigitalOceanDroplets({ api, snapshots, installation: "sluice-1", publicKey, ...addresses });
  };
  const group = (more: More = {}): DropletSettings & { readonly region: string } => ({
    ...fleetSettingsSchema.parse({}).production,
    region: "fra1",
    ...more,
  });
  const imageOf = async (more: More = {}): Promise<unknown> =>
    (await dropletsOf().quote("production", group(more), { isSnapshot: false })).image;

  it("is the newest snapshot for its role", async () => {
    expect(await imageOf()).to.equal(NEWEST);
  });

  it("is the one in the settings, if they name one", async () => {
    expect(await imageOf({ image: "ubuntu-24-04-x64" })).to.equal("ubuntu-24-04-x64");
  });

  it("is Debian where the snapshot is in another region, or too large", async () => {
    expect(await imageOf({ region: "nyc3" })).to.equal(DEBIAN);
    expect(await imageOf({ size: "s-1vcpu-1gb" })).to.equal(DEBIAN);
    const quote = await dropletsOf().quote("proxy", group(), { isSnapshot: false });
    expect(quote.image).to.equal(DEBIAN);
  });

  it("is Debian where the droplet becomes a snapshot, or the token may read none", async () => {
    const quote = await dropletsOf().quote("production", group(), { isSnapshot: true });
    expect(quote.image).to.equal(DEBIAN);
    trial.server.addToken("dop_v1_little", READS);
    const little = await dropletsOf("dop_v1_little").quote("production", group(), { isSnapshot: false });
    expect(little.image).to.equal(DEBIAN);
  });

  it("is Debian when the snapshot is gone by the time of the order", async () => {
    const hostKey = newSshKeyPair("production-1");
    const order = { name: "production-1", role: "production", group: group({ image: NEWEST }), hostKey };
    const droplets = dropletsOf();
    const images = (): string[] =>
      [...trial.server.cloud.droplets.values()].map(({ image }) => (image as { name: string }).name);
    await droplets.order({ ...order, mark: "mark:1" }, trial.signal);
    expect(images().at(-1)).to.equal(NEWEST);
    for (const { id } of await trial.client().snapshots.list(trial.signal))
      await trial.client().snapshots.delete(id, trial.signal);
    await droplets.order({ ...order, mark: "mark:2" }, trial.signal);
    expect(images().at(-1)).to.equal("12 x64");
  });
});
