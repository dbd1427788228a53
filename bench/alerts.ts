import { spawn, type ChildProcess } from "node:child_process";
import { cpus, freemem, totalmem } from "node:os";
import { AlertRecords } from "../core/records/alerts/alert-records.js";
import type { AlertRecord } from "../core/records/alerts/alert-record.js";
import { eventually } from "../test/support/eventually.js";
import { leaves, parseMail } from "../test/support/network/parse-mail.js";
import { SmtpReceiver } from "../test/support/network/smtp-receiver.js";
import type { TestSluice } from "../test/support/running/test-sluice.js";
import type { Bench, BenchRun } from "./bench.js";
import { isFailed } from "./load/answer.js";
import { Load } from "./load/load.js";
import { recordsOf } from "./machine/records.js";
import { wallClock } from "./machine/wall-clock.js";
import { pause } from "./pause.js";
import { pushApp } from "./push-app.js";
import { echoApp } from "./pushed/echo-app.js";
import type { Workshop } from "./workshop.js";

const APP = "watched";
const FOR_SECONDS = 3;
const PER_SECOND = 100;
const LASTS_MS = 15_000;
const HOG_MEGABYTES = 256;
const CPU_RULE = "cpu";
const MEMORY_RULE = "memory";

interface Mail {
  readonly at: number;
  readonly subject: string;
}

export const alerts: Bench = {
  name: "alerts",
  title: "a machine that is busy: alert, mail, canary out of the traffic and back",
  limitSeconds: 120,
  run: async (bench) => {
    const { workshop } = bench;
    const smtp = await SmtpReceiver.start();
    workshop.onClose(async () => smtp.stop());
    const mails: Mail[] = [];
    const collecting = setInterval(() => {
      for (const { raw } of smtp.received.slice(mails.length))
        mails.push({ at: wallClock(), subject: parseMail(raw).headers["subject"] ?? "" });
    }, 5);
    workshop.onClose(async () => clearInterval(collecting));
    const sluice = await workshop.sluice({ monitor: settings(smtp.port) });
    await deployBoth(sluice);
    const records = new AlertRecords(await recordsOf(workshop, sluice));
    await quietMachine(records);
    await busyProcessor(bench, sluice, records, mails);
    await fullMemory(bench, records, mails);
    const parts = leaves(parseMail(smtp.received[0]?.raw ?? "")).map(({ type }) => type);
    bench.note(`a mail's parts: ${parts.join(", ")}`);
  },
};

function settings(port: number): object {
  const usedMegabytes = Math.round((totalmem() - freemem()) / 1024 ** 2);
  const forSeconds = FOR_SECONDS;
  const limit = usedMegabytes + HOG_MEGABYTES;
  return {
    rules: [
      { name: CPU_RULE, metric: "cpu", above: 80, forSeconds, actions: ["email", "drain-canary"] },
      { name: MEMORY_RULE, metric: "memoryUsedMegabytes", above: limit, forSeconds, actions: ["email"] },
    ],
    email: { smtp: { host: "127.0.0.1", port }, from: "sluice@localhost", to: ["ops@localhost"] },
  };
}

/** All of its new visitors go to the canary. */
async function deployBoth(sluice: TestSluice): Promise<void> {
  const clone = await sluice.clone(APP, echoApp({ "app.json": '{"sluice": {"canary": {"share": 100}}}' }));
  await pushApp(clone);
  await clone.commit({ "note.txt": "canary" });
  await pushApp(clone, "HEAD:staging");
}

async function quietMachine(records: AlertRecords): Promise<void> {
  await pause(2 * FOR_SECONDS * 1000);
  await eventually("no alert lasts", async () => (await lasting(records)).length === 0, 30_000);
}

async function busyProcessor(
  bench: BenchRun,
  sluice: TestSluice,
  records: AlertRecords,
  mails: readonly Mail[],
): Promise<void> {
  const load = await Load.start(bench.workshop, {
    port: sluice.httpPort,
    host: `${APP}.localhost`,
    perSecond: PER_SECOND,
  });
  const beganAt = wallClock();
  const burners = cpus().map(() => burn(bench.workshop, "for (;;) ;"));
  const alert = await raised(records, CPU_RULE);
  const mail = await arrived(mails, beganAt);
  await pause(Math.max(0, beganAt + LASTS_MS - wallClock()));
  for (const burner of burners) burner.kill("SIGKILL");
  const endedAt = wallClock();
  await eventually("it is resolved", async () => (await lasting(records)).length === 0, 30_000);
  const over = await arrived(mails, endedAt);
  await pause(2000);
  const answers = await load.stop();
  const canary = answers.filter(({ release }) => release === 2).map(({ at }) => at);
  const lastBefore = Math.max(...canary.filter((at) => at < endedAt));
  const firstAfter = Math.min(...canary.filter((at) => at > endedAt));
  const method = `From the start of ${burners.length} processes that take all processors; the rule is CPU above 80 % for ${FOR_SECONDS} s, a sample a second.`;
  const times: readonly (readonly [string, number, string])[] = [
    ["busy processor → alert raised", alert.raisedAt - beganAt, method],
    [
      "busy processor → mail received",
      mail.at - beganAt,
      `${method} The mail is complete at a real SMTP server.`,
    ],
    [
      "busy processor → last new request on the canary",
      lastBefore - beganAt,
      `${method} Of ${PER_SECOND} new visitors a second, all of them the canary's before.`,
    ],
    [
      "quiet again → resolved mail received",
      over.at - endedAt,
      `From the end of those processes; resolved below 75 % for ${FOR_SECONDS} s.`,
    ],
    ["quiet again → first new request on the canary", firstAfter - endedAt, "The same."],
  ];
  for (const [name, ms, how] of times) bench.figure({ name, value: ms / 1000, unit: "s", method: how });
  bench.figure({
    name: "mails of a busy processor",
    value: mails.filter(({ subject }) => subject.includes("CPU")).length,
    unit: "",
    aim: { atMost: 2 },
    spread: mails.map(({ subject }) => subject).join("; "),
    method: "One that it began, one that it ended.",
  });
  bench.figure({
    name: "failed requests meanwhile",
    value: answers.filter(isFailed).length,
    unit: "",
    aim: { atMost: 0 },
    method: `Of ${answers.length} at ${PER_SECOND}/s.`,
  });
}

async function fullMemory(bench: BenchRun, records: AlertRecords, mails: readonly Mail[]): Promise<void> {
  const beganAt = wallClock();
  const hog = burn(
    bench.workshop,
    `const held = Buffer.alloc(${3 * HOG_MEGABYTES} * 1024 * 1024, 1); setInterval(() => held[0], 1000);`,
  );
  const alert = await raised(records, MEMORY_RULE);
  const mail = await arrived(mails, beganAt);
  hog.kill("SIGKILL");
  const endedAt = wallClock();
  await eventually("it is resolved", async () => (await lasting(records)).length === 0, 30_000);
  const over = await arrived(mails, endedAt);
  const method = `From the start of a process that takes ${3 * HOG_MEGABYTES} MB; the rule is ${HOG_MEGABYTES} MB more than was used before, for ${FOR_SECONDS} s.`;
  bench.figure({
    name: "full memory → alert raised",
    value: (alert.raisedAt - beganAt) / 1000,
    unit: "s",
    method,
  });
  bench.figure({ name: "full memory → mail received", value: (mail.at - beganAt) / 1000, unit: "s", method });
  bench.figure({
    name: "memory again → resolved mail received",
    value: (over.at - endedAt) / 1000,
    unit: "s",
    method: "From that process' end.",
  });
}

/** A process that is gone by itself after half a minute, whatever happens to the bench. */
function burn(workshop: Workshop, script: string): ChildProcess {
  const child = spawn("timeout", ["-s", "KILL", "30", process.execPath, "-e", script], {
    stdio: "ignore",
    detached: true,
  });
  const kill = (): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, "SIGKILL");
  };
  workshop.onClose(async () => kill());
  return Object.assign(child, { kill: () => (kill(), true) });
}

async function raised(records: AlertRecords, rule: string): Promise<AlertRecord> {
  return eventually(
    `an alert of ${rule}`,
    async () => (await lasting(records)).find((alert) => alert.rule === rule),
    30_000,
  );
}

async function lasting(records: AlertRecords): Promise<AlertRecord[]> {
  return (await records.current()).filter(({ phase }) => phase !== "resolved");
}

async function arrived(mails: readonly Mail[], after: number): Promise<Mail> {
  return eventually("a mail", () => mails.find(({ at }) => at > after), 30_000);
}
