import type { TestClone } from "../test/support/git/test-clone.js";
import type { TestSluice } from "../test/support/running/test-sluice.js";
import type { Bench, BenchRun } from "./bench.js";
import { Load } from "./load/load.js";
import { memoryOf } from "./machine/processes.js";
import { wallClock } from "./machine/wall-clock.js";
import { watchSteal } from "./machine/steal.js";
import { pause } from "./pause.js";
import { pushApp } from "./push-app.js";
import { echoApp } from "./pushed/echo-app.js";
import { tellFailures, tellLatencies, tellVisitors, type Course, type Period } from "./releases-figures.js";
import { StickyVisitors } from "./visitors/sticky.js";
import { WebSocketVisitors } from "./visitors/web-sockets.js";

const APP = "steady";
const STICKY_APP = "sticky";
const PER_SECOND = 200;
/** Releases in a row; then as long a time without, for comparison. */
const BLOCK = 5;
const SOCKETS_PER_RELEASE = 4;
/** How many releases a WebSocket lives through: 20 are open at a time. */
const SOCKET_LIFE = 5;
const STICKY_VISITORS_PER_BLOCK = 3;
const SETTLE_MS = 2000;

export const releases: Bench = {
  name: "releases",
  title: "releases under steady load",
  limitSeconds: 170,
  run: async (bench) => {
    const sluice = await bench.workshop.sluice();
    const town = await settle(sluice);
    const steal = await watchSteal();
    const load = await Load.start(bench.workshop, {
      port: sluice.httpPort,
      host: `${APP}.localhost`,
      perSecond: PER_SECOND,
    });
    const course = await goThrough(town, bench.quick ? 2 : 10);
    const answers = await load.stop();
    bench.note(
      `${((await steal()) * 100).toFixed(1)} % of the machine's time was stolen meanwhile; load (which goes first), apps, git and Sluice share its cores`,
    );
    const { sockets, sticky } = town;
    tellFailures(bench, { course, answers, perSecond: PER_SECOND });
    tellLatencies(bench, course, answers);
    tellVisitors(bench, sockets.tally, sticky.tally);
    await tellMemory(bench, sluice, course.releases + course.stickyReleases);
  },
};

/** Two apps, their clones and their visitors. */
interface Town {
  readonly clone: TestClone;
  readonly stickyClone: TestClone;
  readonly sockets: WebSocketVisitors;
  readonly sticky: StickyVisitors;
}

async function settle(sluice: TestSluice): Promise<Town> {
  const settings = { standbySeconds: 1 };
  const stickySettings = { ...settings, sessions: "sticky" };
  const clone = await sluice.clone(APP, echoApp({ "app.json": JSON.stringify({ sluice: settings }) }));
  const stickyClone = await sluice.clone(
    STICKY_APP,
    echoApp({ "app.json": JSON.stringify({ sluice: stickySettings }) }),
  );
  await release(clone, 1);
  await release(stickyClone, 1);
  return {
    clone,
    stickyClone,
    sockets: new WebSocketVisitors(sluice.httpPort, `${APP}.localhost`),
    sticky: new StickyVisitors(sluice.httpPort, `${STICKY_APP}.localhost`),
  };
}

/** Blocks of releases, each with as long a time without any before or after it. */
async function goThrough({ clone, stickyClone, sockets, sticky }: Town, blocks: number): Promise<Course> {
  const course: Course = { during: [], before: [], liveSince: new Map(), releases: 0, stickyReleases: 0 };
  const leaves: (() => Promise<void>)[] = [];
  const stickyLeaves: (() => Promise<void>)[] = [];
  let quietMs = SETTLE_MS;
  for (let block = 0; block < blocks; block++) {
    await pause(SETTLE_MS);
    course.before.push(await period(async () => pause(quietMs)));
    for (let visitor = 0; visitor < STICKY_VISITORS_PER_BLOCK; visitor++)
      stickyLeaves.push(await sticky.arrive());
    const during = await period(async () => {
      for (let turn = 1; turn <= BLOCK; turn++) {
        const number = 1 + block * BLOCK + turn;
        for (let socket = 0; socket < SOCKETS_PER_RELEASE; socket++) leaves.push(await sockets.open());
        await release(clone, number);
        course.liveSince.set(number, wallClock());
        const leaving = leaves.splice(0, leaves.length - SOCKETS_PER_RELEASE * SOCKET_LIFE);
        await Promise.all(leaving.map(async (leave) => leave()));
      }
      await release(stickyClone, block + 2);
    });
    course.during.push(during);
    course.releases += BLOCK;
    course.stickyReleases++;
    quietMs = during[1] - during[0];
  }
  await Promise.all([...leaves, ...stickyLeaves].map(async (leave) => leave()));
  return course;
}

async function release(clone: TestClone, number: number): Promise<void> {
  await clone.commit({ "note.txt": `change ${number}\n` });
  await pushApp(clone);
}

async function period(work: () => Promise<void>): Promise<Period> {
  const from = wallClock();
  await work();
  return [from, wallClock()];
}

async function tellMemory({ figure }: BenchRun, sluice: TestSluice, count: number): Promise<void> {
  const { residentMegabytes } = await memoryOf(await sluice.pid());
  figure({
    name: "Node server after the releases, resident",
    value: residentMegabytes,
    unit: "MB",
    method: `VmRSS at the end of the ${count} releases.`,
  });
}
