import { copyFile, chmod, mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Readable } from "node:stream";
import { expect } from "chai";
import { execa } from "execa";

const HOOK = path.resolve(import.meta.dirname, "../../hooks/pre-commit");

/** Passes if the folder it runs in has a file `value` that says `good`. */
const CHECK_VALUE = `process.exit(require("fs").readFileSync("value", "utf8") === "good" ? 0 : 3);`;
const GATE_ON_VALUE = { "check.js": CHECK_VALUE, "app.json": appJson({ lint: "node check.js" }) };

describe("hooks/pre-commit", function () {
  this.timeout(20_000);

  let root: string;
  let clone: string;
  let temporary: string;

  beforeEach(async () => {
    root = await realpath(await mkdtemp(path.join(tmpdir(), "sluice-test-hook-")));
    clone = path.join(root, "a clone");
    temporary = path.join(root, "tmp");
    await mkdir(clone);
    await mkdir(temporary);
    await git("init", "--quiet", "--initial-branch=master");
    await mkdir(path.join(clone, ".git/hooks"), { recursive: true });
    await copyFile(HOOK, path.join(clone, ".git/hooks/pre-commit"));
  });

  afterEach(async () => {
    const left = await leftFolders();
    await rm(root, { recursive: true, force: true });
    expect(left, "temporary folders left behind").to.deep.equal([]);
  });

  describe("looks at what is staged", () => {
    it("makes the commit when what is staged is good and what lies in the folder is bad", async () => {
      await stage({ ...GATE_ON_VALUE, value: "good" });
      await write({ value: "bad" });

      await expectCommit();
    });

    it("declines when what is staged is bad and what lies in the folder is good", async () => {
      await stage({ ...GATE_ON_VALUE, value: "bad" });
      await write({ value: "good" });

      await expectDeclined();
    });

    it("looks at the first commit of a repository as at any other", async () => {
      await expectCommit("--allow-empty");
      await git("update-ref", "-d", "HEAD");
      await stage({ ...GATE_ON_VALUE, value: "bad" });

      await expectDeclined();
    });

    it("declines when a file that is needed was not staged", async () => {
      await stage(GATE_ON_VALUE);
      await write({ value: "good" });

      await expectDeclined();
    });

    it("does not see a path that is only intended to be added", async () => {
      await stage({ "app.json": appJson({ lint: "test ! -e later" }) });
      await write({ later: "" });
      await git("add", "--intent-to-add", "later");

      await expectCommit();
    });

    it("sees what a sparse checkout leaves out of the folder", async () => {
      await stage({ "app.json": appJson({ lint: "test -e far/away" }), "far/away": "", "near/by": "" });
      await expectCommit();
      await git("sparse-checkout", "set", "near");
      await stage({ "near/by": "changed" });

      await expectCommit();
    });

    it("keeps file names with spaces, quotes and line breaks, and links", async () => {
      await stage({
        "app.json": appJson({ lint: "node check.js" }),
        'a folder/it\'s a "file"': "good",
        "line\nbreak": "good",
        "check.js": `
          const read = (name) => require("fs").readFileSync(name, "utf8");
          const names = ["a folder/it's a \\"file\\"", "line\\nbreak", "link"];
          process.exit(names.every((name) => read(name) === "good") ? 0 : 1);`,
      });
      await symlink("line\nbreak", path.join(clone, "link"));
      await git("add", "link");

      await expectCommit();
    });

    it("sees only the named file's change in `git commit FILE`", async () => {
      await stage({ ...GATE_ON_VALUE, value: "good", other: "" });
      await expectCommit();
      await stage({ value: "bad" });
      await write({ other: "changed" });

      await expectCommit("other");
      await expectDeclined("value");
    });

    it("sees only the chosen hunks in `git commit -p`", async () => {
      const lines = Array.from({ length: 20 }, (_, index) => `line ${index}\n`);
      await stage({ text: lines.join(""), "app.json": appJson({ lint: "! grep -q wrong text" }) });
      await expectCommit();
      await write({ text: ["right\n", ...lines, "wrong\n"].join("") });

      const first = await commit(["-p"], { input: "y\nn\n" });
      expect(first.exitCode, first.all).to.equal(0);
      expect((await git("show", "HEAD:text")).startsWith("right\nline 0")).to.equal(true);
      const second = await commit(["-p"], { input: "y\n" });
      expect(second.exitCode, second.all).to.equal(1);
    });

    it("looks at the result of a merge with conflicts", async () => {
      await stage({ ...GATE_ON_VALUE, value: "good", text: "base" });
      await expectCommit();
      await git("switch", "--quiet", "--create", "side");
      await stage({ text: "side" });
      await expectCommit();
      await git("switch", "--quiet", "master");
      await stage({ text: "master" });
      await expectCommit();
      await git("merge", "side").catch(() => "");

      await stage({ text: "both", value: "bad" });
      await expectDeclined();
      await stage({ value: "good" });
      await expectCommit();
      expect(await git("rev-list", "--parents", "--max-count=1", "HEAD")).to.match(/^\w+ \w+ \w+$/);
    });

    it("works in a worktree", async () => {
      await stage({ ...GATE_ON_VALUE, value: "good" });
      await expectCommit();
      const worktree = await addWorktree();

      await writeFile(path.join(worktree, "value"), "bad");
      const declined = await commit(["--all"], { cwd: worktree });
      expect(declined.exitCode, declined.all).to.equal(1);
      await writeFile(path.join(worktree, "value"), "good");
      const made = await commit(["--all", "--allow-empty"], { cwd: worktree });
      expect(made.exitCode, made.all).to.equal(0);
    });
  });

  describe("chooses the gates", () => {
    it("runs the scripts lint and test of package.json, one after the other", async () => {
      await stage({ "package.json": scripts({ test: "echo two", lint: "echo one" }) });

      const { all } = await expectCommit();
      expect(all).to.match(/^-----> lint\n(?: .*\n|\n)* {7}one\n-----> test\n(?: .*\n|\n)* {7}two\n/);
    });

    it("does not run the second gate when the first fails", async () => {
      await stage({ "package.json": scripts({ lint: "exit 2", test: "echo two" }) });

      const { all } = await expectDeclined();
      expect(all)
        .to.include(" !     lint failed (status 2): the commit was not made\n")
        .and.not.include("-----> test");
    });

    it("says nothing without a package.json", async () => {
      await stage({ readme: "no gates here" });

      expect((await expectCommit()).all).to.equal("");
    });

    it("says nothing when package.json has neither script, or npm's placeholder", async () => {
      await stage({ "package.json": scripts({ test: 'echo "Error: no test specified" && exit 1' }) });

      expect((await expectCommit()).all).to.equal("");
    });

    it("goes by the staged package.json, not by the one in the folder", async () => {
      await stage({ "package.json": scripts({ lint: "exit 1" }) });
      await write({ "package.json": scripts({ lint: "exit 0" }) });

      await expectDeclined();
    });

    it("prefers sluice.gates of app.json, which may hold comments and trailing commas", async () => {
      const app = `// the gates
        { "sluice": { /* "gates": {} */ "gates": {
            "spelling": "echo 'http://example.org/*,}'", // shown as it is
            "types": "echo \\"//\\"",
        }, }, }`;
      await stage({ "package.json": scripts({ lint: "exit 1" }), "app.json": app });

      const { all } = await expectCommit();
      expect(all).to.equal("-----> spelling\n       http://example.org/*,}\n-----> types\n       //\n");
    });

    it("runs no gates when sluice.gates is empty", async () => {
      await stage({ "package.json": scripts({ lint: "exit 1" }), "app.json": appJson({}) });

      expect((await expectCommit()).all).to.equal("");
    });

    for (const [problem, app] of Object.entries({
      "is not JSON": "{ gates",
      "has a list of gates": '{ "sluice": { "gates": ["npm test"] } }',
      "has a gate that is no command": '{ "sluice": { "gates": { "lint": true } } }',
    })) {
      it(`declines with a reason when app.json ${problem}`, async () => {
        await stage({ "app.json": app });

        const { all } = await expectDeclined();
        expect(all).to.match(
          /^ ! {5}.*app\.json, as staged, .*: the commit was not made\n {7}\S.*--no-verify/,
        );
      });
    }
  });

  describe("reports", () => {
    it("says what failed and what to do", async () => {
      await stage({
        "app.json": appJson({ lint: "echo on stdout; echo on stderr >&2; printf unfinished; exit 4" }),
      });

      const { all } = await expectDeclined();
      expect(all.split("\n")).to.deep.equal([
        "-----> lint",
        "       on stdout",
        "       on stderr",
        "       unfinished",
        " !     lint failed (status 4): the commit was not made",
        "       Fix it, stage it (`git add`) and commit again; `git commit --no-verify` skips the gates.",
        "",
      ]);
    });

    it("passes all the same when nobody reads its output any more", async () => {
      await stage({ "app.json": appJson({ lint: "seq 100000", test: "true" }) });

      await execa("sh", ["-c", "git commit --message=test 2>&1 | head -1"], {
        cwd: clone,
        env: environment(),
      });
      await git("rev-parse", "--verify", "HEAD");
    });
  });

  describe("keeps the gates apart from the repository", () => {
    it("hides Git's variables from them, so that their own repositories are their own", async () => {
      await stage({ "check.sh": OWN_REPOSITORY, "app.json": appJson({ test: "sh check.sh" }), value: "1" });
      await expectCommit();
      const worktree = await addWorktree();
      await writeFile(path.join(worktree, "value"), "2");

      const { all, exitCode } = await commit(["--author=Some One <one@example.org>", "value"], {
        cwd: worktree,
      });
      expect(exitCode, all).to.equal(0);
      expect(all)
        .to.include("made by the gate")
        .and.not.match(/GIT_(DIR|INDEX_FILE|WORK_TREE|PREFIX|AUTHOR)/);
      expect(await git("log", "--all", "--format=%s")).to.equal("test\ntest");
      expect(await git("status", "--short")).to.equal("");
    });
  });

  describe("provides the packages", () => {
    it("lets gates use what is installed in the clone", async () => {
      await write({
        "node_modules/dependency/index.js": "module.exports = 'installed';",
        "node_modules/@scope/dependency/index.js": "module.exports = 'scoped';",
        "node_modules/.bin/tool": "#!/bin/sh\necho ran",
      });
      await chmod(path.join(clone, "node_modules/.bin/tool"), 0o755);
      await stage({
        "show.js": "console.log(require('dependency'), require('@scope/dependency'));",
        "package.json": scripts(
          { test: "node show.js && tool" },
          { dependency: "1", "@scope/dependency": "1" },
        ),
      });

      const { all } = await expectCommit();
      expect(all).to.include("       installed scoped\n       ran\n");
    });

    it("takes a workspace's package as it is staged, with the packages installed in it", async () => {
      await write({
        "workspaces/part/node_modules/dependency/index.js": "module.exports = 'installed';",
        ".git/info/exclude": "node_modules",
        "node_modules/other/index.js": "",
      });
      await symlink("../workspaces/part", path.join(clone, "node_modules/part"));
      await stage({
        "workspaces/part/index.js": "module.exports = 'staged, ' + require('dependency');",
        "app.json": appJson({ test: `node -e 'console.log(require("part"))'` }),
      });
      await write({ "workspaces/part/index.js": "module.exports = 'not staged';" });

      expect((await expectCommit()).all).to.include("       staged, installed\n");
    });

    it("uses the clone's packages in a worktree that has none", async () => {
      await write({ "node_modules/dependency/index.js": "module.exports = 'installed';" });
      await stage({
        "package.json": scripts(
          { test: `node -e 'console.log(require("dependency"))'` },
          { dependency: "1" },
        ),
      });
      await expectCommit();

      const { all, exitCode } = await commit(["--allow-empty"], { cwd: await addWorktree() });
      expect(exitCode, all).to.equal(0);
      expect(all)
        .to.include(`using node_modules of ${clone}: this worktree has none\n`)
        .and.include("installed\n");
    });

    it("says so when the dependencies are not installed", async () => {
      await stage({ "package.json": scripts({ lint: "true" }, { eslint: "1" }), "package-lock.json": "{}" });

      const { all } = await expectDeclined();
      expect(all).to.include("are not installed (there is no node_modules): the commit was not made\n");
      expect(all).to.include("Run `npm ci` and commit again").and.not.include("----->");
    });
  });

  describe("with an earlier hook", () => {
    it("runs it first, and checks what it has staged", async () => {
      await stage({ ...GATE_ON_VALUE, value: "bad" });
      await installEarlier(`echo "earlier in $PWD"; printf good >value; git add value`);

      const { all } = await expectCommit();
      expect(all).to.equal(`earlier in ${clone}\n-----> lint\n`);
    });

    it("gives it the same arguments and environment", async () => {
      await stage({ value: "" });
      await installEarlier(`echo "$# $1 $GIT_INDEX_FILE $GIT_AUTHOR_NAME"`);

      const hook = path.join(clone, ".git/hooks/pre-commit");
      const { all } = await execa(hook, ["an argument"], {
        cwd: clone,
        env: { ...environment(), GIT_INDEX_FILE: ".git/index" },
        all: true,
      });
      expect(all).to.equal("1 an argument .git/index Test");
    });

    it("stops when it fails", async () => {
      await stage({ ...GATE_ON_VALUE, value: "good" });
      await installEarlier("exit 5");

      const { all } = await expectDeclined();
      expect(all).to.match(
        /^ ! {5}.*pre-commit\.before-sluice failed \(status 5\): the commit was not made\n$/,
      );
    });

    it("passes over it when it is not executable, as Git does", async () => {
      await stage({ ...GATE_ON_VALUE, value: "good" });
      await installEarlier("exit 5", 0o644);

      await expectCommit();
    });

    it("runs the gates once when the earlier hook leads back to this one", async () => {
      await stage({ ...GATE_ON_VALUE, value: "good" });
      await installEarlier(`exec "$(dirname "$0")/pre-commit" "$@"`);

      expect((await expectCommit()).all).to.equal("-----> lint\n");
    });
  });

  describe("interrupted", () => {
    it("ends the gate, makes no commit and leaves nothing behind on Ctrl-C", async () => {
      await expectInterrupted(["git", "commit", "--message=test"], (pid) => process.kill(-pid, "SIGINT"));
    });

    it("does the same when it alone is told to end", async () => {
      await expectInterrupted([path.join(clone, ".git/hooks/pre-commit")], (pid) =>
        process.kill(pid, "SIGTERM"),
      );
    });

    it("neither waits for nor leaves what a gate has left running with its output closed", async () => {
      await stage({ "app.json": appJson({ test: "sleep 600 >/dev/null 2>&1 & echo left $!" }) });

      const { all } = await expectCommit();
      expect(await isAlive(Number(/left (\d+)/.exec(all)?.[1]))).to.equal(false);
    });

    it("does not wait for what a gate has left running", async () => {
      await stage({ "app.json": appJson({ test: "sleep 600 & echo left $!" }) });

      const { all } = await expectCommit();
      expect(await isAlive(Number(/left (\d+)/.exec(all)?.[1]))).to.equal(false);
    });

    /** Runs the command in a process group of its own, as a terminal does. */
    async function expectInterrupted(
      [file, ...args]: [string, ...string[]],
      interrupt: (pid: number) => void,
    ) {
      await stage({ "app.json": appJson({ test: "node wait.js & wait" }), "wait.js": WAIT_FOR_EVER });
      const running = execa(file, args, {
        cwd: clone,
        env: environment(),
        detached: true,
        reject: false,
        all: true,
      });
      const gate = Number((await seen(running.all, /waiting as (\d+)/))[1]);
      expect(await isAlive(gate)).to.equal(true);
      expect(await leftFolders()).to.have.length(1);

      interrupt(running.pid!);
      const result = await running;

      expect(result.failed).to.equal(true);
      expect(await isAlive(gate), "the gate runs on").to.equal(false);
      expect(await leftFolders()).to.deep.equal([]);
      expect(await git("rev-list", "--all")).to.equal("");
    }
  });

  async function git(...args: string[]): Promise<string> {
    return (await execa("git", args, { cwd: clone, env: environment() })).stdout;
  }

  async function commit(args: string[], options: { cwd?: string; input?: string } = {}) {
    return execa("git", ["commit", "--quiet", "--message=test", ...args], {
      cwd: clone,
      env: environment(),
      reject: false,
      all: true,
      stripFinalNewline: false,
      ...options,
    });
  }

  async function expectCommit(...args: string[]) {
    const result = await commit(args);
    expect(result.exitCode, result.all).to.equal(0);
    return result;
  }

  async function expectDeclined(...args: string[]) {
    const before = await git("rev-list", "--all");
    const result = await commit(args);
    expect(result.exitCode, result.all).to.equal(1);
    expect(result.all).to.include("the commit was not made");
    expect(await git("rev-list", "--all")).to.equal(before);
    return result;
  }

  async function write(files: Record<string, string>) {
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(clone, name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, text);
    }
  }

  async function stage(files: Record<string, string>) {
    await write(files);
    await git("add", "--", ...Object.keys(files));
  }

  async function addWorktree(): Promise<string> {
    const worktree = path.join(root, "a worktree");
    await git("worktree", "add", "--quiet", "-b", "elsewhere", worktree);
    return worktree;
  }

  async function installEarlier(script: string, mode = 0o755) {
    const file = path.join(clone, ".git/hooks/pre-commit.before-sluice");
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, mode);
  }

  async function leftFolders(): Promise<string[]> {
    return (await readdir(temporary)).filter((name) => name.startsWith("sluice-"));
  }

  function environment() {
    return { ...ISOLATED, TMPDIR: temporary };
  }
});

/** Without the configuration and repository of whoever runs the tests. */
const ISOLATED = {
  GIT_DIR: undefined,
  GIT_WORK_TREE: undefined,
  GIT_INDEX_FILE: undefined,
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "Test",
  GIT_AUTHOR_EMAIL: "test@example.org",
  GIT_COMMITTER_NAME: "Test",
  GIT_COMMITTER_EMAIL: "test@example.org",
};

const OWN_REPOSITORY = `
  set -e
  env | grep '^GIT_' || true
  own=$(mktemp -d)
  trap 'rm -rf "$own"' EXIT
  cd "$own"
  git init --quiet
  git config user.name Gate
  git config user.email gate@example.org
  git commit --quiet --allow-empty --message='made by the gate'
  git log --format='%an: %s'`;

/** Also when asked to end it takes its time to finish a file: the temporary folder must outlive it. */
const WAIT_FOR_EVER = `
  process.on("SIGTERM", () => setTimeout(() => { require("fs").writeFileSync("last words", ""); process.exit(); }, 100));
  setInterval(() => {}, 1000);
  console.log("waiting as", process.pid);`;

function appJson(gates: Record<string, string>): string {
  return JSON.stringify({ sluice: { gates } });
}

function scripts(scripts: Record<string, string>, devDependencies: Record<string, string> = {}): string {
  return JSON.stringify({ name: "app", version: "1.0.0", scripts, devDependencies });
}

/** The match in what a running command writes, as soon as it is there. */
async function seen(output: Readable, pattern: RegExp): Promise<RegExpExecArray> {
  let text = "";
  return new Promise((resolve, reject) => {
    output.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const match = pattern.exec(text);
      if (match) resolve(match);
    });
    output.on("end", () => reject(new Error(`${pattern.source} was not seen in: ${text}`)));
  });
}

/** A process that has ended, but whose status nobody has asked for (Z), is not alive. */
async function isAlive(pid: number): Promise<boolean> {
  const { stdout } = await execa("ps", ["-o", "stat=", "-p", String(pid)], { reject: false });
  return stdout !== "" && !stdout.startsWith("Z");
}
