import { expect } from "chai";
import { execa } from "execa";
import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../../support/eventually.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { TestSluice } from "../../support/running/test-sluice.js";

const PASSWORD = "hunter2-of-production";
/** In a session of its own, and with nothing in its environment by which it could be known. */
const HIDDEN = "env -i PATH=/usr/bin:/bin setsid -f";

/** What an app's code can do from its gates, installations, builds and instances. It prints `GOT …` for what it got. */
describe("an app's code", function () {
  this.timeout(90_000);
  let sluice: TestSluice;
  let evil: TestClone;
  let bank: TestClone;

  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    sluice = await TestSluice.start();
    bank = await sluice.clone("bank", tinyApp());
    await bank.mustPush();
    const { status, stderr } = await sluice.cli("config", "bank", `DB_PASSWORD=${PASSWORD}`);
    expect(status, stderr).to.equal(0);
    await bank.commit({ note: "with its password" });
    await bank.mustPush();
    evil = await sluice.clone("evil", tinyApp());
  });
  after(async () => sluice.dispose());

  /** Pushes an app whose gate is a shell script. Returns what the pusher saw. */
  async function gate(script: string, clone = evil, branch = "master"): Promise<string> {
    await clone.commit(gateFiles(script));
    return (await clone.push(`HEAD:refs/heads/${branch}`)).output;
  }

  const gateFiles = (script: string): Record<string, string> => ({
    "package.json": JSON.stringify({ scripts: { test: "sh ./gate.sh" } }),
    "gate.sh": `${script}\necho done\n`,
  });

  const LOOK = (home: string): string =>
    [
      `for file in key token sluice.yml server.log redis/password redis/redis.conf control.sock; do [ -e ${home}/$file ] && echo "GOT $file"; done`,
      `ls ${home}/apps 2>/dev/null && echo "GOT the apps"`,
      `for file in /proc/[0-9]*/environ; do tr '\\0' '\\n' <$file 2>/dev/null | grep -q ${PASSWORD} && echo "GOT the password by $file"; done`,
      'grep -lz sluice /proc/[0-9]*/cmdline 2>/dev/null | while read -r file; do echo "sees $file"; done',
      "ls /root /home 2>/dev/null && echo 'GOT homes'",
      `find /sys /run /var /tmp -name '*bank*' 2>/dev/null | sed 's/^/GOT the name of another app: /'`,
    ].join("\n");

  it("sees no secret of Sluice's, of another app or of the machine, from a gate", async () => {
    const said = await gate(LOOK(sluice.home));
    expect(said).to.include("done").and.not.include("GOT");
  });

  it("sees none from an instance either", async () => {
    await evil.commit({
      ...gateFiles("true"),
      "look.sh": LOOK(sluice.home),
      Procfile: "web: sh look.sh; exec node server.js\n",
    });
    await evil.mustPush();
    const said = await eventually("its log", async () => {
      const release = String((await sluice.get("evil")).headers["sluice-release"]);
      const { stdout } = await sluice.cli("logs", "evil", "--release", release);
      return stdout.includes("listening") && stdout;
    });
    expect(said).not.to.include("GOT");
  });

  it("gets no program that runs as root, by an installation whose files change their owner", async () => {
    const trap = join(sluice.shared, "trap");
    await mkdir(trap);
    const caught = join(sluice.shared, "caught");
    // It waits where root copies what was installed, for the moment in which the copy is root's and already setuid.
    const wait = `my $until = time + 20; while (time < $until) { for my $file (glob "${sluice.home}/apps/evil/releases/*/tree/node_modules/trap/shell") { my @is = stat $file; if (@is && $is[4] == 0 && $is[2] & 04000) { system $file, "-p", "-c", "id -u >>${caught}"; } } }`;
    await writeFile(join(trap, "wait.pl"), wait);
    await writeFile(
      join(trap, "install.sh"),
      `cp /bin/sh shell && chmod 6755 shell && ${HIDDEN} perl $PWD/wait.pl >/dev/null 2>&1 &\nwait\n`,
    );
    const named = { name: "trap", version: "1.0.0" };
    await writeFile(
      join(trap, "package.json"),
      JSON.stringify({ ...named, scripts: { install: "sh install.sh" } }),
    );
    await execa("npm", ["pack"], { cwd: trap });
    await writeFile(caught, "", { mode: 0o666 });
    await chmod(caught, 0o666);
    const root = { name: "evil", version: "1.0.0", dependencies: { trap: "1.0.0" } };
    const resolved = `file:${join(trap, "trap-1.0.0.tgz")}`;
    const packages = {
      "": root,
      "node_modules/trap": { version: "1.0.0", resolved, hasInstallScript: true },
    };
    await evil.commit({
      "package.json": JSON.stringify(root),
      "package-lock.json": JSON.stringify({ ...root, lockfileVersion: 3, requires: true, packages }),
      "server.js": tinyApp()["server.js"],
      Procfile: "web: node server.js\n",
    });
    expect((await evil.push()).output).to.match(/installed by npm ci/);
    await evil.commit({ note: "from the cache" });
    await evil.push();
    expect(await readFile(caught, "utf8")).not.to.match(/^0$/m);
    const { stdout } = await execa("find", [
      sluice.home,
      "-xdev",
      "-type",
      "f",
      "-perm",
      "/6000",
      "-uid",
      "0",
    ]);
    expect(stdout).to.equal("");
    expect(await processesNaming("wait.pl")).to.deep.equal([]);
  });

  it("makes root delete nothing but what is in its own folder", async () => {
    const victim = join(sluice.folder, "victim");
    const names = Array.from({ length: 3000 }, (_, index) => String(index));
    await mkdir(victim, { mode: 0o700 });
    await Promise.all(names.map(async (name) => writeFile(join(victim, name), "")));
    // What root deletes by its path is now here, now there.
    const swap = `for (1 .. 3000000) { rename "deep/x", "deep/y"; symlink "${victim}", "deep/x"; unlink "deep/x"; rename "deep/y", "deep/x"; }`;
    const race = [
      "mkdir -p deep/x && (cd deep/x && seq 0 2999 | xargs touch)",
      `cat >swap.pl <<'END'\n${swap}\nEND`,
      `${HIDDEN} perl $PWD/swap.pl >/dev/null 2>&1 &`,
      "sleep 0.3; exit 1",
    ].join("\n");
    await gate(race);
    expect((await readdir(victim)).length).to.equal(names.length);
    await rm(victim, { recursive: true });
    expect(await processesNaming("swap.pl")).to.deep.equal([]);
  });

  it("leaves no process behind a declined push, whatever session and environment it has", async () => {
    const said = await gate(`${HIDDEN} sleep 304 >/dev/null 2>&1 & sleep 0.3; exit 1`);
    expect(said).to.include("declined");
    expect(await processesNaming("sleep\u0000304")).to.deep.equal([]);
  });

  it("reaches production neither from a gate nor from a preview of its own app", async () => {
    const tree = join(sluice.home, "apps/bank/releases");
    const tries = [
      LOOK(sluice.home),
      `echo broken >${tree}/v2/tree/server.js 2>/dev/null && echo "GOT the tree"`,
      "echo 'registry=http://127.0.0.1:1/' >$HOME/.npmrc",
      "kill -9 -1 2>/dev/null",
    ].join("\n");
    const said = await gate(tries, bank, "attack");
    expect(said).not.to.include("GOT");
    expect((await sluice.get("bank")).body).to.equal("v2 web.1");
    await bank.commit({
      ...gateFiles("cat $HOME/.npmrc /app/../*/.npmrc 2>/dev/null | grep registry && echo GOT settings"),
      "attack.js": "",
    });
    expect((await bank.push("HEAD:refs/heads/attack")).output).not.to.include("GOT");
    const own = await readFile(join(tree, "v2/tree/server.js"), "utf8");
    expect(own).to.equal(tinyApp()["server.js"]);
  });

  it("changes nothing of its release: what an instance writes is its own, and lost with it", async () => {
    const files = {
      "package.json": JSON.stringify({}),
      "server.js": `const fs = require("node:fs"); const seen = fs.readdirSync("."); fs.writeFileSync("note-" + process.pid, ""); fs.appendFileSync("server.js", "\\n// changed"); fs.mkdirSync("data"); fs.writeFileSync("data/x", "");
require("node:http").createServer((q, r) => r.end(seen.join())).listen(process.env.PORT);`,
      Procfile: "web: node server.js\n",
    };
    await evil.commit(files);
    await evil.mustPush();
    const { body: first, headers } = await sluice.get("evil");
    const release = String(headers["sluice-release"]);
    const instance = `evil.${release}.web.1`;
    const tree = join(sluice.home, "apps/evil/releases", release, "tree");
    expect(await readdir(tree)).not.to.include("data");
    expect(await readFile(join(tree, "server.js"), "utf8")).to.equal(files["server.js"]);
    await execa("sv", ["-w", "20", "kill", join(sluice.home, "services", instance)], { reject: false });
    await eventually("it is back, as it was", async () => (await sluice.get("evil")).body === first);
  });
});

/** Command lines of processes of this machine that hold a text. */
async function processesNaming(text: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(
    pids.map(async (pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return commands.filter((command) => command.includes(text) && !command.startsWith("mocha"));
}
