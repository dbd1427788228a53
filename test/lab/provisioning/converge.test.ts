import { expect } from "chai";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../../support/eventually.js";
import { LabSwarm } from "../lab-swarm.js";
import { fleetHostOf, FleetTrial, labKey, OFFERED_PORT } from "./fleet-trial.js";
import type { FleetHost } from "../../../core/records/fleet/fleet-host.js";
import type { LabHost } from "../lab-host.js";
import { LabTest } from "../lab-test.js";

const CHANGED = /^(\d+) ok, (\d+) (?:would )?change/;

describe("a machine that is configured over SSH", function () {
  this.timeout(600_000);
  const [servers, bare] = [new LabTest(), new LabTest()];
  let trial: FleetTrial;
  let manager: LabHost;
  let machine: LabHost;
  let worker: FleetHost;
  let folder: string;
  before(async function () {
    await servers.open(this, ["docker.io", "redis-server"]);
    await bare.open(this);
    [manager] = (await servers.lab.boot(1)) as [LabHost];
    [machine] = (await bare.lab.boot(1)) as [LabHost];
    folder = await mkdtemp(join(tmpdir(), "converge-"));
    trial = await FleetTrial.start(manager, await labKey());
    worker = fleetHostOf(machine, "worker-1");
  });
  after(async () => {
    await trial.close();
    await rm(folder, { recursive: true });
    await servers.close();
    await bare.close();
  });

  const peers = (): string[] => [manager.address];
  const changes = (lines: readonly string[]): number => Number(CHANGED.exec(lines.at(-1) ?? "")?.[2]);
  const state = async (): Promise<string> =>
    machine.run("dpkg-query --show | sha256sum; find /etc /opt /usr/local -type f | sort | xargs sha256sum");

  it("is left alone by a dry run, which says what would be changed", async () => {
    const before = await state();
    const { lines, problem } = await trial.configure(worker, { mode: "dry-run", peers: peers() });
    expect(problem).to.equal(undefined);
    expect(lines.join("\n")).to.match(/^packages would be changed: not installed: .*docker\.io/m);
    expect(lines.join("\n")).to.match(/^firewall would be changed/m);
    expect(await state()).to.equal(before);
  });

  it("becomes a host that runs instances", async () => {
    const { lines, problem, learnt, seconds } = await trial.configure(worker, { peers: peers() });
    expect(problem, lines.join("\n")).to.equal(undefined);
    expect(learnt).to.include({ privateAddress: machine.address });
    const nodes = await manager.run("docker node ls --format '{{.ID}} {{.Hostname}} {{.Status}}'");
    expect(nodes)
      .to.include(String(learnt?.node).slice(0, 12))
      .and.match(/worker-1 Ready/);
    expect(await machine.run("systemctl is-active sluice; hostname")).to.equal("active\nworker-1");
    process.stdout.write(`      ${seconds.toFixed(1)} s, from a bare Debian\n`);
    worker = { ...worker, ...learnt };
  });

  it("is not changed by a second run", async () => {
    const { lines, problem, seconds } = await trial.configure(worker, { peers: peers() });
    expect(problem, lines.join("\n")).to.equal(undefined);
    expect(changes(lines), lines.join("\n")).to.equal(0);
    process.stdout.write(`      ${seconds.toFixed(1)} s\n`);
  });

  it("has what was changed by hand put right, and told", async () => {
    await machine.run(
      `echo 'PasswordAuthentication yes' >/etc/ssh/sshd_config.d/10-sluice.conf
       nft delete table inet sluice
       sed -i 's/"no-new-privileges": true/"no-new-privileges": false/' /etc/docker/daemon.json`,
    );
    const { lines, problem } = await trial.configure(worker, { peers: peers() });
    expect(problem, lines.join("\n")).to.equal(undefined);
    const said = lines.join("\n");
    expect(said).to.match(/^SSH server: .*10-sluice\.conf differs; passwordauthentication is yes/m);
    expect(said).to.match(/^firewall: the rules that are loaded were changed/m);
    expect(said).to.match(/^Docker's settings: no-new-privileges is false, not true/m);
    expect(changes(lines)).to.equal(3);
  });

  it("keeps its settings of Docker that Sluice does not need, and a copy of what they were", async () => {
    await machine.run(
      `sed -i 's/^{/{"debug": true,/' /etc/docker/daemon.json; rm -f /etc/docker/daemon.json.before-sluice`,
    );
    await machine.run(`sed -i 's/"ip": "[^"]*"/"ip": "0.0.0.0"/' /etc/docker/daemon.json`);
    const { problem } = await trial.configure(worker, { peers: peers() });
    expect(problem).to.equal(undefined);
    const [now, before] = (
      await machine.run(
        "cd /etc/docker; jq -c . daemon.json 2>/dev/null || tr -d '\\n' <daemon.json; echo; cat daemon.json.before-sluice | tr -d '\\n'",
      )
    ).split("\n");
    expect(now)
      .to.match(/"debug": ?true/)
      .and.match(new RegExp(`"ip": ?"${machine.address}"`));
    expect(before).to.include("0.0.0.0");
  });

  it("shows nobody but the other hosts what its instances publish, and takes no password", async () => {
    const [stranger] = (await bare.lab.boot(1)) as [LabHost];
    await LabSwarm.of(manager, [machine]).load("bare", folder);
    const serve = "require('http').createServer((_, answer) => answer.end('seen')).listen(8000)";
    await machine.run(`docker run -d -p ${machine.address}:32768:8000 bare node -e "${serve}"`);
    await machine.run(`setsid timeout 300 node -e "${serve}" >/dev/null 2>&1 </dev/null &`);
    const ask = async (from: LabHost, port: number): Promise<string> =>
      from.run(`curl -s -m 3 http://${machine.address}:${port} || echo refused`);
    for (const port of [8000, 32768]) {
      await eventually(
        `the server's host reaches ${port}`,
        async () => (await ask(manager, port)) === "seen",
      );
      expect(await ask(stranger, port), `a stranger at ${port}`).to.equal("refused");
    }
    const login = await stranger.run(
      `ssh -o StrictHostKeyChecking=no -o PreferredAuthentications=password,keyboard-interactive -o BatchMode=yes root@${machine.address} true 2>&1 || true`,
    );
    expect(login).to.include("Permission denied (publickey)");
  });

  it("lets its instances reach nothing private but what Sluice offers them", async () => {
    const serve = (port: number): string =>
      `setsid timeout 300 node -e "require('net').createServer((socket) => socket.end()).listen(${port})" >/dev/null 2>&1 </dev/null &`;
    for (const port of [OFFERED_PORT, OFFERED_PORT + 1]) await manager.run(serve(port));
    await machine.run(serve(OFFERED_PORT));
    await machine.run("docker run -d --name one bare sleep 300; docker run -d --name other bare sleep 300");
    const other = await machine.run("docker inspect -f '{{.NetworkSettings.IPAddress}}' other");
    await machine.run(
      `docker exec -d other node -e "require('net').createServer((socket) => socket.end()).listen(8000)"`,
    );
    const reaches = async (address: string, port: number): Promise<boolean> => {
      const connect = `require('net').connect(${port}, '${address}').setTimeout(2000, () => process.exit(1)).on('connect', () => process.exit(0)).on('error', () => process.exit(1))`;
      return (await machine.run(`docker exec one node -e "${connect}" && echo yes || echo no`)) === "yes";
    };
    await eventually("what is offered", async () => reaches(manager.address, OFFERED_PORT));
    await eventually("the host itself reaches the other instance", async () =>
      (await machine.run(`curl -s telnet://${other}:8000 && echo yes`)).includes("yes"),
    );
    await eventually("the host itself reaches the others", async () =>
      (await machine.run(`curl -s telnet://${manager.address}:${OFFERED_PORT + 1} && echo yes`)).includes(
        "yes",
      ),
    );
    const refused = [
      [manager.address, OFFERED_PORT + 1],
      [manager.address, 22],
      [machine.address, OFFERED_PORT],
      ["169.254.169.254", 80],
      [other, 8000],
    ] as const;
    for (const [address, port] of refused)
      expect(await reaches(address, port), `${address}:${port}`).to.equal(false);
    await machine.run("docker rm -f one other");
  });

  it("is not configured when it shows another key than before", async () => {
    await machine.run(
      "rm /etc/ssh/ssh_host_ed25519_key*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; systemctl reload ssh",
    );
    await machine.run("true");
    const { problem } = await trial.configure(worker, { peers: peers() });
    expect(problem).to.include({ code: "host-key-changed" });
    worker = { ...worker, hostKey: undefined };
  });

  it("is reached by a user whom sudo makes root, unless that needs a password", async () => {
    await machine.run(
      `apt-get install -y -q sudo >/dev/null; useradd --create-home --shell /bin/bash ops
       install -d -o ops -m 700 /home/ops/.ssh; install -o ops -m 600 /root/.ssh/authorized_keys /home/ops/.ssh/authorized_keys
       echo 'ops ALL=(ALL) ALL' >/etc/sudoers.d/ops`,
    );
    const asOps = { ...worker, user: "ops" };
    expect((await trial.configure(asOps, { peers: peers() })).problem).to.include({
      code: "sudo-needs-password",
    });
    await machine.run("echo 'ops ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ops");
    const { problem, lines } = await trial.configure(asOps, { peers: peers() });
    expect(problem, lines.join("\n")).to.equal(undefined);
  });

  it("is configured by the next run when its power failed during one", async () => {
    await machine.run("systemctl disable --now sluice; rm -rf /opt/sluice/current /opt/sluice/releases");
    const cut = trial.configure(worker, { peers: peers() });
    await machine.powerOff();
    expect((await cut).problem).to.include({ code: "host-unreachable" });
    await machine.powerOn();
    const { problem, lines } = await trial.configure({ ...worker, hostKey: undefined }, { peers: peers() });
    expect(problem, lines.join("\n")).to.equal(undefined);
    expect(await machine.run("systemctl is-active sluice")).to.equal("active");
  });
});
