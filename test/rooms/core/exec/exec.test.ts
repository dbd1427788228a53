import { expect } from "chai";
import { Readable } from "node:stream";
import { describeExit, outputOf, runCommand } from "../../../../core/exec/exec.js";
import { eventually } from "../../../support/eventually.js";
import { isAlive } from "../../../support/running/test-sluice.js";

const env = { PATH: process.env["PATH"] ?? "" };

describe("runCommand", () => {
  it("hands on each line as it comes, and tells how it ended", async () => {
    const lines: string[] = [];
    const exit = await runCommand(
      { argv: ["sh", "-c", "echo one; echo two >&2; exit 3"], env },
      { onLine: (line) => lines.push(line) },
    );
    expect(lines.sort()).to.deep.equal(["one", "two"]);
    expect(describeExit(exit)).to.equal("status 3");
    expect(describeExit(await runCommand({ argv: ["sh", "-c", "kill -9 $$"], env }))).to.equal(
      "killed by SIGKILL",
    );
  });

  it("takes no memory for a line that never ends", async () => {
    const lines: string[] = [];
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20);
    const before = process.memoryUsage().rss;
    await runCommand(
      { argv: ["sh", "-c", "head -c 600000000 /dev/zero | tr '\\0' a; echo; echo end"], env },
      { onLine: (line) => lines.push(line) },
    ).finally(() => clearInterval(watch));
    expect(lines).to.have.length(2);
    expect(lines[1]).to.equal("end");
    expect((most - before) / 1024 ** 2).to.be.below(150);
  });

  it("inherits nothing of our environment", async () => {
    expect(
      (await outputOf({ argv: ["env"], env: { PATH: env.PATH, ONLY: "this" } })).split("\n").sort(),
    ).to.deep.equal(["ONLY=this", `PATH=${env.PATH}`]);
  });

  it("takes its whole group along when it is aborted, also a child that ignores TERM", async () => {
    const abort = new AbortController();
    const lines: string[] = [];
    const run = runCommand(
      { argv: ["sh", "-c", "trap '' TERM; sleep 60 & echo $!; wait"], env },
      { signal: abort.signal, onLine: (line) => lines.push(line) },
    );
    const child = Number(await eventually("it says its child", () => lines[0]));
    abort.abort(new Error("enough"));
    const error: unknown = await run.catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(Error).with.property("message", "enough");
    await eventually("the child is gone", async () => !(await isAlive(child)));
  });

  it("does not wait for a grandchild that holds its output", async () => {
    const lines: string[] = [];
    await runCommand(
      { argv: ["sh", "-c", "sleep 60 & echo $!"], env },
      { onLine: (line) => lines.push(line) },
    );
    await eventually("the grandchild is gone", async () => !(await isAlive(Number(lines[0]))));
  });

  it("feeds a command, which need not read it all", async () => {
    const big = Readable.from(Array.from({ length: 1000 }, () => "x".repeat(10_000)));
    expect((await runCommand({ argv: ["head", "-c", "1"], env }, { input: big })).status).to.equal(0);
  });

  it("returns what a command wrote to stdout, without what it wrote to stderr", async () => {
    const argv = ["sh", "-c", "echo notice >&2; echo 1; echo notice >&2; echo 2"] as const;
    expect(await outputOf({ argv: [...argv], env })).to.equal("1\n2");
  });

  it("rejects with what a failed command said", async () => {
    const error: unknown = await outputOf({ argv: ["sh", "-c", "echo broken >&2; exit 1"], env }).catch(
      (reason: unknown) => reason,
    );
    expect(String(error)).to.include("sh failed (status 1): broken");
  });
});
