import type { Actor } from "../../../core/records/events/actor.js";
import { AppError, toAppError } from "../../../core/errors/app-error.js";
import { releaseName } from "../../../core/names.js";
import type { ReleaseProcess } from "../../../core/records/releases/release-process.js";
import type { ReleaseRecord } from "../../../core/records/releases/release-record.js";
import type { RouteTable } from "../../../core/records/routes/route-table.js";
import { productionOf } from "../../routes/production-of.js";
import { withSize } from "../../routes/route-changes.js";
import type { PipelineNeeds } from "../needs.js";
import { bringUp } from "../bring-up/bring-up.js";
import { discardFresh, discardUnlessNamed } from "../bring-up/discard.js";
import { manifestOf } from "../../builds/manifest/manifest-of.js";
import type { Output } from "../output.js";
import type { Pipeline } from "../pipeline.js";
import type { ReleaseWork } from "../step.js";
import { switchOver } from "../switch-over.js";

export interface ScaleOrder extends Actor {
  readonly app: string;
  /** Process → how many instances; the others stay as they are. */
  readonly wanted: Readonly<Record<string, number>>;
  /** Recorded with the decision. */
  readonly reason: string;
  /** Only while nothing else has been decided about production's size (`RoutedRelease.sizedAt`). */
  readonly only?: { readonly release: number; readonly sizedAt: number | undefined };
  readonly signal: AbortSignal;
}

/**
 * Changes how many instances production's release has, never while a release is under way. New ones are healthy before they
 * get visitors; a failure until then changes nothing. Those that go get no more visitors, finish what is open on them, and are
 * stopped, after this has resolved. Throws `production-none`, `process-unknown`, `scale-fixed`, `scale-out-of-range`,
 * `scale-overtaken`.
 */
export async function scaleProduction(
  pipeline: Pipeline,
  order: ScaleOrder,
  out: Output,
): Promise<ReleaseRecord> {
  const { tools } = pipeline;
  const { app, signal } = order;
  const onWait = (ahead: string): void => out.heading(`Waiting for ${ahead}`);
  return pipeline.exclusively({ app, what: "a scaling operation", signal, onWait }, async (stop) => {
    const production = await asDecided(tools, order);
    const work = await pipeline.lockedWork(production, out, { quarantine: {}, skipGates: false });
    const processes = await resized(work, order.wanted);
    const changes = changesBetween(production.processes, processes);
    if (changes.length === 0) {
      out.heading(`${releaseName(production.number)} already has that size`);
      return production;
    }
    const outcome = scale(work, processes, order, stop);
    const told = await outcome.then(
      () => "done",
      (error: unknown) => toAppError(error).message,
    );
    for (const change of changes) await remember(tools, order, change, told);
    return outcome;
  });
}

interface Change {
  readonly process: string;
  readonly from: number;
  readonly to: number;
}

async function scale(
  work: ReleaseWork,
  processes: ReleaseProcess[],
  actor: Actor,
  signal: AbortSignal,
): Promise<ReleaseRecord> {
  const { tools, record: before, out } = work;
  const changes = changesBetween(before.processes, processes);
  const shown = changes.map(({ process, from, to }) => `${process} ${from} → ${to}`).join(", ");
  out.heading(`Scaling ${releaseName(before.number)}: ${shown}`);
  work.record = { ...before, processes };
  const instances = await bringUp(work, { present: before.instances, check: "fresh", signal });
  const scaled = { ...work.record, instances };
  const stay = new Set(instances.map(({ id }) => id));
  const left = before.instances.filter(({ id }) => !stay.has(id));
  const sizedAt = tools.clock.now();
  const change = (table: RouteTable): RouteTable => withSize(table, scaled, sizedAt);
  const revision = await switchOver(work, { record: scaled, change, actor }, signal).catch(
    (error: unknown) => {
      // Some of them are too many, whether it was written or not.
      discardFresh(work, before.instances);
      discardUnlessNamed(work, left);
      throw error;
    },
  );
  for (const { id } of left)
    tools.leaving.begin(id, { goneSince: revision, drainSeconds: before.serving.drainSeconds });
  const names = left.map(({ process, index }) => `${process}.${index}`).join(", ");
  if (left.length > 0) out.line(`no new requests, and stopped after the last one: ${names}`);
  const seconds = ((tools.clock.now() - work.beganAt) / 1000).toFixed(1);
  out.heading(`Scaled: ${sizesOf(processes)} (${releaseName(before.number)}, ${seconds} s)`);
  return scaled;
}

async function asDecided(tools: PipelineNeeds, { app, only }: ScaleOrder): Promise<ReleaseRecord> {
  const record = await productionOf(tools, app);
  if (record === undefined) throw new AppError("production-none", { app });
  if (only === undefined) return record;
  const { releases } = await tools.routes.read(app);
  // Not by how many there are: there may have been more for a while, or fewer.
  const sizedAt = releases.find(({ number }) => number === record.number)?.sizedAt;
  if (only.release !== record.number || only.sizedAt !== sizedAt)
    throw new AppError("scale-overtaken", { app });
  return record;
}

/** The processes in the wanted numbers, if those are for a person or the autoscaler to choose. */
async function resized(
  { tools, record }: ReleaseWork,
  wanted: ScaleOrder["wanted"],
): Promise<ReleaseProcess[]> {
  const { app, number, processes, scale: bounds } = record;
  const release = releaseName(number);
  for (const process of Object.keys(wanted)) {
    const known = processes.map(({ name }) => name);
    if (!known.includes(process)) throw new AppError("process-unknown", { app, release, process, known });
  }
  const { fixedSizes } = await manifestOf(tools, record);
  // As in Dokku: one quantity there takes them all out of a person's hands.
  if (fixedSizes.length > 0) throw new AppError("scale-fixed", { app, release, processes: fixedSizes });
  const { web } = wanted;
  if (bounds !== undefined && web !== undefined && (web < bounds.min || web > bounds.max))
    throw new AppError("scale-out-of-range", { app, wanted: web, min: bounds.min, max: bounds.max });
  return processes.map((process) => ({ ...process, quantity: wanted[process.name] ?? process.quantity }));
}

function changesBetween(before: readonly ReleaseProcess[], after: readonly ReleaseProcess[]): Change[] {
  return after.flatMap(({ name, quantity }) => {
    const from = before.find((process) => process.name === name)?.quantity ?? 0;
    return from === quantity ? [] : [{ process: name, from, to: quantity }];
  });
}

/** What came of it stands whether it can be remembered or not. */
async function remember(
  { scaleDecisions, clock, log }: PipelineNeeds,
  { app, by, reason }: ScaleOrder,
  change: Change,
  outcome: string,
): Promise<void> {
  const decision = { at: new Date(clock.now()).toISOString(), by, ...change, reason, outcome };
  log.info({ app, ...decision }, "scale");
  await scaleDecisions
    .add(app, decision)
    .catch((error: unknown) => log.warn({ err: error, app }, "could not record a scaling decision"));
}

function sizesOf(processes: readonly ReleaseProcess[]): string {
  return processes.map(({ name, quantity }) => `${name} ${quantity}`).join(", ");
}
