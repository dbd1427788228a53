import { AppError } from "../../../core/errors/app-error.js";
import { releaseName } from "../../../core/names.js";
import type { InstanceRecord, ReleaseProcess } from "../../../core/records/releases/release-record.js";
import { waitForProxiesIfPossible } from "../../routes/wait-for-proxies.js";
import { instancesOf } from "../../releases/release-logs.js";
import { giveReserve } from "../disk-space.js";
import { processEnvironment } from "../environment.js";
import { execLast } from "../../builds/manifest/exec-last.js";
import { readManifest } from "../../builds/manifest/manifest.js";
import { applyAppJsonEnv } from "../release-config.js";
import type { ReleaseWork, Step } from "../step.js";
import { userOf } from "../../tools.js";
import { runTask } from "../../builds/task.js";

/** The Procfile's `release:` once, then every instance of every process. */
export const start: Step = {
  name: "start",
  reaches: "started",
  timeoutMs: ({ limits }) => limits.releaseSeconds * 1000,
  run: async (work, signal) => {
    const { tools, record, app } = work;
    await tools.redisUsers.ensure(app, tools.apps.redisPassword(app));
    const manifest = await readManifest(
      tools.home.tree(app.name, record.number),
      tools.settings.instances.memoryMegabytes,
    );
    await applyAppJsonEnv(work, manifest);
    if (work.record.order === "deploy" && manifest.releaseCommand !== undefined) {
      await runReleaseCommand(work, manifest.releaseCommand, signal);
    }
    return { instances: await startInstances(work) };
  },
  // What the proxy still routes has visitors: a failed rollback leaves it as it was.
  undo: async (work) => {
    const { releases } = await work.tools.routes.read(work.app.name);
    if (!releases.some(({ number }) => number === work.record.number)) await stopWhenOut(work);
  },
};

/** Starts what a release should have running; instances that run already stay as they are. */
export async function startInstances(work: ReleaseWork): Promise<InstanceRecord[]> {
  const instances: InstanceRecord[] = [];
  for (const process of work.record.processes) {
    for (let index = 1; index <= process.quantity; index++)
      instances.push(await startInstance(work, process, index));
  }
  return instances;
}

/** Stops all instances of a release at once. */
export async function stopInstances({ tools, record }: Pick<ReleaseWork, "tools" | "record">): Promise<void> {
  const grace = tools.settings.instances.stopSeconds;
  await Promise.all(instanceIds(record).map(async (id) => tools.engine.stop(id, grace)));
}

/** The same once every proxy has taken them out. What a silent one may still lead visitors to goes when that has reported, or was removed. */
async function stopWhenOut(work: ReleaseWork): Promise<void> {
  const { tools, app, record, goneSince } = work;
  const unheard =
    goneSince === undefined ? undefined : await waitForProxiesIfPossible(tools, goneSince, app.name);
  if (goneSince === undefined || unheard === undefined) await stopInstances(work);
  else for (const id of instanceIds(record)) tools.leaving.begin(id, { goneSince, drainSeconds: 0 });
}

/** Those that a release's record knows, and those that were being started. */
function instanceIds(record: ReleaseWork["record"]): string[] {
  return [...new Set([...record.instances, ...instancesOf(record)].map(({ id }) => id))];
}

async function startInstance(
  work: ReleaseWork,
  process: ReleaseProcess,
  index: number,
): Promise<InstanceRecord> {
  const { tools, app, record } = work;
  const id = `${app.name}.${releaseName(record.number)}.${process.name}.${index}`;
  const user = userOf(app, tools);
  await tools.leaving.reclaim(id);
  const state = await tools.engine.state(id);
  if (state === undefined) await giveReserve(tools);
  work.endsBefore.set(id, state?.ends ?? 0);
  const { address } = await tools.engine.start({
    id,
    app: app.name,
    // One process less for each instance: the shell does not stay around it.
    command: execLast(process.command),
    directory: tools.home.tree(app.name, record.number),
    env: await processEnvironment(work, `${process.name}.${index}`),
    ...(user === undefined ? {} : { user }),
    memoryMegabytes: record.traffic.memoryMegabytes,
    listen: process.name === "web" ? record.traffic.listen : "nothing",
  });
  return { id, process: process.name, index, ...(address === undefined ? {} : { address }) };
}

async function runReleaseCommand(work: ReleaseWork, command: string, signal: AbortSignal): Promise<void> {
  const { tools, app, record, out } = work;
  out.heading(`release: ${command}`);
  const cwd = tools.home.tree(app.name, record.number);
  const failure = await runTask(
    work,
    { command, cwd, env: await processEnvironment(work, "release.1") },
    signal,
  );
  if (failure !== undefined) throw new AppError("task-failed", { task: "release", status: failure });
}
