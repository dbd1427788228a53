import { expect } from "chai";
import { chmod, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closedFolderOf, programPath } from "../../../../../cli/start/checks/program-path.js";

describe("PATH of what Sluice runs", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-path-"));
    await chmod(folder, 0o711);
    await mkdir(join(folder, "open"));
    await mkdir(join(folder, "closed/bin"), { recursive: true });
    await chmod(join(folder, "closed"), 0o750);
    await symlink(join(folder, "closed/bin"), join(folder, "link"));
  });
  after(async () => rm(folder, { recursive: true }));

  it("has administrators' programs too, once each, behind what was given", async () => {
    expect((await programPath("/usr/bin:/bin", false)).path).to.equal(
      "/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
    );
    expect((await programPath("/usr/sbin:/usr/bin:/usr/sbin", false)).path).to.equal(
      "/usr/sbin:/usr/bin:/usr/local/sbin:/sbin",
    );
  });

  it("has neither relative folders nor npm's", async () => {
    const given = ":.:bin:/srv/sluice/node_modules/.bin:/opt/my_node_modules/bin:/usr/bin";
    expect((await programPath(given, false)).path).to.match(
      /^\/opt\/my_node_modules\/bin:\/usr\/bin:\/usr\/local/,
    );
  });

  it("leaves out what apps' users cannot enter, when they have users of their own", async () => {
    const [open, closed, link] = ["open", "closed/bin", "link"].map((name) => join(folder, name));
    const given = `${closed}:${open}:${link}:/nowhere`;
    const root = await programPath(given, true);
    expect(root.path).to.match(new RegExp(`^${open}:/nowhere:`));
    expect(root.closed).to.equal(`${closed}:${link}`);
    expect(await programPath(given, false)).to.deep.include({ closed: "" });
  });

  it("names the folder that is closed", async () => {
    expect(await closedFolderOf(join(folder, "link"))).to.equal(join(folder, "closed"));
    expect(await closedFolderOf(join(folder, "open"))).to.equal(undefined);
  });
});
