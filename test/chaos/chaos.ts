import { seededRandom } from "../../bench/seeded-random.js";
import { eventually } from "../support/eventually.js";
import { TestSluice } from "../support/running/test-sluice.js";
import { tinyApp } from "../support/git/tiny-app.js";
import { DISRUPTIONS, type Excuse } from "./disruptions.js";
import { Pusher } from "./pusher.js";
import { Records } from "./records.js";
import { problemsOf, unexcused } from "./verdict.js";
import { Visitors } from "./visitors.js";

export interface ChaosOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Names of disruptions that are left out. */
  readonly without?: readonly string[];
  /** Receives a line for each thing that happens. */
  readonly say?: (line: string) => void;
}

export interface ChaosReport {
  readonly disruptions: ReadonlyMap<string, number>;
  readonly pushes: number;
  readonly accepted: number;
  readonly requests: number;
  /** Requests that failed because what answered them was killed. */
  readonly excused: number;
  /** What must not have happened. Empty: all is well. */
  readonly problems: readonly string[];
  /** The server's log, a JSON object a line. */
  readonly log: string;
}

const APPS = ["alpha", "beta"];
const PER_SECOND = 100;
const CALM_MS = 90_000;
const LONGEST_PAUSE_MS = 3000;
const APP_JSON = JSON.stringify({
  formation: { web: { quantity: 2 } },
  sluice: { standbySeconds: 0, drainSeconds: 5 },
});

/**
 * Kills and cuts at random under visitors and pushes, for so long; then looks whether what serves is what the branches hold,
 * whether anything is left over, and whether more failed than what was in flight on something that was killed.
 */
export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, say = () => undefined } = options;
  const random = seededRandom(seed);
  const began = Date.now();
  const tell = (line: string): void =>
    say(`${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`);
  const records = await Records.start();
  const sluice = await TestSluice.prepare({ settings: { redis: { url: records.url } } });
  const closing: (() => Promise<unknown>)[] = [async () => records.dispose(), async () => sluice.dispose()];
  try {
    await sluice.up();
    const clones = await Promise.all(
      APPS.map(async (app) => sluice.clone(app, tinyApp({ "app.json": APP_JSON }))),
    );
    for (const clone of clones) await clone.push();
    const visitors = new Visitors(sluice.httpPort, APPS, PER_SECOND);
    closing.push(async () => visitors.stop());
    const pushers = clones.map(
      (clone, index) => new Pusher(clone, random, (text) => tell(`${APPS[index]}: ${text}`)),
    );
    closing.push(async () => Promise.allSettled(pushers.map(async (pusher) => pusher.stop())));
    const { excuses, happened } = await disrupt({ sluice, records, apps: APPS, random }, options, tell);
    tell("calm");
    for (const pusher of pushers) await pusher.stop();
    let problems: string[] = [];
    await eventually(
      () => problems.join("\n"),
      async () => {
        problems = (await Promise.all(APPS.map(async (app) => problemsOf(sluice, app)))).flat();
        return problems.length === 0;
      },
      CALM_MS,
    ).catch((error: unknown) => {
      if (problems.length === 0) problems.push(String(error));
    });
    await visitors.stop();
    const failed = unexcused(visitors.failed, excuses);
    return {
      log: await sluice.serverLog(),
      disruptions: happened,
      pushes: sum(pushers.map(({ pushes }) => pushes)),
      accepted: sum(pushers.map(({ accepted }) => accepted)),
      requests: visitors.sent,
      excused: visitors.failed.length - failed.length,
      problems: [
        ...problems,
        ...failed.map(
          ({ app, beganAt, endedAt, why }) =>
            `a request to ${app} failed after ${endedAt - beganAt} ms, ${((beganAt - began) / 1000).toFixed(2)} s from the start: ${why}`,
        ),
      ],
    };
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

async function disrupt(
  world: Parameters<(typeof DISRUPTIONS)[number]["happen"]>[0],
  { seconds, without = [] }: ChaosOptions,
  tell: (line: string) => void,
): Promise<{ excuses: Excuse[]; happened: Map<string, number> }> {
  const chosen = DISRUPTIONS.filter(({ name }) => !without.includes(name));
  const excuses: Excuse[] = [];
  const happened = new Map<string, number>();
  const until = Date.now() + seconds * 1000;
  while (Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 200 + world.random() * LONGEST_PAUSE_MS));
    const disruption = chosen[Math.floor(world.random() * chosen.length)];
    if (disruption === undefined) break;
    tell(disruption.name);
    const excuse = await disruption.happen(world);
    if (excuse !== undefined) excuses.push(excuse);
    happened.set(disruption.name, (happened.get(disruption.name) ?? 0) + 1);
  }
  return { excuses, happened };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}
