import { expect } from "chai";
import { execa } from "execa";
import {
  commandScript,
  isRoot,
  programScript,
} from "../../../../../../server/engines/swarm/starting/program-script.js";

const NOTHING = { entrypoint: [], command: [], user: "", port: 5000 };

async function run(script: string): Promise<{ out: string; status: number | undefined }> {
  const { stdout, stderr, exitCode } = await execa("sh", ["-s"], { input: script, reject: false });
  return { out: [stdout, stderr].filter((text) => text !== "").join("\n"), status: exitCode };
}

describe("the script that starts an image's program", () => {
  it("runs the entry point with its arguments as they are, and the environment besides the image's", async () => {
    const program = { ...NOTHING, entrypoint: ["printf", "%s|%s|"], command: ["a 'b'", "$HOME"] };
    expect(await run(programScript(program, { command: "", env: {} }))).to.deep.equal({
      out: "a 'b'|$HOME|",
      status: 0,
    });
    const shown = { ...NOTHING, command: ["printenv", "KEY"] };
    const env = { KEY: "line\nof 'quotes'" };
    expect((await run(programScript(shown, { command: "", env }))).out).to.equal("line\nof 'quotes'");
  });

  it("gives the entry point a shell that runs a Procfile's line", async () => {
    const program = { ...NOTHING, entrypoint: ["/usr/bin/env", "BY=entry"], command: ["ignored"] };
    const { out, status } = await run(programScript(program, { command: "echo $BY; exit 7", env: {} }));
    expect([out, status]).to.deep.equal(["entry", 7]);
  });

  it("writes both outputs to one, reads nothing, and names what the image has not", async () => {
    expect((await run(commandScript("echo one; echo two >&2; cat", {}))).out).to.equal("one\ntwo");
    const missing = { ...NOTHING, command: ["no-such-program"] };
    expect(await run(programScript(missing, { command: "", env: {} }))).to.deep.equal({
      out: "sluice: the image has no program no-such-program",
      status: 127,
    });
  });

  it("takes a user for root who is one", () => {
    for (const user of ["", "root", "0", "0:0", "root:www-data"]) expect(isRoot(user), user).to.equal(true);
    for (const user of ["1000", "node", "rooty", "00001", "www-data:0"])
      expect(isRoot(user), user).to.equal(false);
  });
});
