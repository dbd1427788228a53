import { fork } from "node:child_process";
import { Agent } from "node:http";
import type { Database } from "../core/redis/database.js";
import { keys } from "../core/redis/keys.js";
import { TestForge } from "../test/support/git/test-forge.js";
import type { TestSluice } from "../test/support/running/test-sluice.js";
import type { Bench, BenchRun } from "./bench.js";
import { CONNECTIONS, deliver, type Delivered, type DelivererOptions } from "./load/deliverer.js";
import { recordsOf } from "./machine/records.js";
import { pause } from "./pause.js";
import { webhookProgram } from "./rivals/webhook.js";
import { median, quantile, range } from "./statistics.js";
import { tinyApp } from "../test/support/git/tiny-app.js";
import type { Workshop } from "./workshop.js";

const APP = "hooked";
const PER_SECOND = 500;
const KILLS = 5;

interface Target {
  readonly name: string;
  readonly url: string;
  readonly secret: string;
  readonly commit: string;
}

export const webhooks: Bench = {
  name: "webhooks",
  title:
    "signed deliveries: how fast they are stored and answered, and what is lost when the server is killed",
  limitSeconds: 240,
  run: async (bench) => {
    const { workshop, quick } = bench;
    const sluice = await workshop.sluice();
    const ours = await webhookOf(workshop, sluice);
    const theirs = { ...ours, name: "webhook", url: await webhookProgram(workshop, ours.secret) };
    const seconds = quick ? 2 : 6;
    const rounds = quick ? 1 : 3;
    for (const target of [ours, theirs]) await measure(workshop, target, 1);
    const steady = await inTurns(rounds, [ours, theirs], async (target) =>
      measure(workshop, target, seconds, PER_SECOND),
    );
    tellSteady(bench, steady, seconds);
    const full = await inTurns(rounds, [ours, theirs], async (target) => measure(workshop, target, seconds));
    tellFull(bench, full, seconds);
    await surviveKills(bench, sluice, ours, quick ? 1000 : 10_000);
  },
};

/** Production is what is delivered: nothing needs to be released, everything must be kept and looked at. */
async function webhookOf(workshop: Workshop, sluice: TestSluice): Promise<Target> {
  const host = await TestForge.start();
  workshop.onClose(async () => host.dispose());
  const clone = await host.clone(tinyApp());
  await clone.mustPush();
  const commit = await clone.git("rev-parse", "HEAD");
  const made = await sluice.json<{ url: string; secret: string }>("webhook", APP, "--source", host.fileUrl);
  return { name: "Sluice", ...made, commit };
}

async function inTurns(
  rounds: number,
  targets: readonly Target[],
  act: (target: Target) => Promise<Delivered[]>,
): Promise<Map<string, Delivered[][]>> {
  const found = new Map<string, Delivered[][]>(targets.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const target of round % 2 === 0 ? targets : targets.toReversed())
      found.get(target.name)?.push(await act(target));
  return found;
}

/** From a process of its own: a delayed bench would seem a slow answer. */
async function measure(
  workshop: Workshop,
  { url, secret, commit }: Target,
  seconds: number,
  perSecond?: number,
): Promise<Delivered[]> {
  const child = fork(new URL("load/deliverer-process.ts", import.meta.url), { serialization: "advanced" });
  workshop.adopt(child);
  const options: DelivererOptions = {
    url,
    secret,
    commit,
    seconds,
    ...(perSecond === undefined ? {} : { perSecond }),
  };
  child.send(options);
  return new Promise((resolve, reject) => {
    child.once("message", (all) => resolve(all as Delivered[]));
    child.once("error", reject);
    child.once("exit", (status) => reject(new Error(`the deliverer ended with status ${status ?? "none"}`)));
  });
}

function tellSteady({ figure }: BenchRun, found: ReadonlyMap<string, Delivered[][]>, seconds: number): void {
  for (const [name, rounds] of found) {
    const failed = rounds.flat().filter(({ status }) => status !== 202).length;
    for (const [what, share, aim] of [
      ["p50", 0.5, undefined],
      ["p99", 0.99, 25],
    ] as const) {
      const values = rounds.map((round) =>
        quantile(
          round.map(({ ms }) => ms),
          share,
        ),
      );
      figure({
        name: `${name}, ${what} of the answer at ${PER_SECOND}/s`,
        value: median(values),
        unit: "ms",
        ...(name === "Sluice" && aim !== undefined ? { aim: { atMost: aim } } : {}),
        spread: range(values, "ms"),
        method: `From when a delivery of 7 KB was due to the end of its answer, median of ${rounds.length} rounds of ${seconds} s in turns; ${failed} not answered 202. Sluice has written it to disk by then (Redis, appendfsync always); webhook writes nothing, and starts /bin/true for each.`,
      });
    }
  }
}

function tellFull({ figure }: BenchRun, found: ReadonlyMap<string, Delivered[][]>, seconds: number): void {
  for (const [name, rounds] of found) {
    const rates = rounds.map((round) => round.filter(({ status }) => status === 202).length / seconds);
    const p99s = rounds.map((round) =>
      quantile(
        round.map(({ ms }) => ms),
        0.99,
      ),
    );
    figure({
      name: `${name}, deliveries at full speed`,
      value: median(rates),
      unit: "deliveries/s",
      spread: `${range(rates, "deliveries/s")}; p99 ${median(p99s).toFixed(1)} ms`,
      method: `Answered 202 on ${CONNECTIONS} kept connections, the next when one is answered, median of ${rounds.length} rounds of ${seconds} s in turns.`,
    });
  }
}

/** Every id until it is answered; what was answered must be there, once. */
async function surviveKills(
  { figure, workshop }: BenchRun,
  sluice: TestSluice,
  target: Target,
  total: number,
): Promise<void> {
  const redis = await recordsOf(workshop, sluice);
  const countBefore = await storedCount(redis);
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const answered = new Map<string, number>();
  let [next, retries, kills] = [0, 0, 0];
  const senders = Array.from({ length: CONNECTIONS }, async () => {
    while (next < total) {
      const id = `kept-${next++}`;
      for (;;) {
        const status = await deliver({ ...target, id, agent });
        if (status === 202 || status === 200) {
          answered.set(id, status);
          break;
        }
        retries++;
        await pause(20);
      }
    }
  });
  const killer = (async () => {
    for (; kills < KILLS; kills++) {
      // At random within its sixth of them.
      const at = ((kills + Math.random()) * total) / (KILLS + 1);
      while (answered.size < at) await pause(5);
      await sluice.kill();
      await sluice.up();
    }
  })();
  await Promise.all([...senders, killer]);
  agent.destroy();
  const ids = await Promise.all(
    [...answered.keys()].map(async (id) => redis.zscore(keys.deliveryIds(APP), id)),
  );
  const lost = ids.filter((score) => score === null).length;
  const stored = (await storedCount(redis)) - countBefore;
  const said = [...answered.values()].filter((status) => status === 200).length;
  const method = `Of ${total} deliveries on ${CONNECTIONS} connections, each sent again until it was answered 202 (or 200, ${said} times: stored before, though the answer did not arrive), while the Node server was killed (-9) and started again ${KILLS} times at random; ${retries} tries had no answer.`;
  figure({ name: "answered and not there, over kills", value: lost, unit: "", aim: { atMost: 0 }, method });
  figure({
    name: "there twice, over kills",
    value: stored - answered.size,
    unit: "",
    aim: { atMost: 0 },
    method: "Numbers given to deliveries, less the ids that were sent. The same deliveries.",
  });
}

async function storedCount(redis: Database): Promise<number> {
  return Number((await redis.get(keys.deliveryCounter(APP))) ?? 0);
}
