import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { dirname, join } from "node:path";
import { writeFileAtomically } from "../../core/files/atomic-file.js";
import { endService, supervise } from "../../core/exec/runsv.js";
import { parseAddress } from "../../core/instances/address.js";
import type { TreeSpec } from "../../server/engines/runit/service-folder.js";
import { RunitEngine } from "../../server/engines/runit/runit-engine.js";
import { logConfiguration, serviceFiles } from "../../server/engines/runit/service-folder.js";
import { TINY_SERVER } from "../../test/support/git/tiny-app.js";
import { freePort } from "../../test/support/network/free-port.js";
import type { BenchRun } from "../bench.js";
import { wallClock } from "../machine/wall-clock.js";
import { pause } from "../pause.js";
import { median, range } from "../statistics.js";
import { bare, openPlace, PATH, USER, type Place } from "./place.js";
import { inTurns } from "./turns.js";

const TURNS = 40;
const QUICK_TURNS = 5;
const ID = "bench.v1.web.1";
const LOG_BYTES = 1e6;
const RETRY_MS = 2;
const MOST_WAIT_MS = 20_000;
const BARE = "under runit alone";
const SANDBOXED = "in the sandbox with a network";

/** Milliseconds from the order to start a tiny server to its first answer. */
export async function measureInstanceStarts({ workshop, quick, figure }: BenchRun): Promise<void> {
  const place = await openPlace(workshop);
  const folder = await workshop.folder();
  await writeFile(join(folder, "server.js"), TINY_SERVER);
  await chmod(join(folder, "server.js"), 0o644);
  const engine = await RunitEngine.open({
    ...{ ...place, logBytes: LOG_BYTES, path: PATH },
    ports: { first: 1, last: 1 },
  });
  workshop.onClose(async () => endService(place.home.service(ID), 0));
  workshop.onClose(async () => engine.stop(ID, 0));
  const ways = [
    { name: BARE, measure: async () => bareStart(place, specOf(folder, folder)) },
    { name: SANDBOXED, measure: async () => engineStart(engine, specOf(folder, "/app")) },
  ];
  const found = await inTurns(ways, quick ? QUICK_TURNS : TURNS);
  for (const [name, times] of found)
    figure({
      name: `instance's start → first answer, ${name}`,
      value: median(times),
      unit: "ms",
      spread: range(times, "ms"),
      method: `Median of ${times.length} in turns: a tiny Node.js server, asked every ${RETRY_MS} ms; the folder of its runsv is written in that time, too.`,
    });
  const extra = (found.get(SANDBOXED) ?? []).map((ms, turn) => ms - (found.get(BARE)?.[turn] ?? NaN));
  figure({
    name: `instance's start, ${SANDBOXED} − ${BARE}`,
    value: median(extra),
    unit: "ms",
    spread: range(extra, "ms"),
    method: "Median of the turns' differences; the network's making and the control groups are part of it.",
  });
}

function specOf(folder: string, at: string): TreeSpec {
  return {
    ...{ id: ID, app: "bench", command: "exec node server.js", user: USER, listen: "port" },
    artifact: { kind: "tree", folder, at },
    env: { PATH },
    limits: { memoryMegabytes: 256, processes: 64, scratchMegabytes: 16 },
  };
}

async function engineStart(engine: RunitEngine, spec: TreeSpec): Promise<number> {
  const began = wallClock();
  await engine.start(spec);
  const address = parseAddress((await engine.state(spec.id))?.address ?? "");
  if (address.kind !== "port") throw new Error("it listens on no port");
  await firstAnswer(address.host, address.port);
  const ms = wallClock() - began;
  await engine.stop(spec.id, 0);
  return ms;
}

/** The same scripts, with setpriv(1) in the place of the sandbox. */
async function bareStart({ home }: Place, spec: TreeSpec): Promise<number> {
  const folder = home.service(spec.id);
  const logFolder = home.serviceLog(spec.id);
  const port = await freePort();
  const began = wallClock();
  await mkdir(logFolder, { recursive: true, mode: 0o700 });
  await writeFileAtomically(join(logFolder, "config"), logConfiguration(LOG_BYTES));
  const files = serviceFiles({
    ...{ spec, logFolder, logBytes: LOG_BYTES, limits: [], killsFile: undefined },
    address: { kind: "port", host: "127.0.0.1", port },
    shell: bare(["/bin/sh"]),
  });
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true, mode: 0o700 });
    await writeFileAtomically(join(folder, name), text, 0o700);
  }
  await supervise(folder, { PATH });
  await firstAnswer("127.0.0.1", port);
  const ms = wallClock() - began;
  await endService(folder, 0);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  return ms;
}

async function firstAnswer(host: string, port: number): Promise<void> {
  const deadline = wallClock() + MOST_WAIT_MS;
  while (!(await isAnswering(host, port))) {
    if (wallClock() > deadline) throw new Error(`nothing answered at ${host}:${port}`);
    await pause(RETRY_MS);
  }
}

async function isAnswering(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    get({ host, port, agent: false }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode === 200));
    }).once("error", () => resolve(false));
  });
}
