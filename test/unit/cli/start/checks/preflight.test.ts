import { expect } from "chai";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AppError } from "../../../../../core/errors/app-error.js";
import { checkPrograms } from "../../../../../cli/start/checks/preflight.js";

describe("the programs that Sluice needs", () => {
  let folder: string;
  let open: string;
  let closed: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-programs-"));
    await chmod(folder, 0o711);
    open = join(folder, "open");
    closed = join(folder, "closed");
    for (const path of [open, closed]) await mkdir(path);
    for (const file of [join(open, "git"), join(closed, "node")]) await writeFile(file, "", { mode: 0o755 });
    await symlink(join(closed, "node"), join(open, "link"));
    await chmod(closed, 0o700);
  });
  after(async () => rm(folder, { recursive: true }));

  async function refusal(isRoot: boolean, ...programs: string[]): Promise<AppError | undefined> {
    const needed = new Map(programs.map((program) => [program, `${program}-package`]));
    return checkPrograms({ path: open, closedPath: closed, isRoot }, needed).then(
      () => undefined,
      (error: unknown) => error as AppError,
    );
  }

  it("may lie in any folder of PATH", async () => {
    expect(await refusal(true, "git")).to.equal(undefined);
  });

  it("are told when they are missing, with their packages", async () => {
    const error = await refusal(true, "git", "haproxy");
    expect(error?.message).to.equal("Not installed on this machine: haproxy.");
    expect(error?.hint).to.equal("Run: sudo apt-get install -y haproxy-package");
  });

  it("are told when apps' users cannot run them, with the folder that is closed to them", async () => {
    for (const [program, file] of [
      ["node", join(closed, "node")],
      ["link", join(open, "link")],
    ] as const) {
      const error = await refusal(true, program);
      expect(error?.code).to.equal("program-closed");
      expect(error?.message).to.include(file).and.to.include(`cannot enter ${closed}.`);
      expect(error?.hint).to.include(`chmod o+x ${closed}`);
      expect(await refusal(false, program)).to.equal(undefined);
    }
  });
});
