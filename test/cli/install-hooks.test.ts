import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect } from "chai";
import { execa } from "execa";
import { installHooks } from "../../cli/install-hooks.js";

const HOOK_SOURCE = path.resolve(import.meta.dirname, "../../hooks/pre-commit");
const FOREIGN = "#!/bin/sh\necho foreign\n";

describe("installHooks", function () {
  this.timeout(20_000);

  let root: string;
  let clone: string;
  let hook: string;
  let earlier: string;
  const ownEnvironment = { ...process.env };

  // Whoever runs the tests may have hooks for all repositories, or run them from a hook: those are not to be touched.
  before(() => {
    for (const name of ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"])
      Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" });
  });

  after(() => {
    for (const name of ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"])
      Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, ownEnvironment);
  });

  beforeEach(async () => {
    root = await realpath(await mkdtemp(path.join(tmpdir(), "sluice-test-install-")));
    clone = path.join(root, "a clone");
    hook = path.join(clone, ".git/hooks/pre-commit");
    earlier = `${hook}.before-sluice`;
    await execa("git", ["init", "--quiet", "--template=", clone]);
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  it("installs the hook, executable, into a clone that has no hooks", async () => {
    expect(await install()).to.deep.equal({ path: hook, chained: false, state: "installed" });

    expect(await readFile(hook, "utf8")).to.equal(await readFile(HOOK_SOURCE, "utf8"));
    expect(await mode(hook)).to.equal(0o755);
  });

  it("changes nothing the second time", async () => {
    await install();
    const before = await stat(hook);

    expect(await install()).to.deep.equal({ path: hook, chained: false, state: "unchanged" });
    expect((await stat(hook)).ino).to.equal(before.ino);
    expect(await readdir(path.dirname(hook))).to.deep.equal(["pre-commit"]);
  });

  it("replaces an earlier version of its own and does not chain to it", async () => {
    await write(hook, "#!/bin/sh\n# sluice-hook: pre-commit\nexit 0\n");

    expect(await install()).to.deep.equal({ path: hook, chained: false, state: "updated" });
    expect(await readdir(path.dirname(hook))).to.deep.equal(["pre-commit"]);
  });

  it("makes its own hook executable again", async () => {
    await install();
    await chmod(hook, 0o644);

    expect((await install()).state).to.equal("updated");
    expect(await mode(hook)).to.equal(0o755);
  });

  it("moves somebody else's hook aside, and keeps it chained when it is repeated", async () => {
    await write(hook, FOREIGN);

    expect(await install()).to.deep.equal({ path: hook, chained: true, state: "installed" });
    expect(await readFile(earlier, "utf8")).to.equal(FOREIGN);
    expect(await mode(earlier)).to.equal(0o755);
    expect(await install()).to.deep.equal({ path: hook, chained: true, state: "unchanged" });
  });

  it("gives Git a hook that runs somebody else's first", async () => {
    await write(hook, FOREIGN);
    await install();

    const { stderr } = await git("commit", "--quiet", "--allow-empty", "--message=test");
    expect(stderr).to.equal("foreign");
  });

  it("moves a link that leads nowhere aside as well", async () => {
    await mkdir(path.dirname(hook), { recursive: true });
    await symlink("/nowhere/hook", hook);

    expect(await install()).to.deep.equal({ path: hook, chained: false, state: "installed" });
    expect(await readdir(path.dirname(hook))).to.have.members(["pre-commit", "pre-commit.before-sluice"]);
  });

  it("refuses to overwrite a hook that was moved aside before", async () => {
    await write(hook, FOREIGN);
    await write(earlier, "#!/bin/sh\necho older\n");

    await expectRefusal(install(), `cannot be moved to ${earlier}: that file already exists`);
    expect(await readFile(hook, "utf8")).to.equal(FOREIGN);
    expect(await readFile(earlier, "utf8")).to.include("older");
    expect(await readdir(path.dirname(hook))).to.have.length(2);
  });

  it("ends what a run that died half-way began", async () => {
    await write(earlier, FOREIGN);

    expect(await install()).to.deep.equal({ path: hook, chained: true, state: "installed" });
  });

  it("installs into the clone's hooks from a folder within it and from a worktree", async () => {
    const folder = path.join(clone, "some/folder");
    const worktree = path.join(root, "a worktree");
    await mkdir(folder, { recursive: true });
    await git("commit", "--quiet", "--allow-empty", "--message=test");
    await git("worktree", "add", "--quiet", "-b", "elsewhere", worktree);

    expect((await install(folder)).path).to.equal(hook);
    expect(await install(worktree)).to.deep.equal({ path: hook, chained: false, state: "unchanged" });
  });

  for (const where of ["a folder of the clone", "another folder"]) {
    it(`respects core.hooksPath: ${where}`, async () => {
      const hooksPath = where === "another folder" ? path.join(root, "shared") : "own hooks";
      await git("config", "core.hooksPath", hooksPath);
      const folder = path.join(clone, "some/folder");
      await mkdir(folder, { recursive: true });

      const expected = path.join(path.resolve(clone, hooksPath), "pre-commit");
      expect((await install(folder)).path).to.equal(expected);
      expect(await mode(expected)).to.equal(0o755);
    });
  }

  it("refuses where Husky would overwrite it, and says what to do", async () => {
    await git("config", "core.hooksPath", ".husky/_");

    await expectRefusal(install(), "Husky manages the hooks of");
    expect(await readdir(clone)).to.deep.equal([".git"]);
  });

  it("says what to do where there is no clone", async () => {
    await expectRefusal(
      install(root),
      `${root} is not in a Git clone with a working tree: fatal: not a git repo`,
    );
  });

  it("refuses a bare repository, in which nobody commits", async () => {
    const bare = path.join(root, "bare.git");
    await execa("git", ["init", "--quiet", "--bare", bare]);

    await expectRefusal(install(bare), "is not in a Git clone with a working tree");
  });

  function git(...args: string[]) {
    const identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"];
    return execa("git", [...identity, ...args], { cwd: clone });
  }

  function install(directory = clone) {
    return installHooks({ directory, hookSource: HOOK_SOURCE });
  }
});

async function expectRefusal(promise: Promise<unknown>, message: string): Promise<void> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(Error).with.property("message").that.includes(message);
}

async function write(hook: string, text: string): Promise<void> {
  await mkdir(path.dirname(hook), { recursive: true });
  await writeFile(hook, text);
  await chmod(hook, 0o755);
}

async function mode(file: string): Promise<number> {
  return (await stat(file)).mode & 0o777;
}
