import { expect } from "chai";
import { execa } from "execa";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FOLDER = new URL("../../support/leftovers/", import.meta.url).pathname;
const NAMESPACE = `left-behind-${process.pid}`;

describe("the scan for what tests leave behind", function () {
  this.timeout(60_000);
  let folder: string;
  let before: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "leftovers-test-"));
    before = join(folder, "before");
    await writeFile(before, "");
    await writeFile(before, `${(await execa(join(FOLDER, "list"), folders())).stdout}\n`);
  });
  afterEach(async () => rm(folder, { recursive: true, force: true }));

  const folders = (): string[] => [folder, "/run/netns"].filter((path) => existsSync(path));

  /** Lines of what is new and has to do with this test; other programs of the machine may make things meanwhile. */
  const left = async (about: string): Promise<string[]> => {
    const { stdout } = await execa(join(FOLDER, "compare"), [before, ...folders()], { reject: false });
    return stdout.split("\n").filter((line) => line.includes(about));
  };

  it("finds a file and a process", async () => {
    const file = join(folder, "forgotten");
    await writeFile(file, "");
    const child = spawn("sleep", ["6071"], { detached: true, stdio: "ignore" });
    try {
      const lines = await left("");
      for (const line of [`file ${file}`, `process ${child.pid ?? 0} sleep 6071`])
        expect(lines).to.include(line);
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("finds a mount, a network namespace and a device", async function () {
    if (process.getuid?.() !== 0) this.skip();
    const device = `left${process.pid % 100_000}`;
    const point = join(folder, "point");
    await mkdir(point);
    await execa("mount", ["-t", "tmpfs", "left", point]);
    try {
      await execa("ip", ["netns", "add", NAMESPACE]);
      await execa("ip", ["link", "add", device, "type", "veth", "peer", "name", "p", "netns", NAMESPACE]);
      const lines = await left("");
      for (const line of [`mount ${point} tmpfs`, `file /run/netns/${NAMESPACE}`, `device ${device}`])
        expect(lines).to.include(line);
    } finally {
      await execa("ip", ["netns", "delete", NAMESPACE], { reject: false });
      await execa("umount", [point]);
    }
  });

  it("finds nothing when nothing is left", async () => {
    expect(await left(folder)).to.deep.equal([]);
  });
});
