import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Home } from "../../../../core/home.js";
import { LocalTasks } from "../../../../server/engines/runit/local-tasks.js";
import type { TaskEnd } from "../../../../server/engines/tasks.js";
import { testSandbox } from "../../../support/running/test-sandbox.js";

const FORKS = "bomb() { bomb | bomb & }; bomb; sleep 1; echo the shell lives";
const HOG = `perl -e 'push @all, "x" x 1048576 while 1'`;
const LIMITS = { memoryMegabytes: 64, processes: 40, scratchMegabytes: 16 };

/** By the control groups of whichever version this machine has. */
describe("a task's limits", function () {
  this.timeout(120_000);
  const app = `greedy-${randomBytes(4).toString("hex")}`;
  let folder: string;
  let work: string;
  let tasks: LocalTasks;
  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    folder = await mkdtemp(join(tmpdir(), "task-limits-"));
    await chmod(folder, 0o755);
    work = join(folder, "work");
    await mkdir(work);
    const home = new Home(join(folder, "home"));
    const path = process.env["PATH"] ?? "";
    tasks = await LocalTasks.open({ home, sandbox: await testSandbox(home), path });
  });
  after(async () => folder && rm(folder, { recursive: true }));

  const run = async (
    command: string,
    onLine: () => void = () => undefined,
  ): Promise<TaskEnd & { readonly lines: readonly string[] }> => {
    const lines: string[] = [];
    const end = await tasks.runOnce(
      {
        ...{ app, release: "v1", changes: "lost", env: { PATH: process.env["PATH"] ?? "" } },
        artifact: { kind: "tree", folder: work, at: "/app" },
        user: { uid: 65_534, gid: 65_534 },
        command,
        limits: LIMITS,
      },
      {
        signal: new AbortController().signal,
        onLine: (line) => {
          lines.push(line);
          onLine();
        },
      },
    );
    return { ...end, lines };
  };
  const groups = async (): Promise<string[]> => {
    const names = await readdir("/sys/fs/cgroup", { recursive: true });
    return names.filter((name) => name.includes(`${app}.`));
  };

  it("let ordinary ones pass, and tell them what they have", async () => {
    const { status, exceeded, lines } = await run(
      "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null; true",
    );
    expect({ status, exceeded, lines }).to.deep.equal({
      ...{ status: 0, exceeded: [], lines: [String(LIMITS.memoryMegabytes * 1024 * 1024)] },
    });
  });

  it("stop a fork bomb at its number of processes, and end all of it", async () => {
    const { exceeded } = await run(FORKS);
    expect(exceeded).to.deep.equal(["processes"]);
    expect(await groups()).to.deep.equal([]);
  });

  it("end one that takes memory without end", async () => {
    const { exceeded, status } = await run(HOG);
    expect(exceeded).to.deep.equal(["memory"]);
    expect(status).not.to.equal(0);
    expect(await groups()).to.deep.equal([]);
  });

  it("hold for what left its session and its parent, which ends with the task", async () => {
    let during: Promise<string[]> | undefined;
    await run("setsid sh -c 'sleep 1000 & sleep 1000' & echo begun; sleep 1", () => {
      during = groups();
    });
    expect(await during).not.to.deep.equal([]);
    expect(await groups()).to.deep.equal([]);
  });
});
