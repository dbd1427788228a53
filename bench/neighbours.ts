import type { TestSluice } from "../test/support/running/test-sluice.js";
import { eventually } from "../test/support/eventually.js";
import type { Bench, BenchRun } from "./bench.js";
import { isFailed, problemsText, type Answer } from "./load/answer.js";
import { Load } from "./load/load.js";
import { wallClock } from "./machine/wall-clock.js";
import { watchSteal } from "./machine/steal.js";
import { pause } from "./pause.js";
import { pushApp } from "./push-app.js";
import { ATTACKS, attackingGate, attackingInstance, BEGINS, type Attack } from "./pushed/attackers.js";
import { echoApp } from "./pushed/echo-app.js";
import type { Period } from "./releases-figures.js";
import { quantile } from "./statistics.js";

const VICTIM = "bank";
const ATTACKER = "greedy";
const PER_SECOND = 200;
const PERIOD_MS = 20_000;
const QUICK_PERIOD_MS = 3000;
const SETTLE_MS = 2000;
/** Between the beginning of an attack and that of the measurement; an attack ends by itself after both. */
const SPARE_SECONDS = 8;
/** A gate that is not ended in another way is ended by this. */
const GATES_SECONDS = 60;
const BEGIN_TIMEOUT_MS = 30_000;

/** Starts an attack; resolves when it is under way. What it returns ends it. */
type Start = (
  sluice: TestSluice,
  app: string,
  attack: Attack,
  seconds: number,
) => Promise<() => Promise<void>>;

interface Course {
  readonly name: string;
  readonly before: Period;
  readonly during: Period;
}

/** Some ten minutes: measured when it is named, not with the others. */
export const neighbours: Bench = {
  name: "neighbours",
  title: "what an app's visitors notice of another app that takes all it gets",
  limitSeconds: 900,
  run: async (bench) => {
    const sluice = await bench.workshop.sluice({ limits: { gatesSeconds: GATES_SECONDS } });
    await pushApp(await sluice.clone(VICTIM, echoApp()));
    const load = await Load.start(bench.workshop, {
      ...{ port: sluice.httpPort, host: `${VICTIM}.localhost`, perSecond: PER_SECOND },
    });
    const steal = await watchSteal();
    const periodMs = bench.quick ? QUICK_PERIOD_MS : PERIOD_MS;
    const seconds = periodMs / 1000 + SPARE_SECONDS;
    const courses: Course[] = [];
    for (const [place, start] of [
      ["in a gate", startGate],
      ["in an instance", startInstance],
    ] as const)
      for (const attack of ATTACKS) {
        const app = `${ATTACKER}-${courses.length}`;
        const periods = await goThrough(bench, periodMs, async () => start(sluice, app, attack, seconds));
        courses.push({ name: `${attack.name} ${place}`, ...periods });
        await sluice.cli("destroy", app, "--yes");
      }
    const answers = await load.stop();
    bench.note(
      `${((await steal()) * 100).toFixed(1)} % of the machine's time was stolen meanwhile; the load, which goes first, shares its cores`,
    );
    for (const course of courses) tell(bench, course, answers);
  },
};

async function goThrough(
  { workshop }: BenchRun,
  periodMs: number,
  start: () => Promise<() => Promise<void>>,
): Promise<Omit<Course, "name">> {
  await pause(SETTLE_MS);
  const before = await period(periodMs);
  const end = await start();
  let ending: Promise<void> | undefined;
  const endOnce = async (): Promise<void> => (ending ??= end());
  workshop.onClose(endOnce);
  const during = await period(periodMs);
  await endOnce();
  return { before, during };
}

async function period(ms: number): Promise<Period> {
  const from = wallClock();
  await pause(ms);
  return [from, wallClock()];
}

const startGate: Start = async (sluice, app, attack, seconds) => {
  const clone = await sluice.clone(app, attackingGate(attack, seconds));
  const push = clone.startPush();
  await eventually(
    () => `${attack.name} runs in a gate: ${push.output()}`,
    () => push.output().includes(BEGINS),
    BEGIN_TIMEOUT_MS,
  );
  return async () => {
    push.stop();
    await push.done;
  };
};

const startInstance: Start = async (sluice, app, attack, seconds) => {
  await pushApp(await sluice.clone(app, attackingInstance(attack, seconds)));
  return async () => {
    await sluice.cli("destroy", app, "--yes");
  };
};

function tell({ figure }: BenchRun, { name, before, during }: Course, answers: readonly Answer[]): void {
  const [quiet, loud] = [within(answers, before), within(answers, during)];
  const ms = (of: readonly Answer[], share: number): number =>
    quantile(
      of.map((answer) => answer.ms),
      share,
    );
  const both = (share: number): string => `${ms(quiet, share).toFixed(2)} → ${ms(loud, share).toFixed(2)} ms`;
  const failed = loud.filter(isFailed);
  figure({
    name: `p99 during / before ${name}`,
    value: ms(loud, 0.99) / ms(quiet, 0.99),
    unit: "×",
    aim: { atMost: 2 },
    spread: `p99 ${both(0.99)}, p50 ${both(0.5)}`,
    method: `From when a request was due to the end of its answer: ${loud.length} requests at ${PER_SECOND}/s while it went on, ${quiet.length} right before it began.`,
  });
  figure({
    name: `failed requests during ${name}`,
    value: failed.length,
    unit: "",
    aim: { atMost: 0 },
    ...(failed.length === 0 ? {} : { spread: problemsText(failed) }),
    method: `Of the same ${loud.length}.`,
  });
}

function within(answers: readonly Answer[], [from, to]: Period): Answer[] {
  return answers.filter(({ at }) => at >= from && at < to);
}
