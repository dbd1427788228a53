import { expect } from "chai";
import { execa } from "execa";
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SETUP = new URL("../../../bin/setup", import.meta.url).pathname;
/** What bin/setup itself runs before it installs anything. */
const TOOLS = ["dirname", "sh", "sort", "paste", "tr"];

describe("bin/setup", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "setup-"));
    for (const tool of TOOLS) {
      const { stdout } = await execa("sh", ["-c", `command -v ${tool}`]);
      await symlink(stdout, join(folder, tool));
    }
    await symlink(process.execPath, join(folder, "node"));
    // Somebody who may not install anything.
    await writeFile(join(folder, "id"), "#!/bin/sh\necho 1000\n");
    await chmod(join(folder, "id"), 0o755);
    for (const program of ["runsv", "git"]) await symlink("/bin/true", join(folder, program));
  });
  afterEach(async () => rm(folder, { recursive: true }));

  it("names the packages that are missing, each once, and the command that installs them", async () => {
    // Some may be there: only what is in the folder is to be found.
    const text = (await readFile(SETUP, "utf8")).replace(":/usr/sbin:/sbin", "");
    await mkdir(join(folder, "bin"));
    await writeFile(join(folder, "bin/setup"), text);
    const { exitCode, stderr } = await execa("sh", [join(folder, "bin/setup")], {
      cwd: folder,
      env: { PATH: folder },
      extendEnv: false,
      reject: false,
      stdin: "ignore",
    });
    expect(exitCode).to.equal(1);
    expect(stderr).to.equal(
      " !     Not installed on this machine: bubblewrap haproxy iproute2 nftables redis-server runit\n" +
        " !     Run: sudo apt-get install -y --no-install-recommends bubblewrap haproxy iproute2 nftables redis-server runit",
    );
  });
});
