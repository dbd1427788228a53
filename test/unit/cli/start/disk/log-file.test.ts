import { expect } from "chai";
import { execa } from "execa";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LogFile } from "../../../../../cli/start/disk/log-file.js";
import { createLog } from "../../../../../core/log.js";
import { eventually } from "../../../../support/eventually.js";

describe("the server's log file", () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "log-"))));
  afterEach(async () => rm(folder, { recursive: true }));

  it("goes on after what it has, and puts itself aside while it is written when it has grown long", async () => {
    const path = join(folder, "server.log");
    await writeFile(path, "an earlier line\n");
    const file = new LogFile(path, 1000);
    const log = createLog(file, "info");
    for (let i = 0; i < 20; i++) log.info({ i }, "a line of some length");
    await new Promise<void>((resolve) => file.end(resolve));
    const [now, before] = [await readFile(path, "utf8"), await readFile(`${path}.1`, "utf8")];
    expect(`${before}${now}`.trim().split("\n")).to.have.length.at.most(21);
    expect(before.length).to.be.within(1000, 1200);
    expect(now).to.include('"i":19');
  });

  it("loses what finds no room on a full disk, and says so when there is room again", async function () {
    const { exitCode } = await execa("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], {
      reject: false,
    });
    if (exitCode !== 0) return this.skip();
    const file = new LogFile(join(folder, "server.log"), 1e6);
    try {
      const path = join(folder, "server.log");
      const log = createLog(file, "info");
      log.info("before");
      await eventually("it is written", async () => (await readFile(path, "utf8")).includes("before"));
      await execa("sh", ["-c", `cat /dev/zero > ${folder}/ballast`], { reject: false });
      for (let i = 0; i < 100; i++) log.info({ text: "x".repeat(100) }, "lost");
      await eventually("nothing waits, and the process lives", () => file.writableLength === 0);
      await rm(join(folder, "ballast"));
      await eventually("it is written again", async () => {
        log.info("after");
        return (await readFile(path, "utf8")).includes('"after"');
      });
      const lines = (await readFile(path, "utf8")).trim().split("\n");
      // Every line is whole.
      expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).to.include(
        "log lines were lost",
      );
    } finally {
      await new Promise<void>((resolve) => file.end(resolve));
      await execa("umount", [folder]);
    }
  });
});
