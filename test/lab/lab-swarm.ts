import { basename, dirname } from "node:path";
import { baseRoot } from "./base-root.js";
import type { LabHost } from "./lab-host.js";

/** The packages that a host of a Swarm has besides a bare Debian. */
export const SWARM_PACKAGES = ["docker.io"];

/** Those that Sluice needs besides, with the engine swarm. */
export const SERVER_PACKAGES = [
  ...SWARM_PACKAGES,
  ...["docker-registry", "mmdebstrap", "busybox-static", "openssl"],
  ...["haproxy", "redis-server", "runit", "bubblewrap", "nftables"],
];

const SOCKET = "/run/docker.sock";

/** A Swarm of hosts: the first one manages it. */
export class LabSwarm {
  private constructor(
    readonly manager: LabHost,
    readonly workers: readonly LabHost[],
  ) {}

  /** A Swarm that is there already, with what will join it. */
  static of(manager: LabHost, workers: readonly LabHost[]): LabSwarm {
    return new LabSwarm(manager, workers);
  }

  static async form([manager, ...workers]: readonly LabHost[]): Promise<LabSwarm> {
    if (manager === undefined) throw new Error("a Swarm needs a host");
    await manager.run(`docker swarm init --advertise-addr ${manager.address} --dispatcher-heartbeat 2s`);
    const swarm = new LabSwarm(manager, workers);
    await swarm.takeIn(workers);
    return swarm;
  }

  async takeIn(workers: readonly LabHost[]): Promise<void> {
    const token = await this.manager.run("docker swarm join-token --quiet worker");
    const join = `docker swarm join --token ${token} ${this.manager.address}:2377`;
    await Promise.all(workers.map(async (worker) => worker.run(join)));
  }

  get hosts(): readonly LabHost[] {
    return [this.manager, ...this.workers];
  }

  /** The manager's Docker, as this machine reaches it. */
  async socket(): Promise<string> {
    return this.manager.pathFromOutside(SOCKET);
  }

  /** Gives every host an image: a bare Debian with Node.js, and what is in a folder, at `/srv`. */
  async load(image: string, folder: string): Promise<void> {
    const bare = await baseRoot();
    const unused = [
      "./srv",
      "./boot",
      "./usr/share/doc",
      "./usr/share/locale",
      "./var/cache",
      "./var/lib/apt",
    ];
    const from = [...unused.map((path) => `--exclude=${path}`), "-C", bare.folder, "."];
    const added = [
      "--transform",
      `s,^\\./${basename(folder)},./srv,`,
      "-C",
      dirname(folder),
      `./${basename(folder)}`,
    ];
    const argv = ["tar", "-c", ...from, ...added] as const;
    await Promise.all(this.hosts.map(async (host) => host.feed(argv, `docker import - ${image}`)));
  }

  /** So that the hosts' Docker takes images from a registry whose authority only Sluice knows. */
  async trust(registry: string, authority: string): Promise<void> {
    const folder = `/etc/docker/certs.d/${registry}`;
    const text = Buffer.from(authority).toString("base64");
    const command = `mkdir -p ${folder} && echo ${text} | base64 -d >${folder}/ca.crt`;
    await Promise.all(this.hosts.map(async (host) => host.run(command)));
  }
}
