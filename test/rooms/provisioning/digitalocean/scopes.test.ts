import { expect } from "chai";
import { isAppError } from "../../../../core/errors/app-error.js";
import { newSshKeyPair } from "../../../../core/ssh-key-pair.js";
import type { DigitalOcean } from "../../../../provisioning/digitalocean/digitalocean.js";
import { ApiDescription } from "../../../lab/digitalocean/api-description.js";
import { DigitalOceanTrial, ORDER } from "../../../support/fakes/digitalocean-trial.js";

const READS = ["droplet", "tag", "ssh_key", "vpc", "firewall", "snapshot", "reserved_ip"].map(
  (resource) => `${resource}:read`,
);
const FIREWALL = { name: "sluice", tags: [], inbound: [] };
const { signal } = new AbortController();
const WAIT = { timeoutMs: 60_000, signal };
type Call = (client: DigitalOcean, id: number, address: string) => Promise<unknown>;

/** Called with a token without scopes. */
const READING: readonly Call[] = [
  async ({ account }) => account.read(signal),
  async ({ actions }) => actions.wait({ id: 5, type: "create", status: "in-progress" }, WAIT),
  async ({ droplets }) => droplets.listAll(signal),
  async ({ droplets }) => droplets.listByTag("sluice", signal),
  async ({ droplets }, id) => droplets.find(id, signal),
  async ({ sizes }) => sizes.list(signal),
  async ({ regions }) => regions.list(signal),
  async ({ vpcs }) => vpcs.list(signal),
  async ({ snapshots }) => snapshots.list(signal),
  async ({ reservedIps }) => reservedIps.list(signal),
  async ({ reservedIps }, _id, address) => reservedIps.read(address, signal),
  async ({ sshKeys }) => sshKeys.ensure({ name: "a", publicKey: "b c" }, signal),
  async ({ tags }) => tags.ensure("sluice", signal),
  async ({ firewalls }) => firewalls.ensure(FIREWALL, signal),
];
/** Called with a token that can only read. */
const WRITING: readonly Call[] = [
  async ({ droplets }) => droplets.create(ORDER, signal),
  async ({ droplets }, id) => droplets.delete(id, signal),
  async ({ droplets }, id) => droplets.shutDown(id, WAIT),
  async ({ snapshots }, droplet) => snapshots.ensure({ droplet, name: "a" }, WAIT),
  async ({ snapshots }) => snapshots.delete(5, signal),
  async ({ vpcs }) => vpcs.ensure({ name: "sluice", region: "fra1" }, signal),
  async ({ sshKeys }) => sshKeys.ensure({ name: "a", publicKey: newSshKeyPair("b").publicKey }, signal),
  async ({ tags }) => tags.ensure("other", signal),
  async ({ tags }) => tags.delete("sluice", signal),
  async ({ firewalls }) => firewalls.ensure(FIREWALL, signal),
  async ({ firewalls }) => firewalls.ensure({ ...FIREWALL, name: "there", tags: ["sluice"] }, signal),
  async ({ reservedIps }, id, address) => reservedIps.assign(address, id, WAIT),
];

describe("the scopes of a DigitalOcean token", () => {
  let trial: DigitalOceanTrial;
  beforeEach(async () => (trial = await DigitalOceanTrial.start()));
  afterEach(async () => trial.close());

  it("are named in the error for every call that lacks one, as DigitalOcean documents them", async () => {
    const description = new ApiDescription();
    const { droplets, firewalls } = trial.client();
    const { id } = await droplets.create({ ...ORDER, mark: "other:1" }, signal);
    await firewalls.ensure({ ...FIREWALL, name: "there" }, signal);
    const address = await trial.server.addReservedIp("fra1");
    const operations = new Set<string>();
    for (const [calls, scopes] of [
      [READING, []],
      [WRITING, READS],
    ] as const) {
      trial.server.addToken("dop_v1_little", scopes);
      for (const call of calls) {
        const error: unknown = await call(trial.client({ token: "dop_v1_little" }), id, address).catch(
          (thrown: unknown) => thrown,
        );
        const operation = trial.server.requests.at(-1) ?? "";
        if (!isAppError(error, "digitalocean-scope-missing"))
          throw new Error(`${operation}: ${String(error)}`);
        const [method = "", path = ""] = operation.split(" ");
        const needed = description.find(method, path)?.operation.scopes ?? [];
        expect(needed, operation).to.have.length.above(0);
        for (const scope of needed) expect(error.hint, operation).to.include(scope);
        operations.add(operation);
      }
    }
    expect(operations.size).to.equal(READING.length + WRITING.length - 2);
  });
});
