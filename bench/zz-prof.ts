import { Workshop } from "./workshop.js";
import { addFillerApps } from "./pushed/filler-apps.js";
import { runFillerInstances } from "./pushed/running-instances.js";
import { echoApp } from "./pushed/echo-app.js";
import { fixedAnswer } from "./rivals/nginx.js";
import { recordsOf } from "./machine/records.js";
import { pushApp } from "./push-app.js";
import { stepTimes } from "./machine/server-log.js";
import WebSocket from "ws";

const [apps, instances] = [Number(process.argv[2] ?? 1000), Number(process.argv[3] ?? 1000)];
const workshop = new Workshop();
const pause = (ms: number) => new Promise((r) => setTimeout(r, ms));
try {
  const upstream = await fixedAnswer(workshop);
  const sluice = await workshop.sluice();
  const clone = await sluice.clone("real", echoApp({ "app.json": '{"sluice": {"standbySeconds": 1}}' }));
  await pushApp(clone);
  if (apps > 0) await addFillerApps(sluice, await recordsOf(workshop, sluice), apps, `127.0.0.1:${upstream.port}`);
  if (instances > 0) workshop.onClose(await runFillerInstances(sluice, instances));
  await pause(3000);
  const pid = await sluice.pid();
  process.kill(pid, "SIGUSR1");
  await pause(500);
  const list = (await (await fetch("http://127.0.0.1:9229/json")).json()) as { webSocketDebuggerUrl: string }[];
  const ws = new WebSocket(list[0]!.webSocketDebuggerUrl);
  await new Promise((r) => ws.once("open", r));
  let id = 0;
  const call = (method: string, params = {}) => new Promise<any>((resolve) => {
    const my = ++id;
    ws.on("message", (data: Buffer) => { const m = JSON.parse(data.toString()); if (m.id === my) resolve(m.result); });
    ws.send(JSON.stringify({ id: my, method, params }));
  });
  await call("Profiler.enable");
  await call("Profiler.setSamplingInterval", { interval: 200 });
  const profile = async (name: string, work: () => Promise<unknown>) => {
    await call("Profiler.start");
    await work();
    const { profile } = await call("Profiler.stop");
    show(name, profile);
  };
  await profile("idle 10 s", () => pause(10000));
  await profile("5 pushes", async () => {
    for (let i = 0; i < 5; i++) { await clone.commit({}); console.log("push", (await pushApp(clone)).toFixed(0)); await pause(300); }
  });
  const steps = (await stepTimes(sluice, "real")).slice(-35);
  console.log(steps.map((s) => `${s.step} ${s.ms}`).join(", "));
  ws.close();
} finally {
  await workshop.close();
}
function show(name: string, p: any) {
  const total = (p.endTime - p.startTime) / 1000;
  const dt: number[] = p.timeDeltas; const self = new Map<number, number>();
  p.samples.forEach((s: number, i: number) => self.set(s, (self.get(s) ?? 0) + (dt[i + 1] ?? 0) / 1000));
  const nodes = new Map<number, any>(p.nodes.map((n: any) => [n.id, n]));
  const parent = new Map<number, number>(); for (const n of p.nodes) for (const c of n.children ?? []) parent.set(c, n.id);
  const nameOf = (n: any) => `${n.callFrame.functionName || "(anon)"} ${n.callFrame.url.split("/").slice(-3).join("/")}:${n.callFrame.lineNumber + 1}`;
  const bySelf = new Map<string, number>(), byTotal = new Map<string, number>();
  for (const [id, ms] of self) {
    const n = nodes.get(id); bySelf.set(nameOf(n), (bySelf.get(nameOf(n)) ?? 0) + ms);
    const seen = new Set<string>();
    for (let k: number | undefined = id; k !== undefined; k = parent.get(k)) { const nm = nameOf(nodes.get(k)); if (!seen.has(nm)) { seen.add(nm); byTotal.set(nm, (byTotal.get(nm) ?? 0) + ms); } }
  }
  console.log(`== ${name}: ${total.toFixed(0)} ms`);
  const top = (m: Map<string, number>, k: number) => [...m].filter(([n]) => !/^\((root|idle)\)/.test(n)).sort((a, b) => b[1] - a[1]).slice(0, k).map(([n, ms]) => `  ${ms.toFixed(1)} ${n}`).join("\n");
  console.log("self:\n" + top(bySelf, 25)); console.log("total:\n" + top(byTotal, 60));
}
