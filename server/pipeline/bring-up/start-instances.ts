import { instanceId, instanceName } from "../../../core/instances/instance-id.js";
import type { ReleaseProcess } from "../../../core/records/releases/release-process.js";
import type { InstanceRecord } from "../../../core/records/releases/release-record.js";
import { execLast } from "../../builds/manifest/exec-last.js";
import { PRODUCTION } from "../../../core/records/routes/route-table.js";
import type { InstanceSpec, PlacedArtifact } from "../../engines/engine.js";
import { untilEngineAnswers } from "../../engines/until-engine-answers.js";
import { userOf } from "../../machine.js";
import { artifactFor } from "./artifact-for.js";
import { giveReserve } from "../disk-space.js";
import { processEnvironment } from "../environment.js";
import { refuseIfEnded } from "./refuse-if-ended.js";
import type { ReleaseWork } from "../step.js";

const POLL_MS = 20;
/** An engine that is away for longer fails the release; it can be tried again. */
const PATIENCE_MS = 30_000;

/**
 * Starts what a release should have running and waits until each instance has its address. Those that run already stay as
 * they are.
 */
export async function startInstances(work: ReleaseWork, signal: AbortSignal): Promise<InstanceRecord[]> {
  const specs: { spec: InstanceSpec; process: string; index: number }[] = [];
  const artifact = await artifactFor(work, signal);
  for (const process of work.record.processes) {
    for (let index = 1; index <= process.quantity; index++) {
      const spec = await specOf(work, artifact, process, index);
      await start(work, spec, signal);
      specs.push({ spec, process: process.name, index });
    }
  }
  return Promise.all(
    specs.map(async ({ spec, process, index }) => {
      const instance = { id: spec.id, process, index };
      return spec.listen === "nothing"
        ? instance
        : { ...instance, address: await addressOf(work, instance, signal) };
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
    role: record.track === PRODUCTION ? "production" : "staging",
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
 * An engine with many hosts takes a while to place an instance, and one whose image looks at its health waits for that.
 * Throws `instance-died`.
 */
async function addressOf(
  work: ReleaseWork,
  instance: Pick<InstanceRecord, "id" | "process" | "index">,
  signal: AbortSignal,
): Promise<string> {
  for (;;) {
    const state = await refuseIfEnded(work, instance);
    if (state?.address !== undefined) return state.address;
    await work.tools.clock.sleep(POLL_MS, signal);
  }
}
