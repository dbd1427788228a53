import { expect } from "chai";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { Home } from "../../../core/home.js";
import { CGROUPS } from "../../../core/instances/control-group.js";
import { serviceState } from "../../../core/exec/runsv.js";
import { HostReadings } from "../../../monitor/sampling/host-readings.js";
import { RunitUsage } from "../../../server/engines/runit/usage/runit-usage.js";
import { Sampler } from "../../../monitor/sampling/sampler.js";
import { RunitLogs } from "../../../server/engines/runit/runit-logs.js";
import { RunitEngine } from "../../../server/engines/runit/runit-engine.js";
import { processFamily } from "../../../core/exec/process-group.js";
import { eventually } from "../../support/eventually.js";
import { testSandbox } from "../../support/running/test-sandbox.js";
import { freePort } from "../../support/network/free-port.js";

const POINTS = 2;
const BURN_MS = 2000;
/** Of processor time: a busy machine takes longer to give it. */
const BURN = `for (let used = 0; used < ${BURN_MS * 1000}; ) { const { user, system } = process.cpuUsage(); used = user + system; }`;
const MEGABYTE = 1024 * 1024;
const PATH = process.env["PATH"] ?? "";

describe("the sampler beside the kernel's own figures", function () {
  this.timeout(30_000);
  let home: Home;
  before(async () => (home = new Home(await mkdtemp(join(tmpdir(), "sampler-")))));
  after(async () => rm(home.root, { recursive: true }));

  it("agrees with /proc/stat and /proc/meminfo by hand under a known load", async () => {
    const sampler = new Sampler(new HostReadings(home, new RunitUsage(home)));
    const burner = spawn(process.execPath, ["-e", BURN], { stdio: "ignore" });
    await sampler.sample();
    const before = byHand();
    await once(burner, "exit");
    const sample = (await sampler.sample())?.sample;
    const after = byHand();
    sampler.close();
    const grown = after.map((ticks, index) => ticks - (before[index] ?? 0));
    const all = grown.reduce((sum, ticks) => sum + ticks, 0);
    const share = (...columns: number[]): number =>
      (columns.reduce((sum, column) => sum + (grown[column] ?? 0), 0) / all) * 100;
    expect(sample?.cpus).to.equal(cpus().length);
    expect(sample?.cpu.user).to.be.closeTo(share(0, 1), POINTS);
    expect(sample?.cpu.system).to.be.closeTo(share(2, 5, 6), POINTS);
    expect(sample?.cpu.iowait).to.be.closeTo(share(4), POINTS);
    expect(sample?.cpu.steal).to.be.closeTo(share(7), POINTS);
    expect(sample?.cpu.busy).to.be.closeTo(share(0, 1, 2, 5, 6, 7), POINTS);
    // One processor had work all the time, as far as the hypervisor let it.
    expect(sample?.cpu.busy).to.be.greaterThan(70 / cpus().length);
    const meminfo = readFileSync("/proc/meminfo", "utf8");
    const available = Number(/MemAvailable: +(\d+)/.exec(meminfo)?.[1]) * 1024;
    expect(sample?.memory.percent).to.be.closeTo((1 - available / totalmem()) * 100, POINTS);
  });

  for (const [way, cgroups] of [
    ["control groups", CGROUPS],
    ["process groups", "/nowhere"],
  ] as const)
    it(`agrees about an instance with /proc/PID/stat and ps, from ${way}`, async () => {
      const engine = await engineIn(home);
      const readings = new RunitUsage(home, { proc: "/proc", cgroups });
      const id = `burn.v1.worker.${way === "control groups" ? 1 : 2}`;
      try {
        await engine.start({
          id,
          app: "burn",
          command: `exec ${process.execPath} -e '${BURN} console.log("burnt"); setInterval(() => undefined, 1000)'`,
          artifact: { kind: "tree", folder: home.gitHome(), at: "/app" },
          env: { PATH },
          limits: { memoryMegabytes: 256, processes: 100, scratchMegabytes: 16 },
          listen: "nothing",
        });
        const pid = await eventually("it runs", async () =>
          innermost((await serviceState(home.service(id))).pid),
        );
        // By hand just before and just after: a busy machine takes its time to read.
        const look = async () => {
          const before = secondsOf(pid);
          return { before, reading: (await readings.read()).get(id), after: secondsOf(pid) };
        };
        const from = await look();
        const began = performance.now();
        await eventually("it has burnt", async () => secondsOf(pid) - from.after > (BURN_MS / 1000) * 0.6);
        const { reading: to, ...toHand } = await look();
        const available = ((performance.now() - began) / 1000) * cpus().length;
        const percent = (seconds: number): number => (seconds / available) * 100;
        const measured = percent((to?.cpuSeconds ?? 0) - (from.reading?.cpuSeconds ?? 0));
        expect(measured).to.be.within(
          percent(toHand.before - from.after) - POINTS,
          percent(toHand.after - from.before) + POINTS,
        );
        expect(measured).to.be.greaterThan(0);
        const resident = await residentBytes(pid);
        expect(((to?.memoryBytes ?? 0) / totalmem()) * 100).to.be.closeTo(
          (resident / totalmem()) * 100,
          POINTS,
        );
        expect(to?.memoryBytes).to.be.greaterThan(5 * MEGABYTE);
        expect(to?.restarts).to.equal(0);
        process.kill(pid, "SIGKILL");
        await eventually("its end was counted", async () => (await readings.read()).get(id)?.restarts === 1);
      } finally {
        readings.close();
        await engine.stop(id, 0);
        await new RunitLogs(home).forget(id);
      }
    });
});

/** The first line of /proc/stat, without the guests, which are in user and nice. */
function byHand(): number[] {
  const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n");
  return line.trim().split(/\s+/).slice(1, 9).map(Number);
}

/** Its own time and that of its children, by hand; ticks are hundredths of a second on every Linux that Node.js runs on. */
function secondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}

/** Past the two processes of the sandbox. */
async function innermost(leader: number | undefined): Promise<number | undefined> {
  const family = leader === undefined ? [] : await processFamily(leader);
  // Before that the sandbox is still being made.
  return family.find((pid) => readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "node");
}

async function residentBytes(pid: number): Promise<number> {
  const ps = spawn("ps", ["-o", "rss=", "-p", String(pid)]);
  let text = "";
  ps.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await once(ps, "close");
  return Number(text.trim()) * 1024;
}

async function engineIn(home: Home): Promise<RunitEngine> {
  const first = await freePort();
  for (const folder of [home.services(), home.gitHome()]) await mkdir(folder, { recursive: true });
  return RunitEngine.open({
    home,
    ports: { first, last: first },
    logBytes: 1e6,
    path: PATH,
    sandbox: await testSandbox(home),
  });
}
