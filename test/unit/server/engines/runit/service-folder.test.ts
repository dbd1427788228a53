import { expect } from "chai";
import { execFileSync, spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseAddress } from "../../../../../core/instances/address.js";
import type { TreeSpec } from "../../../../../server/engines/runit/service-folder.js";
import { logConfiguration, serviceFiles } from "../../../../../server/engines/runit/service-folder.js";

const HOSTILE = 'it\'s "a" $(touch pwned) `touch pwned` \\ \n;&|';

describe("a service folder", () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "service-folder-"))));
  afterEach(async () => rm(folder, { recursive: true }));

  async function writeFiles(changes: Partial<TreeSpec> = {}): Promise<string[]> {
    const files = filesOf(folder, changes);
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
      await chmod(join(folder, name), 0o700);
    }
    return Object.keys(files);
  }

  /** Runs one of the programs with some others put in the place of the real ones. */
  function run(name: string, programs: string, ...args: string[]): string {
    const path = `${programs}:${process.env["PATH"] ?? ""}`;
    return execFileSync(join(folder, name), args, { cwd: folder, env: { PATH: path }, encoding: "utf8" });
  }

  for (const [kind, changes] of Object.entries({
    plain: {},
    "as a user, with a socket": { user: { uid: 1234, gid: 1234 }, listen: "socket" },
    hostile: {
      command: HOSTILE,
      artifact: { kind: "tree", folder: "/tmp", at: `/tmp/${HOSTILE}` },
      env: { A: HOSTILE, B: "" },
    },
  } satisfies Record<string, Partial<TreeSpec>>)) {
    it(`holds scripts that shellcheck has nothing to say about (${kind})`, async function () {
      if (!hasShellcheck()) this.skip();
      const names = await writeFiles(changes);
      // SC2016: `$` in single quotes, as it should be here.
      const args = ["--shell=dash", "--severity=style", "--exclude=SC2016", "--format=gcc", ...names];
      const { stdout } = spawnSync("shellcheck", args, { cwd: folder, encoding: "utf8" });
      expect(stdout).to.equal("");
    });
  }

  it("makes an instance wait longer each time it has ended soon, up to a minute", async () => {
    await writeFiles({ command: "true", artifact: { kind: "tree", folder: "/", at: "/" } });
    const programs = join(folder, "programs");
    await mkdir(programs);
    await writeFile(join(programs, "sleep"), `#!/bin/sh\necho "$1" >>${folder}/slept\n`, { mode: 0o700 });
    for (let failures = 0; failures <= 12; failures++) {
      await writeFile(join(folder, "failures"), String(failures));
      run("launch", programs);
    }
    const slept = (await readFile(join(folder, "slept"), "utf8")).trim().split("\n").map(Number);
    expect(slept).to.deep.equal([1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]);
  });

  it("counts how an instance ended, and forgets the failed starts of one that lived", async () => {
    await writeFiles();
    const read = async (name: string): Promise<string> =>
      (await readFile(join(folder, name), "utf8").catch(() => "none")).trim();
    const seconds = Math.floor(Date.now() / 1000);
    await writeFile(join(folder, "started"), String(seconds));
    run("finish", "", "3", "0");
    run("finish", "", "-1", "9");
    expect([await read("end"), await read("failures")]).to.deep.equal(["2 -1 9", "2"]);
    await writeFile(join(folder, "started"), String(seconds - 11));
    run("finish", "", "0", "0");
    expect([await read("end"), await read("failures")]).to.deep.equal(["3 0 0", "none"]);
  });

  it("keeps as much of a log as it was told to, in files of a size that svlogd takes", () => {
    expect(logConfiguration(10 * 1024 * 1024)).to.equal("s2097152\nn5\n");
    expect(logConfiguration(1)).to.equal("s4096\nn5\n");
  });
});

function filesOf(folder: string, changes: Partial<TreeSpec>): Readonly<Record<string, string>> {
  const spec: TreeSpec = {
    id: "shop.v1.web.1",
    app: "shop",
    command: "node server.js | tee log",
    artifact: { kind: "tree", folder, at: folder },
    env: { PATH: process.env["PATH"] ?? "", GREETING: "hello world" },
    limits: { memoryMegabytes: 512, processes: 100, scratchMegabytes: 1 },
    listen: "port",
    ...changes,
  };
  const address = parseAddress(spec.listen === "socket" ? "unix@/tmp/a.sock" : "127.0.0.1:3000");
  return serviceFiles({
    spec,
    address,
    logFolder: "/tmp/it's a log",
    logBytes: 1,
    limits: ["ulimit -d 524288"],
    killsFile: undefined,
    shell: ["/bin/sh"],
  });
}

function hasShellcheck(): boolean {
  try {
    execFileSync("shellcheck", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
