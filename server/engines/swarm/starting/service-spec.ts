import type { ContainerSpec, ServiceSpec } from "dockerode";
import { parseInstanceId } from "../../../../core/instances/instance-id.js";
import type { InstanceSpec } from "../../engine.js";
import { entryCommand, OWN_PORT, START_SECRET } from "./entry-script.js";
import { LABELS } from "../instance-labels.js";
import { isRoot, PROGRAM_ENTRY, ROOTS_CAPABILITIES } from "./program-script.js";

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
const ROOT = { uid: 0, gid: 0 };
const HOST_LOG_MEGABYTES = 10;
/** Between the end of an instance and its next start. A Swarm's is always the same. */
const RESTART_SECONDS = 1;

/**
 * The service of one instance: one task, never updated but for where it may run, at a port of its host. Pure.
 */
export function serviceSpec(instance: InstanceSpec, options: ServiceOptions): ServiceSpec {
  const { id, app, limits, listen, role } = instance;
  const { name, owner, image, secret, constraints, stopSeconds } = options;
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
        Hostname: app,
        Init: true,
        ...programOf(instance),
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
            File: { Name: START_SECRET, ...readersOf(instance) },
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
        : {
            Ports: [{ Protocol: "tcp" as const, TargetPort: portOf(instance), PublishMode: "host" as const }],
          }),
    },
  };
}

/** How its first process is started, and as whom. */
function programOf(instance: InstanceSpec): Partial<ContainerSpec> {
  const { artifact, user, limits } = instance;
  if (artifact.kind !== "program") {
    const { uid, gid } = user ?? ROOT;
    return { Command: entryCommand(limits), Dir: "/", User: `${uid}:${gid}`, CapabilityDrop: ["ALL"] };
  }
  const { user: own } = artifact.program;
  return {
    Command: [...PROGRAM_ENTRY, `/run/secrets/${START_SECRET}`],
    // Also for what Docker runs beside it: a health check finds it there.
    ...(instance.listen === "nothing" ? {} : { Env: [`PORT=${portOf(instance)}`] }),
    CapabilityDrop: ["ALL"],
    CapabilityAdd: isRoot(own) ? [...ROOTS_CAPABILITIES] : [],
    HealthCheck: healthCheckOf(instance),
  };
}

/** The image says what the check is. Whoever serves nobody has none: it is written for `web`. */
function healthCheckOf({ artifact, listen }: InstanceSpec): ContainerSpec["HealthCheck"] {
  if (artifact.kind !== "program") return undefined;
  if (listen === "nothing") return { Test: ["NONE"] };
  const { healthCheck } = artifact.program;
  return (
    healthCheck && {
      Interval: Math.round(healthCheck.intervalSeconds * NANOSECONDS),
      Retries: healthCheck.retries,
    }
  );
}

function portOf({ artifact }: InstanceSpec): number {
  return artifact.kind === "program" ? artifact.program.port : OWN_PORT;
}

/** Whoever an image names can be found in that image only; its other users are programs of the same instance. */
function readersOf({ artifact, user = ROOT }: InstanceSpec): { Mode: number; UID: string; GID: string } {
  if (artifact.kind !== "program") return { Mode: 0o400, UID: String(user.uid), GID: String(user.gid) };
  const [, uid = ""] = /^(\d+)(?::|$)/.exec(artifact.program.user) ?? [];
  const isKnown = uid !== "" || artifact.program.user === "";
  return { Mode: isKnown ? 0o400 : 0o444, UID: uid === "" ? "0" : uid, GID: "0" };
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
