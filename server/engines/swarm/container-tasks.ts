import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { z } from "zod";
import type { DockerCli } from "../docker-cli.js";
import { AppError } from "../../../core/errors/app-error.js";
import type { PlacedProgram } from "../engine.js";
import { LABELS } from "./instance-labels.js";
import type { TaskEnd, TaskOptions, Tasks, TaskSpec } from "../tasks.js";
import {
  commandScript,
  isRoot,
  PROGRAM_ENTRY,
  PROGRAM_SHELL,
  ROOTS_CAPABILITIES,
} from "./starting/program-script.js";

export interface ContainerTasksOptions {
  readonly docker: DockerCli;
  /** Runs what is no image. */
  readonly local: Tasks;
  /** Of this Sluice, among those that use this Docker. */
  readonly owner: string;
  /** A shell that needs nothing else, on this host. */
  readonly shell: string;
}

/** Of 1024, where others want the processor too. */
const CPU_SHARES = 128;
const stateSchema = z.object({ OOMKilled: z.boolean(), StartedAt: z.string(), Error: z.string() });
const NEVER = /^0001-/;

/** Tasks of images, in containers of this host that are gone afterwards. */
export class ContainerTasks implements Tasks {
  constructor(private readonly options: ContainerTasksOptions) {}

  async runOnce(task: TaskSpec, options: TaskOptions): Promise<TaskEnd> {
    const { artifact } = task;
    if (artifact.kind === "tree") return this.options.local.runOnce(task, options);
    const { docker } = this.options;
    const name = `${this.mark}${randomBytes(8).toString("hex")}`;
    try {
      // Not cut short: Docker would make it all the same, after it was looked for.
      await docker.output(this.argumentsFor(name, artifact, task), "own");
      const exit = await docker.run(["start", "--attach", "--interactive", name], "own", {
        ...options,
        // Nobody sees what it exports: neither a list of processes nor Docker.
        input: Readable.from([commandScript(task.command, task.env)]),
      });
      const { StartedAt, Error: reason, OOMKilled } = await this.stateOf(name);
      if (NEVER.test(StartedAt)) throw new AppError("docker-failed", { command: "start", reason });
      if (task.changes === "kept" && exit.status === 0)
        await docker.output(["commit", name, artifact.reference], "own", options.signal);
      return { ...exit, exceeded: OOMKilled ? ["memory"] : [] };
    } finally {
      await this.remove(await this.idsOf(`name=^${name}$`));
    }
  }

  async endLeftovers(): Promise<number> {
    const ids = await this.idsOf(`name=^${this.mark}`);
    await this.remove(ids);
    return ids.length + (await this.options.local.endLeftovers());
  }

  /** Begins their names, and no label: an image that a task has changed would hand that down to instances. */
  private get mark(): string {
    return `sluice-task-${this.options.owner}-`;
  }

  private argumentsFor(name: string, { reference, program }: PlacedProgram, task: TaskSpec): string[] {
    const { memoryMegabytes, processes, scratchMegabytes } = task.limits;
    const capabilities = isRoot(program.user) ? ROOTS_CAPABILITIES : [];
    const [entry, ...rest] = PROGRAM_ENTRY;
    return [
      ...["create", "--interactive", "--init", "--name", name, "--hostname", task.app],
      ...[`--memory=${memoryMegabytes}m`, `--memory-swap=${memoryMegabytes}m`, `--pids-limit=${processes}`],
      `--cpu-shares=${CPU_SHARES}`,
      // Whatever the app's image says that it is.
      ...["--label", `${LABELS.instance}=`],
      ...["--security-opt", "no-new-privileges", "--cap-drop=ALL"],
      ...capabilities.map((capability) => `--cap-add=${capability}`),
      ...(task.changes === "lost" ? ["--tmpfs", `/tmp:size=${scratchMegabytes}m,mode=1777,exec`] : []),
      ...["--volume", `${this.options.shell}:${PROGRAM_SHELL}:ro`],
      ...["--entrypoint", entry, reference, ...rest, "-s"],
    ];
  }

  private async idsOf(filter: string): Promise<string[]> {
    const { docker } = this.options;
    const text = await docker.output(["ps", "--all", "--quiet", "--filter", filter], "own");
    return text.split("\n").filter(Boolean);
  }

  private async remove(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.options.docker.output(["rm", "--force", "--volumes", ...ids], "own");
  }

  private async stateOf(name: string): Promise<z.infer<typeof stateSchema>> {
    const text = await this.options.docker.output(["inspect", "--format", "{{json .State}}", name], "own");
    return stateSchema.parse(JSON.parse(text));
  }
}
