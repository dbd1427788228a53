import { expect } from "chai";
import { execa } from "execa";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ask } from "../../support/network/ask.js";
import { TestClone } from "../../support/git/test-clone.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { buildSluice } from "../build-sluice.js";
import type { LabHost } from "../lab-host.js";
import { LabTest } from "../lab-test.js";
import { LAB_KEY } from "../swarm/lab-fleet.js";

/** Run by hand, since it takes long: node_modules/.bin/mocha test/lab/provisioning/from-nothing.ts */
const KEY = "/var/tmp/sluice-lab/id_ed25519";
const HOSTS = {
  "edge-1": "proxy",
  "edge-2": "proxy",
  "redis-1": "redis",
  "web-1": "production",
  "web-2": "production",
  "web-3": "production",
  "canary-1": "staging",
} as const;

describe("eight bare machines", function () {
  this.timeout(1_800_000);
  const test = new LabTest();
  let folder: string;
  let server: LabHost;
  let hosts: Map<string, LabHost>;
  before(async function () {
    await test.open(this);
    await buildSluice();
    const names = Object.keys(HOSTS);
    const [first, ...others] = (await test.lab.boot(1 + names.length)) as [LabHost, ...LabHost[]];
    server = first;
    hosts = new Map(names.map((name, index) => [name, others[index] as LabHost]));
    folder = await mkdtemp(join(tmpdir(), "sluice-admin-"));
  });
  after(async () => {
    await rm(folder, { recursive: true });
    await test.close();
  });

  const timed = async (what: string, work: () => Promise<string>): Promise<string> => {
    const began = performance.now();
    const said = await work();
    process.stdout.write(`      ${what}: ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
    return said;
  };
  const sluice = async (command: string): Promise<string> => server.run(`sluice ${command} 2>&1`);
  const changes = (said: string): string[] => [...said.matchAll(/\d+ changed/g)].map(([text]) => text);

  it("become a server, two proxies, a replica of Redis, three hosts for production and one for staging", async () => {
    await timed("server", async () => {
      const env = { HOME: folder, SLUICE_HOME: join(folder, "state") };
      const args = ["provision", "server", server.address, "--identity", KEY, "--domain", "apps.test"];
      return (await execa("bin/sluice", args, { env })).stdout;
    });
    await server.copy(KEY, LAB_KEY);
    await server.run(`chmod 600 ${LAB_KEY}`);
    for (const [name, role] of Object.entries(HOSTS)) {
      const { address } = hosts.get(name) as LabHost;
      await timed(`${name}, ${role}`, async () =>
        sluice(`provision ${role} ${address} --identity ${LAB_KEY} --name ${name} --yes`),
      );
    }
    const clone = await TestClone.make(
      join(folder, "shop"),
      `ssh://git@${server.address}:2222/shop`,
      tinyApp(),
    );
    const ssh = `ssh -i ${KEY} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR`;
    await clone.git("config", "core.sshCommand", ssh);
    await timed("a first push, with the images' base", async () => (await clone.mustPush()).output);
    for (const name of ["edge-1", "edge-2"]) {
      const { address } = hosts.get(name) as LabHost;
      const answer = await ask(`${address}:80`, { headers: { host: "shop.apps.test" } });
      expect(answer.body).to.equal("v1 web.1");
    }
  });

  it("are not changed by a second run", async () => {
    const said = await timed("a second run over all", async () => sluice("provision --all"));
    expect(changes(said)).to.deep.equal(Object.keys(HOSTS).map(() => "0 changed"));
  });

  it("are put right after a change by hand, which is told", async () => {
    const web = hosts.get("web-1") as LabHost;
    await web.run(
      "sed -i 's/PasswordAuthentication no/PasswordAuthentication yes/' /etc/ssh/sshd_config.d/*.conf; nft delete table inet sluice; echo hand >>/var/lib/sluice/sluice.yml",
    );
    const said = await sluice("provision --host web-1");
    expect(changes(said)).to.deep.equal(["3 changed"]);
    expect(said).to.include("firewall: ").and.include("SSH server: ");
    expect(changes(await sluice("provision --host web-1"))).to.deep.equal(["0 changed"]);
  });
});
