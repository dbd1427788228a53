import { expect } from "chai";
import { execa } from "execa";
import { eventually } from "../../support/eventually.js";
import { processesWith } from "../../support/running/processes-with.js";
import { TestSluice } from "../../support/running/test-sluice.js";

const BIN = new URL("../../../bin/sluice", import.meta.url).pathname;

describe("sluice up --demo, interrupted while it pushes the sample app", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  beforeEach(async () => (sluice = await TestSluice.prepare()));
  afterEach(async () => sluice.dispose());

  for (const times of [1, 3])
    it(`ends the push, and leaves nothing running, after Ctrl-C ×${times}`, async () => {
      const { env } = sluice;
      const running = execa(process.execPath, [BIN, "up", "--demo"], {
        ...{ env, extendEnv: false, all: true, reject: false, detached: true },
      });
      let output = "";
      running.all.on("data", (chunk: Buffer) => (output += chunk.toString()));
      await eventually("the push is under way", () => output.includes("remote: -----> "), 60_000);
      for (let time = 0; time < times; time++) {
        process.kill(-(running.pid ?? 0), "SIGINT");
        await eventually("it was noticed", () => output.includes("stopping everything"));
      }
      const { exitCode } = await running;
      expect(exitCode, output).to.equal(0);
      expect(output).not.to.include("The sample app is live");
      expect(await processesWith(sluice.home)).to.deep.equal([]);
    });

  it("leaves nothing running either when nobody reads any more what it prints", async () => {
    const running = execa(process.execPath, [BIN, "up", "--demo"], {
      ...{ env: sluice.env, extendEnv: false, reject: false, detached: true, stderr: "ignore" },
    });
    let output = "";
    running.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    await eventually("the push is under way", () => output.includes("$ git push"), 60_000);
    running.stdout.destroy();
    process.kill(-(running.pid ?? 0), "SIGINT");
    expect((await running).exitCode).to.equal(0);
    expect(await processesWith(sluice.home)).to.deep.equal([]);
  });
});
