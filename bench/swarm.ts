import { Lab } from "../test/lab/lab.js";
import { SERVER_PACKAGES } from "../test/lab/lab-swarm.js";
import { HTTP_PORT, LabFleet } from "../test/lab/swarm/lab-fleet.js";
import { eventually } from "../test/support/eventually.js";
import type { Bench, BenchRun } from "./bench.js";
import { isFailed, problemsText, type Answer } from "./load/answer.js";
import { Load } from "./load/load.js";
import { watchSteal } from "./machine/steal.js";
import { echoApp } from "./pushed/echo-app.js";
import { wallClock } from "./machine/wall-clock.js";
import { median } from "./statistics.js";
import { StickyVisitors } from "./visitors/sticky.js";
import { WebSocketVisitors } from "./visitors/web-sockets.js";

const APP = "steady";
const INSTANCES = 3;
const PER_SECOND = 200;
const PUSHES = 10;
const SOCKETS = 10;
const STICKY_APP = "sticky";
const STICKY = 10;
const settingsOf = (more: object): Record<string, string> => ({
  "app.json": JSON.stringify({ sluice: { standbySeconds: 1, ...more } }),
});

/** It listens on every address: from outside a container 127.0.0.1 is not reached. */
function steadyApp(more: Readonly<Record<string, string>> = {}, settings = {}): Record<string, string> {
  const app = echoApp({ ...settingsOf(settings), ...more });
  return { ...app, "server.js": (app["server.js"] ?? "").replace('PORT, "127.0.0.1"', "PORT") };
}

const stickyApp = (more: Readonly<Record<string, string>> = {}): Record<string, string> =>
  steadyApp(more, { sessions: "sticky" });

/** Hosts that it boots itself; needs root. Measured when it is named. */
export const swarm: Bench = {
  name: "swarm",
  title: "a Swarm of four hosts, with three proxies",
  limitSeconds: 1500,
  run: async (bench) => {
    const lab = await Lab.open(SERVER_PACKAGES);
    bench.workshop.onClose(async () => lab.close());
    const fleet = await LabFleet.start(lab, { hosts: 4, proxies: 2 });
    await fleet.push(APP, steadyApp());
    await fleet.sluice(`scale ${APP} web=${INSTANCES}`);
    await tellPushes(bench, fleet);
    await tellFloor(bench, fleet);
    await tellLoad(bench, fleet);
    await tellPowerLoss(bench, fleet);
  },
};

async function tellPushes({ quick, figure }: BenchRun, fleet: LabFleet): Promise<void> {
  const times: number[] = [];
  const steps = new Map<string, number[]>();
  for (let count = 0; count < (quick ? 2 : PUSHES); count++) {
    await fleet.push(APP, steadyApp({ note: `push ${count}` }));
    const { release, seconds } = await lastLive(fleet);
    times.push(seconds);
    for (const [step, ms] of await stepsOf(fleet, release)) steps.set(step, [...(steps.get(step) ?? []), ms]);
  }
  const shown = [...steps].map(([step, ms]) => `${step} ${median(ms).toFixed(0)} ms`).join(", ");
  figure({
    name: "push to live on all",
    value: median(times),
    unit: "s",
    aim: { atMost: 2 },
    spread: `${Math.min(...times)} to ${Math.max(...times)}; ${shown}`,
    method: `Median of ${times.length} pushes of an app with ${INSTANCES} instances, dependencies unchanged, as Sluice itself tells it: from the push to the moment when every proxy has switched.`,
  });
}

/** What a release's log says: `Live: … (v7, 1.1 s)`. */
async function lastLive(fleet: LabFleet): Promise<{ release: string; seconds: number }> {
  const lines = await fleet.server.run(
    `cat $(ls -t /var/lib/sluice/apps/${APP}/releases/*/output.log | head -1)`,
  );
  const [, release = "", seconds = "0"] = /Live: .* \((v\d+), ([\d.]+) s\)/.exec(lines) ?? [];
  return { release, seconds: Number(seconds) };
}

async function stepsOf(fleet: LabFleet, release: string): Promise<[string, number][]> {
  const lines = await fleet.server.run(
    `grep '"app":"${APP}","release":"${release}","step"' /var/lib/sluice/server.log`,
  );
  return lines.split("\n").map((line) => {
    const { step, ms } = JSON.parse(line) as { step: string; ms: number };
    return [step, ms];
  });
}

/** Docker alone: one service of the same image on a port that is known, asked until it answers. */
async function tellFloor({ quick, figure }: BenchRun, fleet: LabFleet): Promise<void> {
  const { server } = fleet;
  const image = await server.run(
    `docker service inspect --format '{{.Spec.TaskTemplate.ContainerSpec.Image}}' $(docker service ls -q | head -1)`,
  );
  const times: number[] = [];
  for (let count = 0; count < (quick ? 2 : PUSHES); count++) {
    const create = [
      ...["docker service create --quiet --detach --name floor --endpoint-mode dnsrr --with-registry-auth"],
      ...[`--constraint node.hostname==$(hostname) --publish mode=host,target=5000,published=31000`],
      ...[
        `--workdir /app --entrypoint "" ${image} /bin/sh -c "PORT=5000 RELEASE=v1 DYNO=web.1 exec node server.js"`,
      ],
    ].join(" ");
    const answered = `until curl -fs -o /dev/null --max-time 1 http://${server.address}:31000/; do sleep 0.01; done`;
    const took = await server.run(
      `began=$(date +%s%3N); ${create} >/dev/null 2>&1; ${answered}; echo $(($(date +%s%3N) - began)); docker service rm floor >/dev/null`,
    );
    times.push(Number(took.trim().split("\n").at(-1)));
    await eventually(
      "it is gone",
      async () => (await server.run("docker ps -q --filter name=floor")) === "",
      30_000,
    );
  }
  figure({
    name: "docker service create to first answer",
    value: median(times) / 1000,
    unit: "s",
    spread: `${Math.min(...times) / 1000} to ${Math.max(...times) / 1000}`,
    method: `Median of ${times.length}, by Docker's own command on the manager: the image is there, one instance.`,
  });
}

async function tellLoad({ quick, figure, note, workshop }: BenchRun, fleet: LabFleet): Promise<void> {
  const steal = await watchSteal();
  const proxies = [fleet.server, ...fleet.proxies];
  const loads = await Promise.all(
    proxies.map(async ({ address }) =>
      Load.start(workshop, {
        ...{ address, port: HTTP_PORT, host: `${APP}.localhost` },
        perSecond: Math.round(PER_SECOND / proxies.length),
      }),
    ),
  );
  const visitors = proxies.map(
    ({ address }) => new WebSocketVisitors(HTTP_PORT, `${APP}.localhost`, address),
  );
  const leaves = await Promise.all(
    visitors.flatMap((each) => Array.from({ length: SOCKETS }, async () => each.open())),
  );
  await fleet.push(STICKY_APP, stickyApp());
  const sticky = proxies.map(
    ({ address }) => new StickyVisitors(HTTP_PORT, `${STICKY_APP}.localhost`, address),
  );
  const goodbyes = await Promise.all(
    sticky.flatMap((each) => Array.from({ length: STICKY }, async () => each.arrive())),
  );
  const turns = quick ? 1 : 10;
  for (let turn = 0; turn < turns; turn++) {
    for (let push = 0; push < 3; push++) await fleet.push(APP, steadyApp({ note: `${turn} ${push}` }));
    await fleet.push(STICKY_APP, stickyApp({ note: `${turn}` }));
    await fleet.sluice(`rollback ${APP}`);
    await fleet.push(APP, steadyApp({ note: `canary ${turn}` }), "staging");
    await fleet.sluice(`promote ${APP}`);
    await fleet.sluice(`scale ${APP} web=${turn % 2 === 0 ? INSTANCES + 1 : INSTANCES}`);
  }
  await Promise.all([...leaves, ...goodbyes].map(async (leave) => leave()));
  const answers = (await Promise.all(loads.map(async (load) => load.stop()))).flat();
  note(
    `${((await steal()) * 100).toFixed(1)} % of the machine's time was stolen meanwhile; all hosts share its cores`,
  );
  tellFailed(figure, `${turns * 4} releases, ${turns} rollbacks, promotions and scalings each`, answers);
  figure({
    name: "WebSockets cut",
    value: visitors.reduce((sum, { tally }) => sum + tally.cut, 0),
    unit: "",
    aim: { atMost: 0 },
    method: `Of ${visitors.reduce((sum, { tally }) => sum + tally.opened, 0)}, open all the while.`,
  });
  const visits = sticky.reduce((sum, { tally }) => sum + tally.visits, 0);
  figure({
    name: "sticky visits astray",
    value: sticky.reduce((sum, { tally }) => sum + tally.astray, 0),
    unit: "",
    aim: { atMost: 0 },
    method: `Of ${visits} by ${STICKY * proxies.length} visitors of an app with "sessions": "sticky" through ${turns} releases of it, those not answered by the release that the visitor met first.`,
  });
}

async function tellPowerLoss({ figure, workshop }: BenchRun, fleet: LabFleet): Promise<void> {
  const [lost] = fleet.swarm.workers;
  const { server } = fleet;
  const load = await Load.start(workshop, {
    ...{ address: server.address, port: HTTP_PORT, host: `${APP}.localhost` },
    perSecond: PER_SECOND,
  });
  const began = wallClock();
  await lost?.powerOff();
  await eventually(
    "all instances run on the hosts that are left",
    async () => {
      const places = await fleet.placesOf(APP);
      return !places.has(lost?.name ?? "") && [...places.values()].flat().length >= INSTANCES;
    },
    60_000,
  );
  const seconds = (wallClock() - began) / 1000;
  const answers = await load.stop();
  tellFailed(figure, "a worker's loss of power", answers);
  figure({
    name: "until all instances run elsewhere",
    value: seconds,
    unit: "s",
    aim: { atMost: 8 },
    method: "From the end of the worker to as many running tasks as before, none of them on it.",
  });
  const slow = answers.filter(({ at, ms }) => at >= began && ms > 500).map(({ at }) => at);
  figure({
    name: "until no request is slow any more",
    value: slow.length === 0 ? 0 : (Math.max(...slow) - began) / 1000,
    unit: "s",
    aim: { atMost: 1.5 },
    spread: `${slow.length} of ${answers.length} took over 500 ms`,
    method:
      "From the end of the worker to when the last request was due that took over 500 ms: from then on HAProxy sends none there.",
  });
}

function tellFailed(figure: BenchRun["figure"], when: string, answers: readonly Answer[]): void {
  const failed = answers.filter(isFailed);
  figure({
    name: `failed requests: ${when}`,
    value: failed.length,
    unit: "",
    aim: { atMost: 0 },
    ...(failed.length === 0 ? {} : { spread: problemsText(failed) }),
    method: `Of ${answers.length}, half over kept and half over new connections, none sent twice.`,
  });
}
