import Docker from "dockerode";
import { z } from "zod";
import { AppError } from "../../../core/errors/app-error.js";
import { LABELS } from "./instance-labels.js";

const labelsSchema = z
  .record(z.string(), z.string())
  .nullish()
  .transform((labels) => labels ?? {});

const serviceSchema = z.object({
  ID: z.string(),
  Version: z.object({ Index: z.number() }),
  Spec: z.looseObject({
    Name: z.string(),
    Labels: labelsSchema,
    Mode: z.object({ Replicated: z.object({ Replicas: z.number() }) }),
    TaskTemplate: z.looseObject({
      ContainerSpec: z.looseObject({ Image: z.string() }).nullish(),
      Placement: z.looseObject({ Constraints: z.array(z.string()).nullish() }).nullish(),
    }),
  }),
});

const taskSchema = z.object({
  ID: z.string(),
  ServiceID: z.string().default(""),
  NodeID: z.string().default(""),
  CreatedAt: z.string(),
  DesiredState: z.string(),
  Spec: z
    .object({
      ContainerSpec: z.object({ Labels: labelsSchema, Command: z.array(z.string()).nullish() }).optional(),
    })
    .optional(),
  Status: z.object({
    State: z.string(),
    Timestamp: z.string(),
    Err: z.string().default(""),
    ContainerStatus: z
      .object({
        ContainerID: z.string().default(""),
        PID: z.number().default(0),
        ExitCode: z.number().default(0),
      })
      .optional(),
    PortStatus: z
      .object({ Ports: z.array(z.object({ TargetPort: z.number(), PublishedPort: z.number() })).nullish() })
      .nullish(),
  }),
});

const nodeSchema = z.object({
  ID: z.string(),
  Spec: z.object({ Availability: z.string(), Labels: labelsSchema }),
  // One that joins just now has none yet.
  Description: z.object({ Hostname: z.string().default("") }).default({ Hostname: "" }),
  Status: z.object({ State: z.string(), Addr: z.string().default("") }),
  ManagerStatus: z.object({ Addr: z.string() }).nullish(),
});

const containerSchema = z.object({
  ...{ Id: z.string(), State: z.string(), Labels: labelsSchema },
  SizeRw: z.number().default(0),
});

const infoSchema = z.object({
  LiveRestoreEnabled: z.boolean().default(false),
  /** Docker 29 and later. */
  FirewallBackend: z.object({ Driver: z.string().default("") }).nullish(),
  Swarm: z.object({
    NodeID: z.string().default(""),
    LocalNodeState: z.string(),
    ControlAvailable: z.boolean().default(false),
  }),
});

const nodeSpecSchema = z.object({
  Version: z.object({ Index: z.number() }),
  Spec: z.looseObject({ Availability: z.string(), Labels: labelsSchema }),
});

const swarmSchema = z.object({ JoinTokens: z.object({ Worker: z.string() }) });

const secretSchema = z.object({ ID: z.string(), Spec: z.object({ Name: z.string(), Labels: labelsSchema }) });

export type SwarmService = Readonly<z.infer<typeof serviceSchema>>;
export type SwarmTask = Readonly<z.infer<typeof taskSchema>>;
export type SwarmNode = Readonly<z.infer<typeof nodeSchema>>;
export type DockerInfo = Readonly<z.infer<typeof infoSchema>>;
/** What of a node can be changed. */
export type NodeSpec = Readonly<z.infer<typeof nodeSpecSchema>["Spec"]>;
export type SwarmSecret = Readonly<z.infer<typeof secretSchema>>;

/** One of an instance, on the host whose Docker was asked. */
export interface Container {
  readonly id: string;
  /** `APP.vN.PROCESS.INDEX` */
  readonly instance: string;
  readonly isRunning: boolean;
  /** Besides what is in volumes; 0 where that was not asked. */
  readonly writtenBytes: number;
}

/** A login for the registry that hosts fetch images from. */
export interface RegistryLogin {
  readonly username: string;
  readonly password: string;
  readonly serveraddress: string;
}

/** Nothing but a log takes longer to answer. */
const TIMEOUT_MS = 15_000;
const SWARM_PORT = 2377;
const MOST_TRIES = 5;
const HEARTBEAT_NANOSECONDS = 2e9;
/** What a manager says that has lost the others for a while. */
const AWAY =
  /DeadlineExceeded|Unavailable|no leader|does not have a leader|not a swarm manager|context canceled/i;

/**
 * What Sluice asks of a Swarm's manager (Docker's Engine API, in the version that the manager speaks). Throws
 * `engine-unavailable` where nothing is known of what it did, and `engine-refused`.
 */
export class SwarmApi {
  private readonly docker: Docker;
  private readonly unhurried: Docker;

  constructor(socketPath: string) {
    this.docker = new Docker({ socketPath, timeout: TIMEOUT_MS });
    this.unhurried = new Docker({ socketPath });
  }

  async info(): Promise<DockerInfo> {
    return this.ask("tell about itself", infoSchema, async () => this.docker.info());
  }

  /** Makes a Swarm of this host, which others can join at its address. A host that is lost is noticed after some five seconds. */
  async init(address: string): Promise<void> {
    await this.ask("make a Swarm", z.unknown(), async () =>
      this.docker.swarmInit({
        ListenAddr: `${address}:${SWARM_PORT}`,
        AdvertiseAddr: address,
        Spec: { Dispatcher: { HeartbeatPeriod: HEARTBEAT_NANOSECONDS } },
      }),
    );
  }

  /** What another host joins the Swarm with, as one that manages nothing. */
  async workerToken(): Promise<string> {
    const { JoinTokens } = await this.ask("read the Swarm", swarmSchema, async () =>
      this.docker.swarmInspect(),
    );
    return JoinTokens.Worker;
  }

  /** Whether there is such a node. `change` runs again when somebody else was faster. */
  async changeNode(id: string, change: (before: NodeSpec) => NodeSpec): Promise<boolean> {
    const node = this.docker.getNode(id);
    for (let tries = 1; ; tries++) {
      const read = this.ask("read a node", nodeSpecSchema, async () => node.inspect());
      const found = await unlessMissing(read);
      if (found === undefined) return false;
      const [before, after] = [found.Spec, change(found.Spec)];
      if (JSON.stringify(before) === JSON.stringify(after)) return true;
      try {
        const options = { ...after, version: found.Version.Index };
        await this.ask("change a node", z.unknown(), async () => node.update(options));
        return true;
      } catch (error) {
        if (!isOutdated(error) || tries === MOST_TRIES) throw error;
      }
    }
  }

  /** `force`: even if the node is not down. */
  async removeNode(id: string, force: boolean): Promise<void> {
    const remove = async (): Promise<unknown> => this.docker.getNode(id).remove({ force });
    await unlessMissing(this.ask("remove a node", z.unknown(), remove));
  }

  async services(label: string): Promise<SwarmService[]> {
    return this.ask("list services", z.array(serviceSchema), async () =>
      this.docker.listServices({ filters: { label: [label] } }),
    );
  }

  async service(nameOrId: string): Promise<SwarmService | undefined> {
    return unlessMissing(
      this.ask("read a service", serviceSchema, async () => this.docker.getService(nameOrId).inspect()),
    );
  }

  /** Whether it was made: `false` when there is one of that name. */
  async createService(spec: Docker.ServiceSpec, login: RegistryLogin | undefined): Promise<boolean> {
    const make = async (): Promise<unknown> =>
      login === undefined ? this.docker.createService(spec) : this.docker.createService({ ...login }, spec);
    return unlessThere(this.ask("create a service", z.unknown(), make));
  }

  /** Whether it was changed: `false` when somebody else has changed it since it was read, or it is gone. */
  async updateService(service: SwarmService, spec: SwarmService["Spec"]): Promise<boolean> {
    const options = { ...spec, version: service.Version.Index };
    const change = this.ask("change a service", z.unknown(), async () =>
      // The answer of the API is what it takes.
      this.docker.getService(service.ID).update(options as unknown as Docker.ServiceSpec),
    );
    return change.then(
      () => true,
      (error: unknown) => {
        if (isRefused(error, 404) || (isRefused(error) && /out of sequence/.test(String(error))))
          return false;
        throw error;
      },
    );
  }

  async removeService(nameOrId: string): Promise<void> {
    const remove = async (): Promise<unknown> => this.docker.getService(nameOrId).remove();
    await unlessMissing(this.ask("remove a service", z.unknown(), remove));
  }

  /** Those of a service include some that have ended. */
  async tasks(filters: Readonly<Record<string, readonly string[]>>): Promise<SwarmTask[]> {
    const found = this.ask("list tasks", z.array(taskSchema), async () =>
      this.docker.listTasks({ filters: JSON.stringify(filters) }),
    );
    // A filter that names a service which is gone.
    return (await unlessMissing(found)) ?? [];
  }

  /** Of instances, on this host alone; a worker answers it, too. */
  async containers(): Promise<Container[]> {
    return this.listContainers({ all: true });
  }

  /** As `containers`, of those that run, with what each has written besides its volumes. */
  async containersWithSize(): Promise<Container[]> {
    return this.listContainers({ size: true });
  }

  /** One that has ended is no error. */
  async kill(container: string, signal: NodeJS.Signals): Promise<void> {
    await this.ask("end a container", z.unknown(), async () =>
      this.docker.getContainer(container).kill({ signal }),
    ).catch((error: unknown) => {
      if (!isRefused(error, 404) && !isRefused(error, 409)) throw error;
    });
  }

  async nodes(): Promise<SwarmNode[]> {
    return this.ask("list nodes", z.array(nodeSchema), async () => this.docker.listNodes());
  }

  async secrets(label: string): Promise<SwarmSecret[]> {
    return this.ask("list secrets", z.array(secretSchema), async () =>
      this.docker.listSecrets({ filters: { label: [label] } }),
    );
  }

  /** Whether it was made: `false` when there is one of that name. */
  async createSecret(name: string, labels: Readonly<Record<string, string>>, text: string): Promise<boolean> {
    const data = Buffer.from(text).toString("base64");
    return unlessThere(
      this.ask("create a secret", z.unknown(), async () =>
        this.docker.createSecret({ Name: name, Labels: labels, Data: data }),
      ),
    );
  }

  /** Whether it is gone: one that a service uses stays. */
  async removeSecret(id: string): Promise<boolean> {
    const remove = this.ask("remove a secret", z.unknown(), async () => this.docker.getSecret(id).remove());
    return remove.then(
      () => true,
      (error: unknown) => {
        if (isRefused(error, 404)) return true;
        if (isRefused(error, 400)) return false;
        throw error;
      },
    );
  }

  /** What the tasks of a service write, as it comes: frames of both outputs, each line after its time. */
  async follow(serviceId: string, sinceSeconds: number, signal: AbortSignal): Promise<NodeJS.ReadableStream> {
    return this.ask("follow a log", z.custom<NodeJS.ReadableStream>(), async () =>
      this.unhurried.getService(serviceId).logs({
        ...{ follow: true, stdout: true, stderr: true, timestamps: true },
        since: sinceSeconds,
        abortSignal: signal,
      }),
    );
  }

  /** What the tasks of a service have written so far: frames of both outputs. */
  async output(nameOrId: string): Promise<Buffer> {
    return this.ask("read an output", z.instanceof(Buffer), async () =>
      this.docker.getService(nameOrId).logs({ follow: false, stdout: true, stderr: true }),
    );
  }

  private async listContainers(options: Docker.ContainerListOptions): Promise<Container[]> {
    const found = await this.ask("list containers", z.array(containerSchema), async () =>
      this.unhurried.listContainers({ ...options, filters: { label: [LABELS.instance] } }),
    );
    const all = found.map(({ Id, State, Labels, SizeRw }) => ({
      ...{ id: Id, instance: Labels[LABELS.instance] ?? "" },
      ...{ isRunning: State === "running", writtenBytes: SizeRw },
    }));
    return all.filter(({ instance }) => instance !== "");
  }

  private async ask<T>(request: string, schema: z.ZodType<T>, act: () => Promise<unknown>): Promise<T> {
    let answer: unknown;
    try {
      answer = await act();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const status = statusOf(error);
      if (status === undefined || status === 503 || AWAY.test(reason))
        throw new AppError("engine-unavailable", { reason }, { cause: error });
      throw new AppError("engine-refused", { request, reason }, { cause: error });
    }
    return schema.parse(answer);
  }
}

function statusOf(error: unknown): number | undefined {
  const status: unknown = error instanceof Error ? Reflect.get(error, "statusCode") : undefined;
  return typeof status === "number" ? status : undefined;
}

function isRefused(error: unknown, status?: number): boolean {
  if (!(error instanceof AppError) || error.code !== "engine-refused") return false;
  return status === undefined || statusOf(error.cause) === status;
}

/** Somebody has changed it since it was read. */
function isOutdated(error: unknown): boolean {
  return isRefused(error) && error instanceof AppError && /out of sequence/.test(error.message);
}

async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  return answer.catch((error: unknown) => {
    if (isRefused(error, 404)) return undefined;
    throw error;
  });
}

async function unlessThere(made: Promise<unknown>): Promise<boolean> {
  return made.then(
    () => true,
    (error: unknown) => {
      if (isRefused(error, 409)) return false;
      throw error;
    },
  );
}
