import { AppError } from "../../../core/errors/app-error.js";
import { instanceId, instanceName } from "../../../core/instances/instance-id.js";
import { indicesOf } from "../../../core/records/releases/process-indices.js";
import type { ReleaseProcess } from "../../../core/records/releases/release-process.js";
import type { InstanceRecord } from "../../../core/records/releases/release-record.js";
import { execLast } from "../../builds/manifest/exec-last.js";
import type { InstanceSpec, PlacedArtifact } from "../../engines/engine.js";
import { untilEngineAnswers } from "../../engines/until-engine-answers.js";
import { unlessUnavailable } from "../../engines/unless-unavailable.js";
import { userOf } from "../../machine.js";
import { hostRoleOf } from "../../releases/host-role-of.js";
import { artifactFor } from "./artifact-for.js";
import { giveReserve } from "../disk-space.js";
import { processEnvironment } from "../environment.js";
import { refuseIfEnded } from "./refuse-if-ended.js";
import type { ReleaseWork } from "../step.js";

export interface StartOptions {
  /** Whether one that ends before it has an address is waited for: the engine starts it again. */
  readonly mayEnd: boolean;
}

interface Started {
  readonly spec: InstanceSpec;
  readonly process: string;
  readonly index: number;
}

const POLL_MS = 20;
/** An engine that is away for longer fails the release, and so do hosts that cannot start it; it can be tried again. */
const PATIENCE_MS = 30_000;

/**
 * Starts what a release should have running and waits until each instance has its address. Those that run already stay as
 * they are.
 */
export async function startInstances(
  work: ReleaseWork,
  options: StartOptions,
  signal: AbortSignal,
): Promise<InstanceRecord[]> {
  const started: Started[] = [];
  const artifact = await artifactFor(work, signal);
  for (const process of work.record.processes) {
    for (const index of indicesOf(process)) {
      const spec = await specOf(work, artifact, process, index);
      await start(work, spec, signal);
      started.push({ spec, process: process.name, index });
    }
  }
  return Promise.all(
    started.map(async ({ spec, process, index }) => {
      const address = await addressOf(work, { spec, process, index }, options, signal);
      return { id: spec.id, process, index, ...(address === undefined ? {} : { address }) };
    }),
  );
}

async function specOf(
  work: ReleaseWork,
  artifact: PlacedArtifact,
  process: ReleaseProcess,
  index: number,
): Promise<InstanceSpec> {
  const { tools, app, record } = work;
  const one = { app: app.name, release: record.number, process: process.name, index };
  const user = userOf(app, tools);
  const { processes, scratchMegabytes } = tools.settings.instances;
  return {
    id: instanceId(one),
    app: app.name,
    artifact,
    role: hostRoleOf(record),
    // One process less for each instance: the shell does not stay around it.
    command: execLast(process.command),
    env: await processEnvironment(work, instanceName(one), artifact.kind),
    ...(user === undefined ? {} : { user }),
    limits: { memoryMegabytes: record.serving.memoryMegabytes, processes, scratchMegabytes },
    listen: process.name === "web" ? record.serving.listen : "nothing",
  };
}

async function start(work: ReleaseWork, spec: InstanceSpec, signal: AbortSignal): Promise<void> {
  const { tools, endsBefore } = work;
  await tools.leaving.reclaim(spec.id);
  const begin = async (): Promise<void> => {
    const state = await tools.engine.state(spec.id);
    if (state === undefined) await giveReserve(tools);
    if (!endsBefore.has(spec.id)) endsBefore.set(spec.id, state?.ends ?? 0);
    await tools.engine.start(spec);
  };
  await untilEngineAnswers(tools.clock, begin, signal, PATIENCE_MS);
}

/**
 * Undefined for one that listens nowhere. An engine with several hosts takes a while to place an instance, and one whose image
 * looks at its health waits for that; while the engine does not answer, nothing is known. Throws `instance-died`,
 * `instance-refused`.
 */
async function addressOf(
  work: ReleaseWork,
  { spec: { id, listen }, ...one }: Started,
  { mayEnd }: StartOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { clock, engine, images } = work.tools;
  if (listen === "nothing" && images === undefined) return undefined;
  const giveUpAt = clock.now() + PATIENCE_MS;
  for (;;) {
    const state = await unlessUnavailable(engine.state(id));
    if (state?.address !== undefined) return state.address;
    const hasEnded = state !== undefined && state.ends > (work.endsBefore.get(id) ?? 0);
    if (listen === "nothing" && (hasEnded || state?.running === true)) return undefined;
    if (hasEnded && !mayEnd) await refuseIfEnded(work, { id, ...one });
    if (state?.refusals !== undefined && clock.now() >= giveUpAt)
      throw new AppError("instance-refused", {
        instance: instanceName(one),
        refusals: state.refusals.join("; "),
      });
    await clock.sleep(POLL_MS, signal);
  }
}
