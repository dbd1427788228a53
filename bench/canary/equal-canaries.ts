import { setImmediate } from "node:timers/promises";
import { INTERVALS } from "./goals.js";
import { sluice } from "./judges/sluice.js";
import { byRequests } from "./rivals/by-requests.js";
import { flagger } from "./rivals/flagger.js";
import { kayenta } from "./rivals/kayenta.js";
import type { Shape } from "./shapes.js";
import type { SeededRandom } from "./traffic/chance.js";
import { record } from "./traffic/record.js";
import { Recorder } from "./traffic/recording.js";

/** Of canaries exactly as good as production. */
export interface EqualCanaries {
  readonly canaries: number;
  readonly failed: Readonly<Record<"errors" | "latency", number>>;
  /** Name of the rival → of so many so many failed. */
  readonly rivals: ReadonlyMap<string, { readonly failed: number; readonly canaries: number }>;
  /** For each of `INTERVALS` the share that is true, 0 to 1. */
  readonly held: readonly number[];
}

/** The old test is slow: it judges an eighth of them. */
export const RIVALS = [
  { name: "by requests", judge: byRequests, part: 0.125 },
  { name: "Kayenta at the end", judge: (recording) => kayenta(recording, "at the end"), part: 1 },
  { name: "Kayenta each minute", judge: (recording) => kayenta(recording, "each minute"), part: 1 },
  { name: "Flagger", judge: flagger, part: 1 },
] as const satisfies readonly {
  readonly name: string;
  readonly judge: (recording: Parameters<typeof flagger>[0]) => number;
  readonly part: number;
}[];

export async function judgeEqual(
  shape: Shape,
  canaries: number,
  random: SeededRandom,
): Promise<EqualCanaries> {
  const recorder = new Recorder();
  const failed = { errors: 0, latency: 0 };
  const rivals = new Map(
    RIVALS.map(({ name, part }) => [name, { failed: 0, canaries: Math.ceil(part * canaries) }]),
  );
  const held = INTERVALS.map(() => 0);
  for (let canary = 0; canary < canaries; canary++) {
    const recording = record(shape, recorder, random);
    const found = sluice(recording);
    if (found !== undefined) failed[found.by]++;
    for (const { name, judge } of RIVALS) {
      const rival = rivals.get(name);
      if (rival !== undefined && canary < rival.canaries && Number.isFinite(judge(recording))) rival.failed++;
    }
    for (const [index, { isTrue }] of INTERVALS.entries())
      held[index] = (held[index] ?? 0) + (isTrue(recording) ? 1 : 0);
    // So that an interruption and the limit are heeded.
    await setImmediate();
  }
  return { canaries, failed, rivals, held: held.map((count) => count / canaries) };
}
