import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { AppError } from "../../../core/errors/app-error.js";
import { runCommand } from "../../../core/exec/exec.js";
import { atLowPriority } from "../../../core/exec/low-priority.js";
import { exitOf } from "../../../core/exec/sandbox/exit-of.js";
import type { Sandbox } from "../../../core/exec/sandbox/sandbox.js";
import { scriptFor } from "../../../core/exec/sandbox/script-for.js";
import type { Home } from "../../../core/home.js";
import type { PlacedTree } from "../engine.js";
import type { TaskEnd, TaskOptions, Tasks, TaskSpec } from "../tasks.js";
import type { Network, Networks } from "./network/networks.js";
import { openLimiter, type Limiter } from "./limits/limiter.js";

type TreeTask = TaskSpec & { readonly artifact: PlacedTree };

export interface LocalTasksOptions {
  readonly home: Home;
  readonly sandbox: Sandbox;
  /** PATH of what prepares a sandbox. */
  readonly path: string;
  /** Gives each task a network of its own; undefined: they share the machine's. */
  readonly networks?: Networks | undefined;
}

/** Tasks as processes of this machine, each in a sandbox of its own that ends with it, or with the server. */
export class LocalTasks implements Tasks {
  private constructor(
    private readonly options: LocalTasksOptions,
    private readonly limiter: Limiter,
  ) {}

  static async open(options: LocalTasksOptions): Promise<LocalTasks> {
    return new LocalTasks(options, await openLimiter(options.home.root, "sluice-tasks"));
  }

  async runOnce(task: TaskSpec, options: TaskOptions): Promise<TaskEnd> {
    const { app, release, limits, artifact } = task;
    if (artifact.kind !== "tree") throw new AppError("engine-unsupported", { what: "An image" });
    // Gates run side by side.
    const id = `${app}.${release}.${randomBytes(6).toString("hex")}`;
    try {
      const lines = await this.limiter.prepare(id, limits);
      const network = await this.options.networks?.ensure(id, "task");
      const argv = atLowPriority([
        "/bin/sh",
        "-c",
        [...lines, 'exec "$@"'].join("\n"),
        "sh",
        ...this.shell(id, { ...task, artifact }, network),
      ]);
      const input = Readable.from([scriptFor({ ...task, folder: artifact.at })]);
      const exit = await runCommand(
        { argv, cwd: "/", env: { PATH: this.options.path } },
        { ...options, input },
      );
      const ended = exit.status === undefined ? exit : exitOf(exit.status);
      return { ...ended, exceeded: await this.limiter.exceeded(id) };
    } finally {
      await this.limiter.remove(id);
      this.options.networks?.discard(id);
    }
  }

  /** A sandbox ends with its server; where the kernel keeps processes together, that is made sure. */
  async endLeftovers(): Promise<number> {
    let ended = 0;
    for (const id of await this.limiter.list()) {
      ended += (await this.limiter.processes(id))?.length ?? 0;
      await this.limiter.remove(id);
    }
    return ended;
  }

  private shell(
    id: string,
    { app, artifact, changes, folders = {}, limits, user }: TreeTask,
    network: Network | undefined,
  ): readonly string[] {
    const mounts = Object.entries(folders).map(([from, to]) => ({ from, to, access: "write" as const }));
    const policy = {
      hostname: app,
      work: { folder: artifact.folder, at: artifact.at, changes },
      mounts: [...mounts, ...this.limiter.mounts(id), ...(network?.mounts ?? [])],
      scratchMegabytes: limits.scratchMegabytes,
      ...(user === undefined ? {} : { user }),
      ...(network === undefined ? {} : { network: network.namespace }),
    };
    return this.options.sandbox.command(policy, ["/bin/sh"], { diesWithParent: true });
  }
}
