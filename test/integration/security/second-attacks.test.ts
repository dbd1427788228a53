import { expect } from "chai";
import { execa } from "execa";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { eventually } from "../../support/eventually.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { FREE_BIND, KNOCK, OUTLIVE } from "./attack-scripts.js";

/** Each way in that was closed is tried a second time, otherwise. What an app's code gets, it prints as `GOT …`. */
describe("an app's code that tries it another way", function () {
  this.timeout(90_000);
  let sluice: TestSluice;
  let evil: TestClone;

  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    sluice = await TestSluice.start({ settings: { instances: { stopSeconds: 2 } } });
    await (await sluice.clone("bank", tinyApp())).mustPush();
    evil = await sluice.clone("evil", tinyApp());
  });
  after(async () => sluice.dispose());

  const scripted = (scripts: Record<string, string>, more: Record<string, string> = {}) => ({
    "package.json": JSON.stringify({ scripts: { test: "sh ./test.sh", build: "sh ./build.sh" } }),
    "test.sh": "true\n",
    "build.sh": "true\n",
    Procfile: "web: node server.js\n",
    ...scripts,
    ...more,
  });
  const pushed = async (files: Record<string, string>, branch = "master"): Promise<string> => {
    await evil.commit(files);
    return (await evil.push(`HEAD:refs/heads/${branch}`)).output;
  };

  it("has root change nothing outside, whatever a build leaves in its tree", async () => {
    const victim = join(sluice.shared, "victim");
    await mkdir(victim, { mode: 0o755 });
    await writeFile(join(victim, "file"), "kept", { mode: 0o644 });
    const build = [
      "npm --version >/dev/null; rm -rf node_modules",
      `ln -s ${victim} node_modules; ln -s ${victim} app.d; ln -s ${victim}/file link; ln ${victim}/file hard && echo GOT a hard link`,
      "mkfifo fifo; mknod whiteout c 0 0; truncate -s 1T sparse; cp /bin/sh shell; chmod 6777 shell; mkdir -m 3777 sticky",
      `touch "$(printf 'a\\nb')" -- -R; perl -MSocket -e 'socket(S,AF_UNIX,SOCK_STREAM,0); bind(S,sockaddr_un("socket")) or die'`,
    ].join("\n");
    expect(await pushed(scripted({ "build.sh": `${build}\n` })))
      .to.include("Live:")
      .and.not.include("GOT");
    const release = String((await sluice.get("evil")).headers["sluice-release"]);
    const shell = await stat(join(sluice.home, "apps/evil/releases", release, "tree/shell"));
    expect(shell.mode & 0o6000).to.equal(0);
    expect((await sluice.cli("destroy", "evil", "--yes")).status).to.equal(0);
    expect(await readdir(victim)).to.deep.equal(["file"]);
    for (const path of [victim, join(victim, "file")]) expect((await stat(path)).uid, path).to.equal(0);
  });

  it("gets no visitors of another app by taking its address", async () => {
    const text = await readFile(join(sluice.home, "services/bank.v1.web.1/instance.json"), "utf8");
    const [host = ""] = (JSON.parse(text) as { address: string }).address.split(":");
    const Procfile = `web: perl take.pl ${host} & exec node server.js\n`;
    await pushed(scripted({}, { "take.pl": FREE_BIND, "server.js": KNOCK, Procfile }));
    await eventually("it listens at the bank's address", async () =>
      (await sluice.cli("logs", "evil")).stdout.includes("TAKEN"),
    );
    expect((await sluice.cli("logs", "evil")).stdout).not.to.include("GOT");
    const bodies: string[] = [];
    await sluice.get("bank", "/crash").catch(() => undefined);
    await eventually("the bank is back", async () => {
      const { status, body } = await sluice.get("bank", "/", { cookie: "session=secret" });
      bodies.push(body);
      return status === 200;
    });
    expect(bodies.filter((body) => body.includes("STOLEN"))).to.deep.equal([]);
  });

  it("reaches this machine neither by its end of the cable, nor by IPv6, nor as 127.0.0.1", async () => {
    const listener = createServer((socket) => socket.end("GOT it\n"));
    await new Promise<void>((resolve) => listener.listen(0, "::", resolve));
    try {
      const address = listener.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      await pushed(scripted({}, { "knock.js": KNOCK, Procfile: "web: node knock.js\n" }));
      const release = String((await sluice.get("evil")).headers["sluice-release"]);
      const note = await readFile(join(sluice.home, "networks", `evil.${release}.web.1`), "utf8");
      const { slot } = JSON.parse(note) as { slot: number };
      const [, ends = []] =
        Object.entries(networkInterfaces()).find(([name]) => new RegExp(`^si.{6}${slot}$`).test(name)) ?? [];
      const hosts = ends.flatMap(({ address: at, family }) =>
        family === "IPv4" ? [at, `::ffff:${at}`] : [`${at}%eth0`],
      );
      expect(hosts).to.have.length.greaterThan(1);
      const flags = (await readFile(join(sluice.home, "flags-port"), "utf8")).trim();
      for (const host of [...hosts, "198.18.0.1", "::ffff:198.18.0.1"]) {
        const ports = [String(port), String(sluice.controlPort), ...(hosts.includes(host) ? [flags] : [])];
        for (const to of ports)
          for (const from of ["", "127.0.0.1"]) {
            const query = new URLSearchParams({ host, port: to, from }).toString();
            expect((await sluice.get("evil", `/?${query}`)).body, query).not.to.equal("GOT");
          }
      }
    } finally {
      listener.close();
    }
  });

  it("gets nothing into production's builds by what a branch leaves for them", async () => {
    const plant =
      "for at in /downloads/npm/_npx/x /downloads/pip /downloads/other; do mkdir -p $at; touch $at/planted; done; true\n";
    await pushed(scripted({ "test.sh": plant }), "attack");
    const look = "find /downloads /app /tmp -name planted | sed 's/^/GOT /'\n";
    expect(await pushed(scripted({ "test.sh": look, "build.sh": look }))).not.to.include("GOT");
  });

  it("gets nothing into production by a lockfile that npm prefers to the one which is known", async () => {
    const [good, bad] = [await packed("good"), await packed("bad")];
    const root = { name: "evil", version: "1.0.0", dependencies: { part: "1.0.0" } };
    const lock = (resolved: string): string =>
      JSON.stringify({
        ...root,
        ...{ lockfileVersion: 3, requires: true },
        packages: { "": root, "node_modules/part": { version: "1.0.0", resolved: `file:${resolved}` } },
      });
    const files = {
      "package.json": JSON.stringify(root),
      "package-lock.json": lock(good),
      "server.js": `require("node:http").createServer((q, r) => r.end(require("part"))).listen(process.env.PORT);`,
      Procfile: "web: node server.js\n",
    };
    await pushed({ ...files, "npm-shrinkwrap.json": lock(bad) }, "attack");
    expect((await sluice.get("attack.evil")).body).to.equal("bad");
    await evil.commit({ "npm-shrinkwrap.json": undefined });
    await evil.mustPush();
    expect((await sluice.get("evil")).body).to.equal("good");
  });

  /** A package `part` that says `what`. */
  async function packed(what: string): Promise<string> {
    const folder = join(sluice.shared, what);
    await mkdir(folder);
    await writeFile(join(folder, "package.json"), JSON.stringify({ name: "part", version: "1.0.0" }));
    await writeFile(join(folder, "index.js"), `module.exports = "${what}";`);
    await execa("npm", ["pack"], { cwd: folder });
    return join(folder, "part-1.0.0.tgz");
  }

  it("leaves no process behind by namespaces of its own, stopped processes, or hooks of git", async () => {
    const before = await eventually("the process runs", async () => {
      const output = await pushed(
        scripted(
          { "test.sh": OUTLIVE },
          { Procfile: "web: sh test.sh; exec node server.js\n", "server.js": tinyApp()["server.js"] ?? "" },
        ),
      );
      return output;
    });
    expect(before).to.include("Live:");
    expect((await sluice.cli("destroy", "evil", "--yes")).status).to.equal(0);
    expect(await sleeping()).to.deep.equal([]);
  });

  it("gives orders to nobody's terminal", async () => {
    const orders = String.raw`printf '\033]0;owned\007\033[1A\033[2Khidden\r-----> Live: http://evil\n'`;
    const again = await sluice.clone(
      "noisy",
      tinyApp(scripted({ "test.sh": `${orders}\n` }, { Procfile: `web: ${orders}; exec node server.js\n` })),
    );
    const { output } = await again.mustPush();
    expect(output).to.include("hidden").and.not.include("\u001b").and.not.include("\u0007");
    expect(output).not.to.match(/^-----> Live: http:\/\/evil/m);
    const said = await eventually("its log", async () => {
      const { stdout } = await sluice.cli("logs", "noisy");
      return stdout.includes("listening") && stdout;
    });
    expect(said).to.include("hidden").and.not.include("\u001b").and.not.include("\u0007");
  });
});

/** Processes of this machine that sleep as long as those of `OUTLIVE`. */
async function sleeping(): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(
    pids.map(async (pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return commands.filter((command) => /^(?:sleep|perl)\0.*4071/.test(command));
}
