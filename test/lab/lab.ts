import { appendFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { baseRoot, type BaseRoot } from "./base-root.js";
import { LabHost, removeHost, type HostPlace } from "./lab-host.js";
import { removeSegment, SharedSegment } from "./shared-segment.js";
import { ReservedAddress } from "./reserved-address.js";

/** A file for each number that some lab has taken, with the mark of that lab. */
export const NUMBERS = "/var/tmp/sluice-lab/numbers";
/** Disks of hosts: real ones, since Docker's layers and an overlay do not lie on another overlay or in memory. */
const DISKS = "/var/tmp/sluice-lab/hosts";
const MOST_HOSTS = 250;
/** On in Debian, and of the kernel that all hosts share: none of them may turn it on for itself. */
const PROTECTED_SYMLINKS = "/proc/sys/fs/protected_symlinks";
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

export interface BootOptions {
  /** Changes the disk before the host starts for the first time. */
  readonly prepare?: (root: string) => Promise<void>;
  /** What is on the disk at first. Default: a fresh Debian. */
  readonly disk?: BaseRoot;
}

export interface SavedDisk {
  readonly disk: BaseRoot;
  /** Of what the host had changed. */
  readonly folder: string;
  /** To be called once no host uses it. */
  readonly remove: () => Promise<void>;
}

/** Real Debian hosts on this machine, each with an address that all the others reach. */
export class Lab {
  private readonly hosts: LabHost[] = [];
  private readonly disks = new Set<SavedDisk>();
  private readonly segments: SharedSegment[] = [];
  /** With the number in the address. */
  private readonly addresses = new Map<ReservedAddress, number>();

  private constructor(
    private readonly base: BaseRoot,
    private readonly mark: string,
  ) {}

  /** `packages`: what the hosts have besides a bare Debian. Clears away what earlier labs left whose tests were killed. */
  static async open(packages: readonly string[] = []): Promise<Lab> {
    for (const folder of [DISKS, NUMBERS]) await mkdir(folder, { recursive: true, mode: 0o711 });
    await writeFile(PROTECTED_SYMLINKS, "1");
    await removeOrphans();
    return new Lab(await baseRoot(packages), `${process.pid}-${await startOf(process.pid)}`);
  }

  /** Boots so many more hosts, side by side. */
  async boot(count: number, { prepare, disk = this.base }: BootOptions = {}): Promise<LabHost[]> {
    const numbers = await takeNumbers(count, this.mark);
    const hosts = numbers.map((number) => new LabHost(placeOf(this.mark, number), disk));
    this.hosts.push(...hosts);
    await Promise.all(hosts.map(async (host) => host.powerOn(prepare)));
    return hosts;
  }

  /** Copies a host's disk, except /var/lib/docker, for further hosts. */
  async saveDisk(host: LabHost): Promise<SavedDisk> {
    const [number = 0] = await takeNumbers(1, this.mark);
    const { folder } = placeOf(this.mark, number);
    const remove = async (): Promise<void> => {
      this.disks.delete(saved);
      await rm(folder, { recursive: true, force: true });
      await giveBack(number);
    };
    await mkdir(folder, { recursive: true });
    const saved = { disk: await host.copyDisk(join(folder, "disk")), folder: join(folder, "disk"), remove };
    this.disks.add(saved);
    return saved;
  }

  /** Lets the test in at a host whose disk lets in others alone, before its first start. */
  async allowKey(root: string): Promise<void> {
    const [file, line] = [
      join(root, "root/.ssh/authorized_keys"),
      await readFile(`${this.base.key}.pub`, "utf8"),
    ];
    const known = await readFile(file, "utf8").catch(() => "");
    if (!known.includes(line)) await appendFile(file, line);
  }

  /** An address that no host has yet (`ReservedAddress.moveTo`). */
  async reserveAddress(): Promise<ReservedAddress> {
    const [number = 0] = await takeNumbers(1, this.mark);
    const reserved = new ReservedAddress(`10.77.${number}.2`);
    await reserved.moveTo(undefined);
    this.addresses.set(reserved, number);
    return reserved;
  }

  /** A network that hosts can share (`SharedSegment.join`). */
  async addSegment(): Promise<SharedSegment> {
    const [number = 0] = await takeNumbers(1, this.mark);
    const segment = await SharedSegment.open(number, deviceOf(number));
    this.segments.push(segment);
    return segment;
  }

  /** Powers all hosts off and removes all that there is of them. */
  async close(): Promise<void> {
    for (const segment of this.segments.splice(0)) {
      await segment.remove();
      await giveBack(segment.number);
    }
    for (const [reserved, number] of this.addresses) {
      await reserved.remove();
      await giveBack(number);
    }
    this.addresses.clear();
    await Promise.all(this.hosts.splice(0).map(async (host) => this.remove(host)));
    await Promise.all([...this.disks].map(async ({ remove }) => remove()));
  }

  /** Powers a host off and removes all that there is of it. */
  async remove(host: LabHost): Promise<void> {
    await host.remove();
    await giveBack(host.number);
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
  for (const number of await readdir(NUMBERS)) {
    const mark = await readFile(join(NUMBERS, number), "utf8").catch(() => "");
    const [pid, started] = mark.split("-").map(Number);
    // One that is empty is being written.
    if (pid === undefined || pid === 0 || (await startOf(pid)) === started) continue;
    await removeSegment(deviceOf(Number(number)));
    await rm(join(NUMBERS, number));
  }
}

function placeOf(mark: string, number: number): HostPlace {
  const name = `sluice-lab-${mark}-${number}`;
  return { name, device: deviceOf(number), number, folder: join(DISKS, name) };
}

/** On this machine: a host's cable, or a segment's bridge. */
function deviceOf(number: number): string {
  return `lab-${number}`;
}

/** Two labs may take numbers at the same moment: a file that is there already belongs to somebody. */
async function takeNumbers(count: number, mark: string): Promise<number[]> {
  const used = await takenNumbers();
  const numbers: number[] = [];
  for (let number = 1; number <= MOST_HOSTS && numbers.length < count; number++) {
    if (used.has(number)) continue;
    const isFree = await writeFile(join(NUMBERS, String(number)), mark, { flag: "wx" }).then(
      () => true,
      () => false,
    );
    if (isFree) numbers.push(number);
  }
  return numbers;
}

async function giveBack(number: number): Promise<void> {
  await rm(join(NUMBERS, String(number)), { force: true });
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
