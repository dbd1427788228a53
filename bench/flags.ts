import { ask } from "../test/support/network/ask.js";
import { eventually } from "../test/support/eventually.js";
import type { Bench } from "./bench.js";
import { wallClock } from "./machine/wall-clock.js";
import { pause } from "./pause.js";
import { pushApp } from "./push-app.js";
import { sampleApp } from "./pushed/sample-app.js";
import { median, range } from "./statistics.js";
import { Statuses } from "./visitors/statuses.js";

const APP = "hello";
const OPEN = 200;
const REFUSED = 403;
const PAUSE_MS = 100;

export const flags: Bench = {
  name: "flags",
  title: "a flag switched by URL under traffic",
  limitSeconds: 60,
  run: async ({ workshop, quick, figure }) => {
    const sluice = await workshop.sluice();
    await pushApp(await sluice.clone(APP, await sampleApp()));
    const headers = { authorization: `Bearer ${await sluice.token()}` };
    const path = "/set/bench/1";
    await eventually("/set answers", async () => (await sluice.get(APP, path)).status === OPEN);
    const visitors = new Statuses(sluice.httpPort, `${APP}.localhost`, path);
    const times: number[] = [];
    for (let toggle = 0; toggle < (quick ? 6 : 60); toggle++) {
      await pause(PAUSE_MS);
      const [value, expected] = toggle % 2 === 0 ? ["1", REFUSED] : ["0", OPEN];
      const [from, began] = [visitors.seen.length, wallClock()];
      const { status, body } = await ask(`127.0.0.1:${sluice.controlPort}`, {
        path: `/disable/${value}`,
        headers,
      });
      if (status !== 200) throw new Error(body);
      const first = await eventually(`an answer with status ${expected}`, () =>
        visitors.seen.slice(from).find((seen) => seen.status === expected),
      );
      times.push(first.at - began);
    }
    const all = await visitors.stop();
    figure({
      name: "flag switched by URL → the sample app's changed answer",
      value: median(times),
      unit: "ms",
      aim: { atMost: 50 },
      spread: range(times, "ms"),
      method: `Median of ${times.length}: from sending GET /disable/1 or /disable/0 to the first changed answer of ${path} (403 or 200), asked every 5 ms through the proxy; the app reads the flag by the OpenFeature SDK and OFREP and keeps nothing between requests.`,
    });
    figure({
      name: "flag switched by URL: failed requests",
      value: all.filter(({ status }) => status !== OPEN && status !== REFUSED).length,
      unit: "",
      aim: { atMost: 0 },
      method: `Of ${all.length} meanwhile: those that answered neither 200 nor 403.`,
    });
  },
};
