import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { baseRoot, type BaseRoot } from "./base-root.js";
import { LabHost, removeHost, type HostPlace } from "./lab-host.js";

/** Disks of hosts: real ones, since Docker's layers and an overlay do not lie on another overlay or in memory. */
const DISKS = "/var/tmp/sluice-lab/hosts";
const MOST_HOSTS = 250;
/** `sluice-lab-PID-STARTED-N`: whoever comes after a test that was killed knows what was its. */
const NAME = /^sluice-lab-(\d+)-(\d+)-(\d+)$/;

/** Why there can be no lab on this machine; undefined where there can. */
export async function whyNoLab(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "needs root";
  for (const program of ["debootstrap", "systemd-nspawn", "ip", "nft", "ssh"]) {
    const { exitCode } = await execa("sh", ["-c", `command -v ${program}`], { reject: false });
    if (exitCode !== 0) return `needs ${program}`;
  }
  return undefined;
}

/** Real Debian hosts on this machine, each with an address that all the others reach. */
export class Lab {
  private readonly hosts: LabHost[] = [];

  private constructor(
    private readonly base: BaseRoot,
    private readonly mark: string,
  ) {}

  /** `packages`: what the hosts have besides a bare Debian. Clears away what earlier labs left whose tests were killed. */
  static async open(packages: readonly string[] = []): Promise<Lab> {
    await mkdir(DISKS, { recursive: true, mode: 0o711 });
    await removeOrphans();
    return new Lab(await baseRoot(packages), `${process.pid}-${await startOf(process.pid)}`);
  }

  /** Boots so many more hosts, side by side. */
  async boot(count: number): Promise<LabHost[]> {
    const taken = await takenNumbers();
    const free = Array.from({ length: MOST_HOSTS }, (_, index) => index + 1).filter((one) => !taken.has(one));
    const hosts = free.slice(0, count).map((number) => new LabHost(placeOf(this.mark, number), this.base));
    this.hosts.push(...hosts);
    await Promise.all(hosts.map(async (host) => host.powerOn()));
    return hosts;
  }

  /** Powers all hosts off and removes all that there is of them. */
  async close(): Promise<void> {
    await Promise.all(this.hosts.splice(0).map(async (host) => host.remove()));
  }
}

async function removeOrphans(): Promise<void> {
  const namespaces = await readdir("/run/netns").catch(() => []);
  const disks = await readdir(DISKS);
  for (const name of new Set([...namespaces, ...disks])) {
    const [, pid = "", started = "", number = ""] = NAME.exec(name) ?? [];
    if (number === "" || (await startOf(Number(pid))) === Number(started)) continue;
    await removeHost(placeOf(`${pid}-${started}`, Number(number)));
  }
}

function placeOf(mark: string, number: number): HostPlace {
  const name = `sluice-lab-${mark}-${number}`;
  return { name, device: `lab-${number}`, number, folder: join(DISKS, name) };
}

/** Third numbers of addresses 10.77.N that somebody on this machine has. */
async function takenNumbers(): Promise<Set<number>> {
  const { stdout } = await execa("ip", ["-o", "-4", "addr"]);
  return new Set([...stdout.matchAll(/ 10\.77\.(\d+)\./g)].map(([, number]) => Number(number)));
}

/** When a process began (proc(5), field 22); undefined where there is none. */
async function startOf(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return text === undefined ? undefined : Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[19]);
}
