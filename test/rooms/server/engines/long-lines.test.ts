import { expect } from "chai";
import { execa } from "execa";
import { appendFile, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LONGEST_LINE_BYTES } from "../../../../core/exec/line-splitter.js";
import { removeTree } from "../../../../core/files/remove-tree.js";
import { readLog } from "../../../../server/engines/log-files.js";
import { logConfiguration } from "../../../../server/engines/runit/service-folder.js";

const LOG_BYTES = 500_000;
const never = new AbortController().signal;

describe("the log of an instance that never ends its line", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-long-lines-"));
    await mkdir(join(folder, "log"));
    await writeFile(join(folder, "log/config"), logConfiguration(LOG_BYTES));
  });
  afterEach(async () => removeTree(folder));

  it("is rotated within the line, and read line by line with each cut", async () => {
    const script = "head -c 3000000 /dev/zero | tr '\\0' a; echo; echo next; echo last";
    await execa("sh", ["-c", `{ ${script}; } | svlogd -tt log`], { cwd: folder });
    const lines: string[] = [];
    for await (const { text } of readLog(join(folder, "log"), { lines: 50, follow: false, signal: never }))
      lines.push(text);
    expect(lines.slice(-2)).to.deep.equal(["next", "last"]);
    expect(lines.length).to.be.within(3, 10);
    for (const line of lines) expect(Buffer.byteLength(line)).to.be.at.most(LONGEST_LINE_BYTES + 3);
  });

  it("is followed with the line cut once, and with what comes after it", async () => {
    const file = join(folder, "log/current");
    await writeFile(file, "");
    const left = new AbortController();
    const lines: string[] = [];
    const reading = (async () => {
      const log = readLog(join(folder, "log"), { lines: 0, follow: true, signal: left.signal });
      for await (const { text } of log) {
        lines.push(text);
        if (text === "next") left.abort();
      }
    })();
    for (let part = 0; part < 20; part++) await appendFile(file, "b".repeat(5000));
    await appendFile(file, "\nnext\n");
    await reading;
    expect(lines).to.deep.equal([`${"b".repeat(LONGEST_LINE_BYTES)}…`, "next"]);
  });
});
