import { expect } from "chai";
import { spawn, type ChildProcess } from "node:child_process";
import { execa } from "execa";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tmpdir } from "node:os";

const MACHINE = `sluice-test-${process.pid}`;
const INTERNET = `${MACHINE}-internet`;
/** For documentation (RFC 5737): nobody has it, and it is no private network. */
const [NEAR, FAR] = ["203.0.113.1", "203.0.113.2"] as const;
const SCRIPT = new URL("../../../../../support/network/firewalled-machine.ts", import.meta.url).pathname;
const ALL = { offered: "connected", internet: "connected", name: "127.0.0.1" };

interface Reached {
  readonly before: unknown;
  readonly after: unknown;
  readonly left: unknown;
}

/** A network namespace stands for a machine, another one for the internet. */
describe("the firewall of apps' networks", function () {
  this.timeout(60_000);
  let folder: string;
  let web: ChildProcess | undefined;
  const ip = async (line: string): Promise<unknown> => execa("ip", line.split(" "));
  const inMachine = async (line: string): Promise<unknown> => ip(`netns exec ${MACHINE} ${line}`);

  before(function () {
    if (process.getuid?.() !== 0) this.skip();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "firewall-"));
    // ip-netns(8) shows it in the place of /etc/resolv.conf.
    await mkdir(`/etc/netns/${MACHINE}`, { recursive: true });
    await writeFile(`/etc/netns/${MACHINE}/resolv.conf`, "nameserver 127.0.0.1\n");
    for (const name of [MACHINE, INTERNET]) await ip(`netns add ${name}`);
    await ip(`-n ${MACHINE} link add out type veth peer name in netns ${INTERNET}`);
    await ip(`-n ${MACHINE} addr add ${NEAR}/24 dev out`);
    await ip(`-n ${INTERNET} addr add ${FAR}/24 dev in`);
    for (const [name, device] of [
      [MACHINE, "lo"],
      [MACHINE, "out"],
      [INTERNET, "in"],
    ])
      await ip(`-n ${String(name)} link set ${String(device)} up`);
    const listen = `require("node:net").createServer((socket) => socket.end()).listen(80, () => console.log("listening"))`;
    web = spawn("ip", ["netns", "exec", INTERNET, process.execPath, "-e", listen]);
    await new Promise((resolve) => web?.stdout?.once("data", resolve));
  });
  afterEach(async () => {
    const ended = new Promise((resolve) => web?.once("exit", resolve));
    web?.kill("SIGKILL");
    await ended;
    for (const name of [MACHINE, INTERNET]) await ip(`netns delete ${name}`);
    await rm(`/etc/netns/${MACHINE}`, { recursive: true });
    await rm(folder, { recursive: true });
  });

  const node = (): string[] => [process.execPath, "--import", "tsx", SCRIPT, folder, FAR];
  const run = async (program: string, args: readonly string[]): Promise<Reached> =>
    JSON.parse((await execa(program, args)).stdout) as Reached;
  const reached = async (...more: string[]): Promise<Reached> =>
    run("ip", ["netns", "exec", MACHINE, ...node(), ...more]);

  it("lets them reach what is offered, the internet and a name server that only this machine asks", async () => {
    expect(await reached()).to.deep.equal({ before: ALL, after: null, left: null });
  });

  it("takes them through a firewall that drops whatever it does not know, as ufw's and Docker's", async () => {
    for (const line of ["-P INPUT DROP", "-P FORWARD DROP", "-P OUTPUT DROP"])
      await inMachine(`iptables ${line}`);
    for (const line of ["-A INPUT -i lo -j ACCEPT", "-A OUTPUT -o lo -j ACCEPT"])
      await inMachine(`iptables ${line}`);
    expect(await reached()).to.deep.equal({ before: ALL, after: null, left: null });
  });

  it("needs neither a writable /proc/sys nor a /sys of its own: a container has neither", async () => {
    await inMachine("sysctl -qw net.ipv4.ip_forward=0");
    const asContainer = [
      `mount --bind /etc/netns/${MACHINE}/resolv.conf /etc/resolv.conf`,
      "mount --bind /proc/sys /proc/sys",
      "mount -o remount,ro,bind /proc/sys",
      'exec "$@"',
    ].join(" && ");
    const inside = ["unshare", "--mount", "/bin/sh", "-c", asContainer, "sh", ...node()];
    expect(await run("nsenter", [`--net=/run/netns/${MACHINE}`, "--", ...inside])).to.deep.equal({
      ...{ before: ALL, after: null, left: null },
    });
  });

  it("is restored when somebody deletes all rules of the machine", async () => {
    expect(await reached("flush")).to.deep.equal({ before: ALL, after: ALL, left: null });
  });
});
