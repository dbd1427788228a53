import type { ServiceSpec } from "dockerode";
import { parseInstanceId } from "../../../core/instances/instance-id.js";
import type { InstanceSpec } from "../engine.js";
import { ENTRY, OWN_PORT, START_SECRET } from "./entry-script.js";
import { LABELS } from "./instance-labels.js";

export interface ServiceOptions {
  readonly name: string;
  readonly owner: string;
  /** `REGISTRY/APP@sha256:…` */
  readonly image: string;
  readonly secret: { readonly id: string; readonly name: string };
  readonly constraints: readonly string[];
  /** Between TERM and KILL. */
  readonly stopSeconds: number;
}

const NANOSECONDS = 1e9;
const MEGABYTE = 1024 * 1024;
const HOST_LOG_MEGABYTES = 10;
/** Between the end of an instance and its next start. A Swarm's is always the same. */
const RESTART_SECONDS = 1;

/**
 * The service of one instance: one task, never updated but for where it may run, at a port of its host. Pure.
 */
export function serviceSpec(instance: InstanceSpec, options: ServiceOptions): ServiceSpec {
  const { id, app, limits, user, listen, role } = instance;
  const { name, owner, image, secret, constraints, stopSeconds } = options;
  const { uid, gid } = user ?? { uid: 0, gid: 0 };
  return {
    Name: name,
    Labels: { ...labelsOf(id, owner), ...(role === undefined ? {} : { [LABELS.role]: role }) },
    Mode: { Replicated: { Replicas: 1 } },
    // Where it may run changes only before it runs: a host that cannot start it may take long to say that it stopped trying.
    UpdateConfig: { Parallelism: 1, Order: "start-first" },
    TaskTemplate: {
      ContainerSpec: {
        Image: image,
        Labels: labelsOf(id, owner),
        Command: [...ENTRY],
        Hostname: app,
        Dir: "/",
        Init: true,
        User: `${uid}:${gid}`,
        CapabilityDrop: ["ALL"],
        Mounts: ["/tmp", "/var/tmp"].map((folder) => ({
          Type: "tmpfs" as const,
          Source: "",
          Target: folder,
          TmpfsOptions: { SizeBytes: limits.scratchMegabytes * MEGABYTE, Mode: 0o1777 },
        })),
        Secrets: [
          {
            SecretID: secret.id,
            SecretName: secret.name,
            File: { Name: START_SECRET, Mode: 0o400, UID: String(uid), GID: String(gid) },
          },
        ],
        StopGracePeriod: stopSeconds * NANOSECONDS,
      },
      Resources: { Limits: { MemoryBytes: limits.memoryMegabytes * MEGABYTE, Pids: limits.processes } },
      // On its host, until Sluice has stored it; else an app could fill that host's disk.
      LogDriver: { Name: "json-file", Options: { "max-size": `${HOST_LOG_MEGABYTES}m`, "max-file": "2" } },
      RestartPolicy: { Condition: "any", Delay: RESTART_SECONDS * NANOSECONDS },
      Placement: { Constraints: [...constraints] },
    },
    EndpointSpec: {
      Mode: "dnsrr",
      ...(listen === "nothing"
        ? {}
        : { Ports: [{ Protocol: "tcp" as const, TargetPort: OWN_PORT, PublishMode: "host" as const }] }),
    },
  };
}

function labelsOf(id: string, owner: string): Record<string, string> {
  const identity = parseInstanceId(id);
  return {
    [LABELS.owner]: owner,
    [LABELS.instance]: id,
    ...(identity && {
      [LABELS.app]: identity.app,
      [LABELS.release]: String(identity.release),
      [LABELS.process]: identity.process,
      [LABELS.index]: String(identity.index),
    }),
  };
}
