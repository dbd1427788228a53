import { expect } from "chai";
import { execa } from "execa";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../core/clock.js";
import { silentLog } from "../../../core/log.js";
import { newSshKeyPair } from "../../../core/ssh-key-pair.js";
import { DigitalOcean } from "../../../provisioning/digitalocean/digitalocean.js";
import type { Droplet } from "../../../provisioning/digitalocean/droplets/droplet.js";
import { userDataOf } from "../../../provisioning/digitalocean/droplets/user-data.js";
import { eventually } from "../../support/eventually.js";
import { LabTest } from "../lab-test.js";
import { FakeDigitalOcean } from "./fake-digitalocean.js";
import { DROPLET_PACKAGES, LabMachines } from "./lab-machines.js";

const WAIT = { timeoutMs: 60_000, signal: new AbortController().signal };

type Ready = Droplet & { readonly publicAddress: string };

describe("a droplet of the lab", function () {
  this.timeout(300_000);
  const test = new LabTest();
  const ours = newSshKeyPair("sluice");
  const hostKey = newSshKeyPair("host");
  let folder: string;
  let server: FakeDigitalOcean;
  let client: DigitalOcean;
  before(async function () {
    await test.open(this, DROPLET_PACKAGES);
    folder = await mkdtemp(join(tmpdir(), "droplet-"));
    await writeFile(join(folder, "key"), ours.privateKey, { mode: 0o600 });
  });
  beforeEach(async () => {
    server = await FakeDigitalOcean.start(new LabMachines(test.lab));
    client = new DigitalOcean({ url: server.url, token: server.token, clock: systemClock, log: silentLog });
  });
  afterEach(async () => server.close());
  after(async () => {
    await test.close();
    await rm(folder, { recursive: true, force: true });
  });

  const create = async (name: string, image: string | number = "debian-12-x64"): Promise<Ready> => {
    const key = await client.sshKeys.ensure({ name: "sluice", publicKey: ours.publicKey }, WAIT.signal);
    const { id } = await client.droplets.create(
      {
        ...{
          mark: `sluice-mark:${name}`,
          name,
          image,
          size: "s-1vcpu-2gb",
          region: "fra1",
          tags: ["sluice"],
        },
        sshKeys: [key.id],
        userData: userDataOf({ hostname: name, hostKey, authorizedKeys: [ours.publicKey] }),
      },
      WAIT.signal,
    );
    return client.droplets.waitUntilActive(id, WAIT);
  };

  /** Runs a command as root with our key, if the host has our host key. */
  const ssh = async ({ publicAddress }: Pick<Ready, "publicAddress">, command: string): Promise<string> => {
    const known = join(folder, "known_hosts");
    await writeFile(known, `${publicAddress} ${hostKey.publicKey}\n`);
    const options = [`UserKnownHostsFile=${known}`, "StrictHostKeyChecking=yes", "IdentitiesOnly=yes"];
    const others = ["BatchMode=yes", "ConnectTimeout=3"];
    const argv = ["-F", "none", "-i", join(folder, "key")];
    const set = [...options, ...others].flatMap((option) => ["-o", option]);
    return (await execa("ssh", [...argv, ...set, `root@${publicAddress}`, command])).stdout;
  };

  const isUp = async (droplet: Ready): Promise<boolean> =>
    ssh(droplet, "true").then(
      () => true,
      () => false,
    );

  it("has our host key, accepts our SSH key, and leaves nothing on the bill when it is deleted", async () => {
    const begun = Date.now();
    const droplet = await create("web-1");
    const seconds = ((Date.now() - begun) / 1000).toFixed(1);
    expect(droplet).to.include({ status: "active", monthlyUsd: 12 });
    expect(droplet.publicAddress)
      .to.match(/^10\.77\.\d+\.2$/)
      .and.equal(droplet.privateAddress);
    expect(await ssh(droplet, "hostname; ls /etc/ssh/*key; cloud-init status --wait")).to.match(
      /^web-1\n\/etc\/ssh\/ssh_host_ed25519_key\n\n*\.*status: done$/,
    );
    process.stdout.write(`      active after ${seconds} s\n`);
    expect(server.bill.monthlyUsd).to.equal(12);
    await client.droplets.delete(droplet.id, WAIT.signal);
    expect(server.bill.monthlyUsd).to.equal(0);
    expect(server.bill.history[0]?.destroyed).to.be.a("string");
    await eventually("its host is gone", async () => !(await isUp(droplet)));
  });

  it("is refused when it has another host key, and times out when its network is cut", async () => {
    server.spoilNextDroplet("wrong-host-key");
    server.spoilNextDroplet("silent");
    const [other, silent] = [await create("web-1"), await create("web-2")];
    expect(await ssh(other, "true").catch(String)).to.include("HOST IDENTIFICATION HAS CHANGED");
    expect(await ssh(silent, "true").catch(String)).to.include("timed out");
  });

  it("can be the image of another one by a snapshot", async () => {
    const first = await create("web-1");
    await ssh(first, "echo kept >/root/note");
    const snapshot = await client.snapshots.ensure({ droplet: first.id, name: "sluice-1" }, WAIT);
    await client.droplets.delete(first.id, WAIT.signal);
    const second = await create("web-2", snapshot.id);
    expect(await ssh(second, "hostname; cat /root/note")).to.equal("web-2\nkept");
  });

  it("answers at the reserved IP that is assigned to it", async () => {
    const address = await server.addReservedIp("fra1");
    const reserved = { publicAddress: address };
    expect(await ssh(reserved, "true").catch(String)).to.match(/timed out|Invalid argument|unreachable/);
    for (const droplet of [await create("web-1"), await create("web-2")]) {
      await client.reservedIps.assign(address, droplet.id, WAIT);
      expect(await ssh(reserved, "hostname")).to.equal(droplet.name);
    }
  });
});
