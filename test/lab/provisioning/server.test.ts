import { expect } from "chai";
import { execa } from "execa";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSluice } from "../build-sluice.js";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { TestClone } from "../../support/git/test-clone.js";
import type { LabHost } from "../lab-host.js";
import { LabTest } from "../lab-test.js";
import { ReservedAddress } from "../reserved-address.js";

/** Its gate needs npm. */
const PACKAGE = JSON.stringify({ name: "shop", version: "1.0.0", scripts: { lint: "node --version" } });
const KEY = "/var/tmp/sluice-lab/id_ed25519";

describe("a bare machine that becomes a server", function () {
  this.timeout(300_000);
  const test = new LabTest();
  let host: LabHost;
  let home: string;
  before(async function () {
    await test.open(this);
    await buildSluice();
    [host] = (await test.lab.boot(1)) as [LabHost];
    home = await mkdtemp(join(tmpdir(), "sluice-admin-"));
  });
  after(async () => {
    await rm(home, { recursive: true });
    await test.close();
  });

  /** From a machine on which no Sluice runs. */
  const provisionAt = async (
    address: string,
    ...more: string[]
  ): Promise<{ stdout: string; stderr: string; exitCode?: number }> =>
    execa("bin/sluice", ["provision", "server", address, "--identity", KEY, ...more], {
      env: { HOME: home, SLUICE_HOME: join(home, "state") },
      reject: false,
    });
  const provision = async (...more: string[]): ReturnType<typeof provisionAt> =>
    provisionAt(host.address, ...more);
  const ssh = `ssh -i ${KEY} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR`;

  it("is one by one command, and says how to push to it and where the apps are", async () => {
    const began = performance.now();
    const { stdout, stderr, exitCode } = await provision("--name", "shop-1", "--domain", "apps.test");
    expect(exitCode, stdout + stderr).to.equal(0);
    process.stdout.write(`      ${((performance.now() - began) / 1000).toFixed(1)} s, from a bare Debian\n`);
    expect(stdout)
      .to.include("shop-1 is a Sluice server")
      .and.include("http://APP.apps.test;")
      .and.include(`ssh://git@${host.address}:2222/APP`);
    expect(await host.run("hostname; systemctl is-active sluice; systemctl is-enabled sluice")).to.equal(
      "shop-1\nactive\nenabled",
    );
    expect(await readFile(join(home, ".ssh/known_hosts"), "utf8")).to.include(`${host.address} ssh-ed25519 `);
  });

  it("is one, too, when two people give the command at the same moment", async () => {
    const [other] = (await test.lab.boot(1)) as [LabHost];
    const both = await Promise.all([provisionAt(other.address), provisionAt(other.address)]);
    for (const { stdout, stderr, exitCode } of both) expect(exitCode, stdout + stderr).to.equal(0);
    expect((await provisionAt(other.address)).stdout).to.match(/ ok, 0 changed/);
  });

  it("takes a push over SSH from whoever may log in, and serves the app at port 80", async () => {
    const clone = await TestClone.make(
      join(home, "shop"),
      `ssh://git@${host.address}:2222/shop`,
      tinyApp({ "package.json": PACKAGE }),
    );
    await clone.git("config", "core.sshCommand", ssh);
    expect((await clone.mustPush()).output)
      .to.include("Gates: lint")
      .and.include("Live: http://shop.apps.test ");
    const answer = await ask(`${host.address}:80`, { headers: { host: "shop.apps.test" } });
    expect(answer.body).to.equal("v1 web.1");
  });

  it("is not changed by a second run, and its settings are its owner's", async () => {
    const { stdout, exitCode } = await provision();
    expect(exitCode, stdout).to.equal(0);
    expect(stdout)
      .to.match(/ ok, 0 changed/)
      .and.include("http://APP.apps.test;");
    await host.run("echo 'logLevel: debug' >>/var/lib/sluice/sluice.yml");
    const started = "it was started with another version, or other settings";
    expect((await provision("--dry-run")).stdout)
      .to.include(`Sluice's service would be changed: ${started}`)
      .and.match(/ ok, 1 would change/);
    expect((await provision()).stdout).to.match(/ ok, 1 changed/);
    expect(await host.run("cat /var/lib/sluice/sluice.yml")).to.include("logLevel: debug");
    expect((await provision("--dry-run")).stdout).to.match(/ ok, 0 would change/);
    const refused = await provision("--domain", "other.test");
    expect(refused.exitCode).to.equal(1);
    expect(refused.stderr).to.include("has the domain apps.test, not other.test");
  });

  it("shows the internet its traffic, Git and SSH, and its own network more", async () => {
    const [stranger] = (await test.lab.boot(1)) as [LabHost];
    const internet = new ReservedAddress("203.0.113.77");
    await internet.moveTo(stranger);
    try {
      const serve = "require('net').createServer((socket) => socket.end()).listen(9999)";
      await host.run(`setsid timeout 200 node -e "${serve}" >/dev/null 2>&1 </dev/null &`);
      const reaches = async (port: number, from: string): Promise<boolean> => {
        const connect = `require('net').connect({ port: ${port}, host: '${host.address}', localAddress: '${from}' }).setTimeout(2000, () => process.exit(1)).on('connect', () => process.exit(0)).on('error', () => process.exit(1))`;
        return (await stranger.run(`node -e "${connect}" && echo yes || echo no`)) === "yes";
      };
      await eventually("its own network reaches 9999", async () => reaches(9999, stranger.address));
      for (const port of [22, 80, 2222])
        expect(await reaches(port, internet.address), String(port)).to.equal(true);
      for (const port of [9999, 8081])
        expect(await reaches(port, internet.address), String(port)).to.equal(false);
    } finally {
      await internet.remove();
    }
  });

  it("is logged in to by a key that an SSH agent has", async () => {
    const socket = join(home, "agent.sock");
    const agent = execa("ssh-agent", ["-D", "-a", socket]);
    try {
      const env = { SSH_AUTH_SOCK: socket, HOME: home, SLUICE_HOME: join(home, "state") };
      await eventually("the agent answers", async () => execa("ssh-add", [KEY], { env }).then(() => true));
      const { stdout } = await execa("bin/sluice", ["provision", "server", host.address], { env });
      expect(stdout).to.match(/ ok, 0 changed/);
    } finally {
      agent.kill();
      await agent.catch(() => undefined);
    }
  });

  it("serves again after a reboot", async () => {
    await host.powerOff();
    await host.powerOn();
    await eventually(
      "the app answers",
      async () => (await ask(`${host.address}:80`, { headers: { host: "shop.apps.test" } })).status === 200,
      60_000,
    );
  });

  it("is not touched when it shows another host key than before", async () => {
    await host.run(
      "rm /etc/ssh/ssh_host_ed25519_key*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; systemctl reload ssh",
    );
    const { stderr, exitCode } = await provision();
    expect(exitCode).to.equal(1);
    expect(stderr).to.include("shows another SSH host key");
  });
});
