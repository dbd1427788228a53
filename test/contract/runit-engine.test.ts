import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Home } from "../../core/home.js";
import { silentLog } from "../../core/log.js";
import { Networks } from "../../server/engines/runit/network/networks.js";
import { RunitEngine, type RunitOptions } from "../../server/engines/runit/runit-engine.js";
import { RunitLogs } from "../../server/engines/runit/runit-logs.js";
import { eventually } from "../support/eventually.js";
import { testSandbox } from "../support/running/test-sandbox.js";
import { isAlive } from "../support/running/test-sluice.js";
import { engineContract } from "./engine-contract.js";
import { answerAt, EngineTrial, LIMITS, type EngineBench } from "./engine/engine-trial.js";
import { USER } from "./engine/starting.js";

const isRoot = process.getuid?.() === 0;
engineContract("RunitEngine", async (folder, ports) => bench({ home: new Home(folder), ports }), {
  countsMemory: isRoot,
});

if (isRoot)
  engineContract(
    "RunitEngine, with a network for each instance",
    async (folder, ports) => bench({ home: new Home(folder), ports, hasNetworks: true }),
    { sharesPorts: false, countsMemory: true },
  );

describe("RunitEngine", function () {
  this.timeout(30_000);
  let options: Partial<RunitOptions> = {};
  const trial = new EngineTrial(async (folder, ports) =>
    bench({ home: new Home(folder), ports, ...options }),
  );
  beforeEach(async () => trial.begin());
  afterEach(() => trial.end());
  after(async () => trial.cleared());

  it("leaves nothing of a stopped and forgotten instance: no process, no file, no group of the kernel", async () => {
    const app = ownName();
    const { address } = await trial.start(trial.web({ id: `${app}.v1.web.1`, app }));
    await trial.start(trial.web({ id: `${app}.v1.web.2`, app, listen: "socket" }));
    await answerAt(address);
    expect((await leftBy(trial.folder, app)).processes).not.to.be.empty;
    for (const id of [`${app}.v1.web.1`, `${app}.v1.web.2`]) {
      await trial.engine.stop(id, 10);
      await trial.logs.forget(id);
    }
    expect(await leftBy(trial.folder, app)).to.deep.equal({ processes: [], files: [], groups: [] });
  });

  it("leaves nothing of an instance that is stopped in the moment of its start", async () => {
    const app = ownName();
    const ids = Array.from({ length: 10 }, (_, index) => `${app}.v1.web.${index + 1}`);
    await Promise.all(
      ids.map(async (id) => {
        await trial.start(trial.web({ id, app }));
        await trial.engine.stop(id, 10);
        await trial.logs.forget(id);
      }),
    );
    expect(await leftBy(trial.folder, app)).to.deep.equal({ processes: [], files: [], groups: [] });
  });

  it("sweeps what a start left that was cut short", async () => {
    const app = ownName();
    const { address } = await trial.start(trial.web({ id: `${app}.v1.web.1`, app }));
    await answerAt(address);
    const services = new Home(trial.path(`engine-${trial.ports.first}`)).services();
    await rm(join(services, `${app}.v1.web.1`, "instance.json"));
    await trial.engineAgain();
    const { processes, groups } = await leftBy(trial.folder, app);
    expect({ processes, groups }).to.deep.equal({ processes: [], groups: [] });
    expect(await readdir(services)).to.deep.equal([]);
  });

  it("does not wait for ever for one that has left the process group, and ends it all the same", async () => {
    const id = `${ownName()}.v1.worker.1`;
    await trial.start(trial.worker('setsid sleep 1000 & echo "child $!"; exec sleep 1000', { id }));
    const child = await trial.processOf(await trial.said(id, "child"));
    await eventually("it has left", async () => (await processGroupOf(child)) === child);
    await trial.engine.stop(id, 0.5);
    expect(await trial.engine.list()).to.deep.equal([]);
    await eventually("it is gone", async () => !(await isAlive(child)));
  });

  it("has its share of the processors however many sessions it begins, and no more", async function () {
    if (process.getuid?.() !== 0) this.skip();
    const id = `${ownName()}.v1.worker.1`;
    await trial.start(trial.worker('setsid sleep 1000 & echo "child $!"; exec sleep 1000', { id }));
    const child = await trial.processOf(await trial.said(id, "child"));
    const groups = await readFile(`/proc/${child}/cgroup`, "utf8");
    expect(/^\d+:(?:cpu(?:,cpuacct)?)?:(.*)$/m.exec(groups)?.[1]).to.include(id);
  });

  it("lets an instance alone that another state folder has under the same id", async () => {
    await trial.start(trial.worker("exec sleep 1000"));
    const before = await trial.reaches("shop.v1.worker.1", "runs", ({ running }) => running);
    const folder = await mkdtemp(join(tmpdir(), "sluice-engine-"));
    const other = await bench({ home: new Home(folder), ports: trial.ports });
    await other.engine.start(trial.worker("exec sleep 1000", { limits: { ...LIMITS, memoryMegabytes: 20 } }));
    await other.engine.stop("shop.v1.worker.1", 10);
    await other.dispose();
    await rm(folder, { recursive: true });
    expect(await isAlive(before.pid ?? 0)).to.equal(true);
    expect(await trial.engine.list()).to.deep.equal([before]);
  });

  it("takes a start that was cut short for no instance, and starts it when it is asked to", async () => {
    const services = join(trial.folder, `engine-${trial.ports.first}`, "services");
    await mkdir(join(services, "shop.v1.web.1", "log"), { recursive: true });
    expect(await trial.engine.list()).to.deep.equal([]);
    expect(await trial.engine.state("shop.v1.web.1")).to.equal(undefined);
    const { address } = await trial.start(trial.web());
    expect((await answerAt(address)).status).to.equal(200);
  });

  it("gives a socket to the group that the proxy is in", async function () {
    if (process.getuid?.() !== 0) this.skip();
    options = { socketGroup: 345_678 };
    await trial.useRange({ first: trial.ports.first + 1, last: trial.ports.last });
    options = {};
    const { address = "" } = await trial.start(trial.web({ listen: "socket", user: USER }));
    await answerAt(address);
    const socket = await stat(address.slice("unix@".length));
    expect(socket).to.include({ uid: USER.uid, gid: 345_678 });
    expect(socket.mode & 0o770).to.equal(0o770);
  });

  describe("with small log files", () => {
    const line = (number: number): string => `${number} ${"x".repeat(40)}`;
    const writeLines = (count: number): string =>
      `i=0; while [ $((i += 1)) -le ${count} ]; do echo "$i $(printf %040d 0 | tr 0 x)"; done; exec sleep 1000`;
    before(() => (options = { logBytes: 20_000 }));
    after(() => (options = {}));

    it("answers the last lines though the log was begun again meanwhile, and keeps no more of it than it may", async () => {
      await trial.start(trial.worker(writeLines(400)));
      await trial.said("shop.v1.worker.1", "400");
      expect(await trial.logOf("shop.v1.worker.1", 100)).to.deep.equal(
        Array.from({ length: 100 }, (_, index) => line(301 + index)),
      );
      const folder = join(trial.folder, `engine-${trial.ports.first}`, "logs", "shop.v1.worker.1");
      const sizes = await Promise.all(
        (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size),
      );
      expect(sizes.reduce((sum, size) => sum + size, 0)).to.be.within(10_000, 30_000);
    });

    it("misses no line while it follows a log that is begun again", async () => {
      const go = trial.path("go");
      await trial.start(
        trial.worker(`echo ready; while [ ! -e ${go} ]; do sleep 0.02; done; ${writeLines(220)}`),
      );
      await trial.said("shop.v1.worker.1", "ready");
      const ending = new AbortController();
      const words: string[] = [];
      const following = { lines: 1, follow: true, signal: ending.signal };
      const followed = (async () => {
        for await (const { text } of trial.logs.read("shop.v1.worker.1", following))
          words.push(text.split(" ")[0] ?? "");
      })();
      await eventually("the first line", () => words.length > 0);
      await writeFile(go, "");
      await eventually("the last line", () => words.at(-1) === "220");
      ending.abort();
      await followed;
      expect(words).to.deep.equal(["ready", ...Array.from({ length: 220 }, (_, index) => String(index + 1))]);
    });
  });

  it("writes no value of the environment where others could read it", async () => {
    await trial.start(trial.web({ env: { PATH: process.env["PATH"] ?? "", KEY: "s3cr3t-value" } }));
    await trial.reaches("shop.v1.web.1", "runs", ({ running }) => running);
    const commands = await Promise.all(
      (await readdir("/proc")).map(async (pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
    );
    expect(commands.filter((command) => command.includes("s3cr3t-value"))).to.deep.equal([]);
    const services = join(trial.folder, `engine-${trial.ports.first}`, "services");
    expect((await stat(services)).mode & 0o077).to.equal(0);
  });
});

async function bench({
  hasNetworks = false,
  ...options
}: Pick<RunitOptions, "home" | "ports"> &
  Partial<RunitOptions> & { hasNetworks?: boolean }): Promise<EngineBench> {
  const { home } = options;
  const path = process.env["PATH"] ?? "";
  const ofHome = { folder: home.networks(), owner: home.root, resolvConf: home.resolvConf(), path };
  const networks = hasNetworks
    ? await Networks.open({ ...ofHome, offered: [], allowed: [], log: silentLog })
    : undefined;
  const sandbox = await testSandbox(options.home, dirname(options.home.root));
  const all = { logBytes: 1024 * 1024, path, sandbox, networks, ...options };
  const engine = await RunitEngine.open(all);
  return {
    engine,
    logs: new RunitLogs(options.home),
    again: async () => RunitEngine.open(all),
    dispose: async () => {
      await networks?.stop();
      await Promise.all((await engine.list()).map(async ({ id }) => engine.stop(id, 0)));
      if (hasNetworks) await Networks.removeAll(ofHome);
    },
  };
}

/** An app's name that no other Sluice on this machine has: groups of the kernel are the machine's. */
function ownName(): string {
  return `a${randomBytes(6).toString("hex")}`;
}

interface Left {
  readonly processes: readonly string[];
  readonly files: readonly string[];
  readonly groups: readonly string[];
}

/** What there is of an app whose engine's folder is in `folder`. */
async function leftBy(folder: string, app: string): Promise<Left> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(pids.map(async (pid) => commandIn(folder, pid)));
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = files.filter((file) => !file.isDirectory()).map(({ name }) => name);
  return {
    processes: commands.flat(),
    // The tree, and the filter of every sandbox.
    files: names.filter((name) => !["server.js", "seccomp"].includes(name)),
    groups: (await memoryGroups()).filter((name) => name.startsWith(`${app}.`)),
  };
}

/** The command of a process that works in a folder, or names it. */
async function commandIn(folder: string, pid: string): Promise<string[]> {
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
  const command = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " ");
  return cwd.startsWith(folder) || command.includes(folder) ? [`${pid} ${command}`] : [];
}

/** Empty where the kernel's groups cannot be used. */
async function memoryGroups(): Promise<string[]> {
  const folders = ["/sys/fs/cgroup/sluice", "/sys/fs/cgroup/memory/sluice", "/sys/fs/cgroup/cpu/sluice"];
  return (await Promise.all(folders.map(async (folder) => readdir(folder).catch(() => [])))).flat();
}

/** proc(5), /proc/PID/stat. */
async function processGroupOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
}
