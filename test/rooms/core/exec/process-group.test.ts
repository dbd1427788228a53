import { expect } from "chai";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { eachProcess } from "../../../../core/exec/each-process.js";
import { groupEnd, groupMembers, processFamily } from "../../../../core/exec/process-group.js";
import { listeningAddresses } from "../../../../server/engines/runit/listening.js";
import { eventually } from "../../../support/eventually.js";
import { freePort } from "../../../support/network/free-port.js";
import { isAlive } from "../../../support/running/test-sluice.js";

const FAR_OFF_MS = 60_000;
const LISTEN = (port: number): string =>
  `require("node:net").createServer().listen(${port}, "127.0.0.1", () => console.log("listens"))`;

describe("a group of processes", () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) if (child.pid !== undefined) end(-child.pid);
  });

  /** A shell that leads a group of its own, and the first line that it says. */
  async function run(script: string): Promise<{ leader: number; said: string }> {
    const child = spawn("/bin/sh", ["-c", script], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
    children.push(child);
    const [said] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    return { leader: child.pid ?? 0, said };
  }

  it("has ended when its leader has, unless another of it lives on", async () => {
    const alone = await run("echo go; sleep 0.1");
    await groupEnd(alone.leader, Date.now() + FAR_OFF_MS);
    expect(await groupMembers(alone.leader)).to.deep.equal([]);
    const { leader, said } = await run("sleep 1000 & echo $!; exit 0");
    await eventually("the leader is gone", async () => !(await isAlive(leader)));
    let hasEnded = false;
    const ended = groupEnd(leader, Date.now() + FAR_OFF_MS).then(() => (hasEnded = true));
    expect(await groupMembers(leader)).to.deep.equal([Number(said)]);
    expect(hasEnded).to.equal(false);
    process.kill(Number(said), "SIGKILL");
    await ended;
  });

  it("has ended when nobody buries those of it that have", async () => {
    // The shell becomes a program that never waits for what the shell has started.
    const { said } = await run("setsid sleep 1000 & echo $!; exec sleep 1000");
    await eventually("it has its group", async () => (await groupMembers(Number(said))).length === 1);
    process.kill(Number(said), "SIGKILL");
    await groupEnd(Number(said), Date.now() + FAR_OFF_MS);
    expect(() => process.kill(-Number(said), 0), "a zombie, which still counts for kill(2)").not.to.throw();
  });

  it("is killed when its time is over, also a member that its leader has left behind", async () => {
    const { leader, said } = await run('trap "" TERM; sleep 1000 & echo $!; exit 0');
    await groupEnd(leader, Date.now());
    expect(await isAlive(Number(said))).to.equal(false);
  });

  it("is told to a crowd that asks at once", async () => {
    const { leader } = await run("echo go; exec sleep 1000");
    const answers = await Promise.all(Array.from({ length: 200 }, async () => groupMembers(leader)));
    for (const answer of answers) expect(answer).to.deep.equal([leader]);
  });

  it("is told as it is after the question, not as it was at a look that had begun", async () => {
    const { leader } = await run("echo go; exec sleep 1000");
    const before = groupMembers(leader);
    await before;
    process.kill(leader, "SIGKILL");
    await eventually("it is gone", async () => !(await isAlive(leader)));
    expect(await groupMembers(leader)).to.deep.equal([]);
  });
});

describe("a process's family", () => {
  const started: number[] = [];
  afterEach(() => {
    for (const pid of started.splice(0)) end(pid);
  });

  async function run(script: string): Promise<{ leader: number; said: string }> {
    const child = spawn("/bin/sh", ["-c", script], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
    started.push(-(child.pid ?? 0));
    const [said] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    return { leader: child.pid ?? 0, said };
  }

  it("has its grandchildren, those in groups of their own too", async () => {
    const { leader, said } = await run("sh -c 'setsid sleep 1000 & echo $!; wait' & wait");
    started.push(-Number(said));
    const family = await processFamily(leader);
    expect(family).to.have.length(3);
    expect(family).to.include(Number(said));
  });

  it("is found by a port, and so is a process of the group whose parent has ended", async () => {
    const [near, far] = [await freePort(), await freePort()];
    const one = await run(`${process.execPath} -e '${LISTEN(near)}' & wait`);
    expect(await listeningAddresses(one.leader, near)).to.deep.equal([`127.0.0.1:${near}`]);
    const other = await run(`(${process.execPath} -e '${LISTEN(far)}' &); exec sleep 1000`);
    expect(await listeningAddresses(other.leader, far)).to.deep.equal([`127.0.0.1:${far}`]);
    expect(await listeningAddresses(one.leader, far), "another's port").to.deep.equal([`127.0.0.1:${near}`]);
  });

  it("is found by a port among the processes of its control group, which may be nowhere near its leader", async () => {
    const port = await freePort();
    const { leader } = await run("echo go; exec sleep 1000");
    const { leader: away } = await run(`exec ${process.execPath} -e '${LISTEN(port)}'`);
    expect(await listeningAddresses(leader, port)).to.deep.equal([]);
    expect(await listeningAddresses(leader, port, [leader, away])).to.deep.equal([`127.0.0.1:${port}`]);
  });
});

describe("a look at all processes", () => {
  it("reads each whole, however long", async () => {
    const long = "x".repeat(40_000);
    const child = spawn("sleep", ["1000"], { env: { LONG: long, LAST: "here" }, stdio: "ignore" });
    try {
      await once(child, "spawn");
      const found = await eventually("its environment is there", async () => {
        let text: string | undefined;
        await eachProcess("environ", (pid, environment) => {
          if (pid === child.pid) text = environment;
        });
        return text?.includes("LAST") === true && text;
      });
      expect(found.split("\0").filter(Boolean).sort()).to.deep.equal(["LAST=here", `LONG=${long}`]);
    } finally {
      child.kill("SIGKILL");
    }
  });
});

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
