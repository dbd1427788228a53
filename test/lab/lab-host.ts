import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { eventually } from "../support/eventually.js";
import type { BaseRoot } from "./base-root.js";
import { inGroups, removeGroups } from "./control-groups.js";

const BOOT_TIMEOUT_MS = 60_000;

export interface HostPlace {
  /** Of the network namespace, and with underscores of its table in this machine's firewall. */
  readonly name: string;
  /** Its end of the cable on this machine. */
  readonly device: string;
  /** The host has 10.77.N.2, this machine 10.77.N.1. */
  readonly number: number;
  /** What is on its disk. */
  readonly folder: string;
}

/** A Debian with a systemd, an sshd and an address of its own (systemd-nspawn(1)). Needs root. */
export class LabHost {
  private machine: ChildProcess | undefined;

  constructor(
    private readonly place: HostPlace,
    private readonly base: BaseRoot,
  ) {}

  get name(): string {
    return this.place.name;
  }

  get number(): number {
    return this.place.number;
  }

  get address(): string {
    return `10.77.${this.place.number}.2`;
  }

  /** Of this machine, as the host sees it; other hosts reach it too. */
  get gateway(): string {
    return `10.77.${this.place.number}.1`;
  }

  /**
   * Resolves when it takes commands. What is on its disk is as it was when it was powered off. Before the first start, `prepare`
   * gets the folder of the disk and may change it.
   */
  async powerOn(prepare?: (root: string) => Promise<void>): Promise<void> {
    await plugIn(this.place);
    const { folder, name } = this.place;
    for (const part of ["upper", "work", "root", "docker"])
      await mkdir(join(folder, part), { recursive: true });
    const layers = `lowerdir=${this.base.folder},upperdir=${folder}/upper,workdir=${folder}/work`;
    if (!(await isMounted(join(folder, "root")))) {
      await execa("mount", ["-t", "overlay", "overlay", "-o", layers, join(folder, "root")]);
      await writeFile(join(folder, "root/etc/hostname"), `${name}\n`);
      await prepare?.(join(folder, "root"));
    }
    const log = await open(join(folder, "console.log"), "a");
    const args = [
      ...["--register=no", "--keep-unit", "--quiet", "--directory", join(folder, "root"), "--boot"],
      // On an overlay Docker would fall back to copies of whole images.
      ...["--bind", `${join(folder, "docker")}:/var/lib/docker`],
      ...["--capability=all", "--system-call-filter=add_key keyctl bpf"],
      `--network-namespace-path=/run/netns/${name}`,
    ];
    const argv = await inGroups(name, ["systemd-nspawn", ...args]);
    this.machine = spawn(argv[0], argv.slice(1), { stdio: ["ignore", log.fd, log.fd] });
    await log.close();
    await eventually(
      `${name} takes commands`,
      async () => this.run("true").then(() => true),
      BOOT_TIMEOUT_MS,
    );
  }

  /** What a command of root's on it prints. Rejects when it fails. */
  async run(command: string): Promise<string> {
    return (await execa("ssh", [...this.login(), `root@${this.address}`, command])).stdout;
  }

  /** Runs a command of root's on it that reads what a command of this machine prints. */
  async feed([program, ...args]: readonly [string, ...string[]], command: string): Promise<void> {
    const argv = [...this.login(), `root@${this.address}`, command];
    await execa(program, args, { buffer: false }).pipe("ssh", argv);
  }

  /** Where this machine finds a file or socket of the host while that runs, also below its /run. */
  async pathFromOutside(path: string): Promise<string> {
    const [init] = await childrenOf(this.machine?.pid ?? 0);
    if (init === undefined) throw new Error(`${this.place.name} is not powered on`);
    return `/proc/${init}/root${path}`;
  }

  async copy(file: string, to: string): Promise<void> {
    await execa("scp", [...this.login(), "-q", file, `root@${this.address}:${to}`]);
  }

  /** Copies its disk, except /var/lib/docker, to a new folder, as a base for further hosts. */
  async copyDisk(to: string): Promise<BaseRoot> {
    await execa("cp", ["--archive", join(this.place.folder, "upper"), to]);
    return { folder: `${to}:${this.base.folder}`, key: this.base.key };
  }

  /** Without a word to it, as when its power fails. */
  async powerOff(): Promise<void> {
    const { machine } = this;
    this.machine = undefined;
    if (machine?.pid !== undefined && machine.exitCode === null && machine.signalCode === null) {
      const ended = once(machine, "exit");
      // Without nspawn alone, all that it started would go on.
      for (const init of await childrenOf(machine.pid)) process.kill(init, "SIGKILL");
      await ended;
    }
    await removeGroups(this.place.name);
    await unplug(this.place);
  }

  /** As `poweroff` on it (systemd-nspawn(1), `--kill-signal`). What is on its disk stays. */
  async shutDown(): Promise<void> {
    const { machine } = this;
    if (machine !== undefined && machine.exitCode === null && machine.signalCode === null) {
      const ended = once(machine, "exit");
      machine.kill("SIGTERM");
      await ended;
    }
    await this.powerOff();
  }

  /** Drops all traffic from and to it until `heal`. It keeps running. */
  async cutOff(): Promise<void> {
    await execa("nft", ["-f", "-"], { input: cutRulesOf(this.place) });
  }

  async heal(): Promise<void> {
    await execa("nft", ["delete", "table", "ip", cutTableOf(this.place.name)]);
  }

  async remove(): Promise<void> {
    await this.powerOff();
    await removeDisk(this.place);
  }

  private login(): string[] {
    const options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ConnectTimeout=2"];
    return ["-i", this.base.key, "-o", "LogLevel=ERROR", ...options.flatMap((each) => ["-o", each])];
  }
}

/** Of a host whose test is no more. */
export async function removeHost(place: HostPlace): Promise<void> {
  for (const pid of await machinesOf(place)) {
    for (const init of await childrenOf(pid)) process.kill(init, "SIGKILL");
    await eventually(`process ${pid} has ended`, async () => !(await machinesOf(place)).includes(pid));
  }
  await removeGroups(place.name);
  await unplug(place);
  await removeDisk(place);
}

async function plugIn({ name, device, number }: HostPlace): Promise<void> {
  const inside = ["-n", name];
  const gateway = `10.77.${number}.1`;
  await ip("netns", "add", name);
  await ip("link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", name);
  await ip("addr", "add", `${gateway}/24`, "dev", device);
  await ip("link", "set", device, "up");
  await ip(...inside, "addr", "add", `10.77.${number}.2/24`, "dev", "eth0");
  for (const each of ["eth0", "lo"]) await ip(...inside, "link", "set", each, "up");
  await ip(...inside, "route", "add", "default", "via", gateway);
  await execa("sysctl", ["-qw", "net.ipv4.ip_forward=1"]);
  await execa("nft", ["-f", "-"], { input: rulesOf(name, number) });
}

/** What of it is there: it may be half made. */
async function unplug({ name, device }: HostPlace): Promise<void> {
  for (const table of [tableOf(name), cutTableOf(name)])
    await execa("nft", ["delete", "table", "ip", table], { reject: false });
  await execa("ip", ["link", "delete", device], { reject: false });
  await execa("ip", ["netns", "delete", name], { reject: false });
}

/** Outwards it has this machine's address. Between hosts their own ones show: Swarm keeps what it sees. */
function rulesOf(name: string, number: number): string {
  return `table ip ${tableOf(name)} {
  chain outwards {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr 10.77.${number}.0/24 ip daddr != 10.77.0.0/16 masquerade
  }
}
`;
}

/** On its cable alone, before anything else is asked. */
function cutRulesOf({ name, device }: HostPlace): string {
  return `table ip ${cutTableOf(name)} {
  chain from {
    type filter hook prerouting priority raw;
    iifname ${device} drop
  }
  chain to {
    type filter hook postrouting priority raw;
    oifname ${device} drop
  }
}
`;
}

function tableOf(name: string): string {
  return name.replaceAll("-", "_");
}

function cutTableOf(name: string): string {
  return `${tableOf(name)}_cut`;
}

async function removeDisk({ folder }: HostPlace): Promise<void> {
  if (await isMounted(join(folder, "root"))) await execa("umount", ["--recursive", join(folder, "root")]);
  await rm(folder, { recursive: true, force: true });
}

async function isMounted(folder: string): Promise<boolean> {
  return (await execa("mountpoint", ["-q", folder], { reject: false })).exitCode === 0;
}

async function ip(...args: string[]): Promise<void> {
  await execa("ip", args);
}

async function childrenOf(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return children.split(" ").filter(Boolean).map(Number);
}

/** systemd-nspawn of this host. */
async function machinesOf({ folder }: HostPlace): Promise<number[]> {
  const found: number[] = [];
  for (const pid of (await readdir("/proc")).map(Number).filter((number) => number > 0)) {
    const argv = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
    if (argv[0] === "systemd-nspawn" && argv.includes(join(folder, "root"))) found.push(pid);
  }
  return found;
}
