import type { LabHost } from "../lab-host.js";

const DOCKER = "/var/lib/docker";
const BALLAST = `${DOCKER}/ballast`;

/** Docker's folder on a host, in memory and no larger than said: as its disk is when it is full. */
export class SmallDisk {
  private constructor(private readonly host: LabHost) {}

  /** Of a host without instances. It stays what it is in its Swarm; images are fetched again. */
  static async of(host: LabHost, megabytes: number): Promise<SmallDisk> {
    const steps = [
      "systemctl stop docker.socket docker",
      "mkdir /small",
      `mount -t tmpfs -o size=${megabytes}m tmpfs /small`,
      `cp -a ${DOCKER}/swarm /small/`,
      `mount --bind /small ${DOCKER}`,
      "systemctl start docker",
    ];
    await host.run(steps.join(" && "));
    return new SmallDisk(host);
  }

  /** To the last byte. */
  async fill(): Promise<void> {
    await this.host.run(`fallocate -l $(df --output=avail -k ${DOCKER} | tail -1)k ${BALLAST}`);
  }

  async makeRoom(): Promise<void> {
    await this.host.run(`rm ${BALLAST}`);
  }
}
