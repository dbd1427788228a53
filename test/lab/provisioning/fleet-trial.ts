import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { systemClock } from "../../../core/clock.js";
import { FleetLog } from "../../../core/records/fleet/fleet-log.js";
import { fleetHostSchema, type FleetHost } from "../../../core/records/fleet/fleet-host.js";
import { makeSecret, SecretBox } from "../../../core/secrets.js";
import { loadSettings } from "../../../core/settings/settings.js";
import type { SshKeyPair } from "../../../core/ssh-key-pair.js";
import { shippedRelease } from "../../../provisioning/converge/shipped-release.js";
import { SshSetup } from "../../../provisioning/fleet/setup/ssh-setup.js";
import { buildSluice } from "../build-sluice.js";
import type { LabHost } from "../lab-host.js";
import { OwnRedis } from "../../support/redis/own-redis.js";

const INSTALLATION = new URL("../../..", import.meta.url).pathname.replace(/\/$/, "");
const PASSWORD = "a-password-of-the-lab";
const NOW = "2026-01-01T00:00:00.000Z";

/** What configures hosts of the lab, for a server that is a Docker and a Redis and nothing else. */
export class FleetTrial {
  private constructor(
    readonly setup: SshSetup,
    private readonly log: FleetLog,
    private readonly own: OwnRedis,
    private readonly folder: string,
  ) {}

  /** `manager` has Docker and Redis. `key`: who logs in. */
  static async start(manager: LabHost, key: SshKeyPair, version = "1"): Promise<FleetTrial> {
    await buildSluice();
    const { address } = manager;
    const swarm = await manager.run("docker info --format '{{.Swarm.LocalNodeState}}'");
    if (swarm === "inactive") await manager.run(`docker swarm init --advertise-addr ${address}`);
    await manager.run(
      `systemctl disable --now redis-server 2>&1; redis-server --bind ${address} --port 6400 --requirepass ${PASSWORD} --daemonize yes --appendonly yes --appendfsync always --dir /root`,
    );
    const own = await OwnRedis.start();
    const folder = await mkdtemp(join(tmpdir(), "sluice-trial-"));
    const settings = await loadSettings({}, join(folder, "none.yml"));
    const log = new FleetLog(own.redis);
    const setup = new SshSetup({
      plans: {
        settings,
        adminKeys: [key.publicKey],
        access: {
          give: async () =>
            Promise.resolve({
              ...{ url: `redis://:${PASSWORD}@${address}:6400`, ca: "" },
              ...{ places: undefined, replica: undefined },
            }),
        },
        engine: {
          joinToken: async () => ({
            token: await manager.run("docker swarm join-token --quiet worker"),
            manager: `${address}:2377`,
          }),
        },
        certificateSecret: makeSecret(),
        offers: [{ address, port: OFFERED_PORT }],
        registry: { address: `${address}:5443`, authority: "an authority\n" },
        release: await shippedRelease({
          ...{ installation: INSTALLATION, version, node: process.execPath },
          architecture: (await execa("uname", ["-m"])).stdout,
        }),
      },
      ...{ key, log, box: new SecretBox(Buffer.alloc(32)), clock: systemClock, serverAddress: address },
    });
    return new FleetTrial(setup, log, own, folder);
  }

  async close(): Promise<void> {
    await this.own.stop();
    await rm(this.folder, { recursive: true });
  }

  /** Returns what was said, line by line; with what went wrong at the end, if something did. */
  async configure(
    host: FleetHost,
    options: { mode?: "apply" | "dry-run"; peers?: string[] } = {},
  ): Promise<Configured> {
    const { mode = "apply", peers = [] } = options;
    const after = await this.log.end(host.name);
    const began = performance.now();
    const outcome = await this.setup
      .configure(host, {
        mode,
        peers: { hosts: peers, proxies: [], replicas: [] },
        signal: AbortSignal.timeout(600_000),
      })
      .then((learnt) => ({ learnt, problem: undefined }))
      .catch((problem: unknown) => ({ learnt: undefined, problem }));
    const lines = (await this.log.read(host.name, after)).map(({ text }) => text);
    return { ...outcome, lines, seconds: (performance.now() - began) / 1000 };
  }
}

/** Of the server's host, for instances. */
export const OFFERED_PORT = 7000;

export interface Configured {
  readonly learnt: Awaited<ReturnType<SshSetup["configure"]>> | undefined;
  readonly problem: unknown;
  readonly lines: readonly string[];
  readonly seconds: number;
}

/** A record of a host of the lab. */
export function fleetHostOf(host: LabHost, name: string, more: Partial<FleetHost> = {}): FleetHost {
  return fleetHostSchema.parse({
    ...{ v: 1, name, roles: ["production"], phase: "configuring", since: NOW, createdAt: NOW, by: "a test" },
    ...{ address: host.address, port: 22, user: "root", ...more },
  });
}

export async function labKey(): Promise<SshKeyPair> {
  const file = "/var/tmp/sluice-lab/id_ed25519";
  return {
    privateKey: await readFile(file, "utf8"),
    publicKey: (await readFile(`${file}.pub`, "utf8")).trim(),
  };
}
