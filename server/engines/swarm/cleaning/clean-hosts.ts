import type { ServiceSpec } from "dockerode";
import type { Clock } from "../../../../core/clock.js";
import { hashOf, LABELS } from "../instance-labels.js";
import { LogFrames } from "../logs/log-frames.js";
import type { RegistryLogin, SwarmApi, SwarmTask } from "../swarm-api.js";
import { CLEANER_SCRIPT, UNUSED_SECONDS } from "./cleaner-script.js";

export interface CleaningOptions {
  readonly api: SwarmApi;
  /** Of this Sluice, among those that use the Swarm. */
  readonly owner: string;
  readonly login: RegistryLogin;
  readonly clock: Clock;
}

export interface Cleaning {
  /** It has Node.js in /usr/local/bin. */
  readonly image: string;
  /** `HOST:PORT` of the registry whose images are removed, and no others. */
  readonly registry: string;
  /** `REPOSITORY@sha256:…` */
  readonly kept: readonly string[];
}

export interface CleanedHosts {
  /** Those that have done it. */
  readonly hosts: number;
  /** Those that have not, in the time they had. */
  readonly silent: number;
  readonly images: number;
  readonly bytes: number;
}

const SOCKET = "/run/docker.sock";
/** Of a host that has the image of the cleaner. */
const MOST_SECONDS = 60;
/** With fetching it. */
const DEADLINE_MS = 120_000;
const POLL_MS = 250;
const NANOSECONDS = 1e9;
const MEGABYTE = 1024 * 1024;
const OVER = new Set(["complete", "failed", "rejected", "shutdown", "orphaned"]);

/**
 * Removes old images from every host that takes instances: a job of the Swarm does it there, through Docker's socket. What
 * an earlier server left of such a job is removed first.
 */
export async function cleanHosts(
  { api, owner, login, clock }: CleaningOptions,
  cleaning: Cleaning,
  signal: AbortSignal,
): Promise<CleanedHosts> {
  const name = cleanerName(owner);
  await api.removeService(name);
  try {
    await api.createService(cleanerSpec(name, owner, cleaning), login);
    const deadline = clock.now() + DEADLINE_MS;
    let hosts = await hostsOf(api, name);
    while (hosts.waiting > 0 && clock.now() < deadline) {
      await clock.sleep(POLL_MS, signal);
      hosts = await hostsOf(api, name);
    }
    const said = hosts.done === 0 ? [] : removedIn(await api.output(name));
    return {
      ...{ hosts: hosts.done, silent: hosts.all - hosts.done },
      images: said.reduce((sum, { images }) => sum + images, 0),
      bytes: said.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  } finally {
    await api.removeService(name);
  }
}

/** Of a service that is there while hosts are cleaned. */
export function cleanerName(owner: string): string {
  return `sluice-cleaner-${hashOf(owner)}`;
}

/** What every cleaner has said. Pure. */
export function removedIn(output: Buffer): { images: number; bytes: number }[] {
  return new LogFrames().push(output).flatMap((line) => {
    const [, images, bytes] = /^removed (\d+) (\d+)$/.exec(line) ?? [];
    return images === undefined ? [] : [{ images: Number(images), bytes: Number(bytes) }];
  });
}

async function hostsOf(api: SwarmApi, name: string): Promise<{ all: number; done: number; waiting: number }> {
  const [tasks, nodes] = await Promise.all([api.tasks({ service: [name] }), api.nodes()]);
  const ready = nodes.filter(
    ({ Status, Spec }) => Status.State === "ready" && Spec.Availability === "active",
  );
  const statesOn = (nodeId: string): string[] =>
    tasks.filter(({ NodeID }: SwarmTask) => NodeID === nodeId).map(({ Status }) => Status.State);
  const states = ready.map(({ ID }) => statesOn(ID));
  return {
    all: ready.length,
    done: states.filter((each) => each.includes("complete")).length,
    waiting: states.filter((each) => each.length === 0 || each.some((state) => !OVER.has(state))).length,
  };
}

function cleanerSpec(name: string, owner: string, { image, registry, kept }: Cleaning): ServiceSpec {
  const labels = { [LABELS.cleaner]: owner };
  return {
    Name: name,
    Labels: labels,
    Mode: { GlobalJob: {} },
    TaskTemplate: {
      ContainerSpec: {
        Image: image,
        Labels: labels,
        Command: ["/usr/local/bin/node", "-e", CLEANER_SCRIPT],
        Args: [
          ...[SOCKET, registry, `${LABELS.cleaner}=${owner}`],
          ...[String(UNUSED_SECONDS), String(MOST_SECONDS), ...kept],
        ],
        Init: true,
        // Docker's socket is root's: it needs no capability for that.
        User: "0:0",
        CapabilityDrop: ["ALL"],
        ReadOnly: true,
        Mounts: [{ Type: "bind", Source: SOCKET, Target: SOCKET }],
        StopGracePeriod: NANOSECONDS,
      },
      Resources: { Limits: { MemoryBytes: 256 * MEGABYTE, Pids: 50 } },
      LogDriver: { Name: "json-file", Options: { "max-size": "1m" } },
      RestartPolicy: { Condition: "none" },
    },
  };
}
