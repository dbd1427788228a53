import { expect } from "chai";
import { execa } from "execa";

const MODULE = new URL("../../../cli/start/close-inherited-files.ts", import.meta.url).pathname;
const LOOK = `
import { openSync, readdirSync, readlinkSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { closeInheritedFiles } from ${JSON.stringify(MODULE)};
const own = openSync("/etc/passwd", "r");
closeInheritedFiles();
console.log(readlinkSync("/proc/self/fd/" + own));
console.log(execFileSync("ls", ["-l", "/proc/self/fd"], { encoding: "utf8" }));
`;

describe("files that the process which starts Sluice has open", () => {
  it("are closed, whatever their numbers, and Sluice's own are not", async () => {
    // Node.js itself closes some of the first sixteen.
    const start = 'exec 3</etc 5</etc 20</etc 200</etc; exec "$@"';
    const node = [process.execPath, "--import", "tsx", "--input-type=module", "--eval", LOOK];
    const { stdout } = await execa("bash", ["-c", start, "bash", ...node]);
    expect(stdout).to.match(/^\/etc\/passwd$/m);
    expect(stdout.match(/-> \/etc$/gm)).to.equal(null);
  });
});
