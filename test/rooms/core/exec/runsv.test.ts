import { expect } from "chai";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { control, endService, serviceState, supervise } from "../../../../core/exec/runsv.js";
import { eventually } from "../../../support/eventually.js";
import { isAlive } from "../../../support/running/test-sluice.js";

const ENV = { PATH: process.env["PATH"] ?? "" };

describe("a service under runsv", () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "sluice-service-"))));
  afterEach(async () => {
    await endService(folder, 0);
    await rm(folder, { recursive: true });
  });

  async function run(command: string): Promise<number> {
    await writeFile(join(folder, "run"), `#!/bin/sh\n${command}\n`, { mode: 0o700 });
    await supervise(folder, ENV);
    return eventually("it runs", async () => (await serviceState(folder)).pid);
  }

  it("is supervised once, however often that is asked for at once", async () => {
    await writeFile(join(folder, "run"), "#!/bin/sh\nexec sleep 1000\n", { mode: 0o700 });
    await Promise.all(Array.from({ length: 5 }, async () => supervise(folder, ENV)));
    await eventually("one is left", async () => (await supervisorsOf(folder)).length === 1);
    expect(await serviceState(folder)).to.include({ supervised: true });
  });

  it("tells since when it runs", async () => {
    const began = Date.now();
    const pid = await run("exec sleep 1000");
    const state = await serviceState(folder);
    expect(state).to.include({ supervised: true, pid });
    expect(state.since).to.be.within(began - 5, Date.now() + 5);
  });

  it("is down for good once it is ended, and can be started again", async () => {
    const pid = await run("exec sleep 1000");
    await endService(folder, 10_000);
    expect(await isAlive(pid)).to.equal(false);
    expect(await serviceState(folder)).to.deep.equal({ supervised: false, pid: undefined, since: 0 });
    expect(await control(folder, "u")).to.equal(false);
    expect(await run("exec sleep 1000")).not.to.equal(pid);
  });

  it("is ended by force when its grace is over, whether it leads a process group or not", async () => {
    const pid = await run('trap "" TERM; while :; do sleep 0.1; done');
    await endService(folder, 300);
    expect(await isAlive(pid)).to.equal(false);
    expect(await supervisorsOf(folder)).to.deep.equal([]);
  });
});

async function supervisorsOf(folder: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(
    pids.map(async (pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return pids.filter((_, index) => commands[index] === `runsv\0${folder}\0`);
}
