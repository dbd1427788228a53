import { expect } from "chai";
import { execa } from "execa";
import { readFile } from "node:fs/promises";

const BIN = new URL("../../../bin/sluice", import.meta.url).pathname;

/** What needs no server. */
describe("sluice, called in another way", function () {
  this.timeout(30_000);

  async function sluice(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
    const { exitCode, stdout, stderr } = await execa(process.execPath, [BIN, ...args], { reject: false });
    return { status: exitCode ?? -1, stdout, stderr };
  }

  it("tells its version", async () => {
    const text = await readFile(new URL("../../../package.json", import.meta.url), "utf8");
    const { version } = JSON.parse(text) as { version: string };
    expect(await sluice("--version")).to.deep.equal({ status: 0, stdout: version, stderr: "" });
  });

  it("names the command that was meant, when one is near", async () => {
    const { status, stderr } = await sluice("statsu");
    expect(status).to.equal(2);
    expect(stderr).to.include("unknown command 'statsu'\n(Did you mean status?)");
    const far = await sluice("deploy");
    expect(far.status).to.equal(2);
    expect(far.stderr).to.include("unknown command 'deploy'").and.not.to.include("Did you mean");
  });
});
