import { expect } from "chai";
import { execa } from "execa";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { isSupervised } from "../../../core/exec/runsv.js";
import { expectAccepted } from "../../support/accepted.js";
import { eventually } from "../../support/eventually.js";
import { freeRange, type PortRange } from "../../support/network/free-range.js";
import { startLoad } from "../../support/running/load.js";
import { saying } from "../../support/running/saying.js";
import { mountSmall, unmount } from "../../support/running/small-disk.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { isAlive, TestSluice, type CommandResult } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { tracesOf, type Traces } from "../../support/running/traces.js";

const BIN = new URL("../../../bin/sluice", import.meta.url).pathname;

interface Summary {
  release: string;
  phase: string;
}

describe("a disk that fills up during a push", function () {
  this.timeout(60_000);
  const app = "hoarder";
  let ports: PortRange;
  let disk: string | undefined;
  let sluice: TestSluice;
  let clone: TestClone;
  let traces: Traces;

  before(async function () {
    disk = await mountSmall("size=30m,mode=711");
    if (disk === undefined) return this.skip();
    ports = await freeRange(40);
    sluice = await TestSluice.start({ homeFolder: disk, settings: { instances: { ports } } });
    clone = await sluice.clone(app, tinyApp({ "app.json": `{"sluice": {"standbySeconds": 0}}` }));
    await clone.mustPush();
    traces = await tracesOf(sluice, app, ports);
  });
  after(async () => {
    if (disk === undefined) return;
    await sluice.dispose();
    await unmount(disk);
  });

  async function withBallast(size: string, test: () => Promise<void>): Promise<void> {
    const file = join(sluice.home, "ballast");
    await execa("fallocate", ["--length", size, file]);
    await test().finally(async () => rm(file));
  }

  /** Writes a megabyte every so often, until there is no room. */
  const filling = (file: string, pauseMs: number): Record<string, string> => ({
    "package.json": JSON.stringify({ scripts: { build: "node fill.js" } }),
    "fill.js": `
      const fs = require("node:fs");
      const file = fs.openSync(${file}, "w");
      const megabyte = Buffer.alloc(1 << 20, 1);
      (function fill() {
        fs.writeSync(file, megabyte);
        ${pauseMs === 0 ? "setImmediate(fill)" : `setTimeout(fill, ${pauseMs})`};
      })();`,
  });

  for (const [how, file, pauseMs] of [
    ["slowly, by the build's output", `"film"`, 10],
    ["at once, by the build's output", `"film"`, 0],
    ["by what the build keeps for the next one", "`/downloads/cache`", 10],
  ] as const) {
    it(`${how}: declines the push, gives the room back and goes on serving`, async () => {
      const load = startLoad(sluice.httpPort, app);
      const base = await clone.git("rev-parse", "HEAD");
      await clone.commit(filling(file, pauseMs));
      const push = await clone.push();
      await clone.git("reset", "--quiet", "--hard", base);
      expect(push.status).not.to.equal(0);
      expect(push.output).to.match(
        /^ ! {5}The disk of .* is full: \d MB free, 3 MB must stay free\.\n ! {5}Nothing was changed\. Free some space/m,
      );
      await eventually("nothing is left", async () => {
        expect(await tracesOf(sluice, app, ports)).to.deep.equal(traces);
        expect((await sluice.read<Summary[]>(`apps/${app}/releases`))[0]?.phase).to.equal("failed");
        return true;
      });
      expect((await load.stop()).failures).to.deep.equal([]);
    });
  }

  it("by the push itself: declines it, and gives the room back", async () => {
    const base = await clone.git("rev-parse", "HEAD");
    // Most of it is taken beforehand: a busy machine may take a minute to pack and send as much as would fill it.
    await withBallast("18M", async () => {
      await writeFile(join(clone.folder, "film"), randomBytes(12_000_000));
      await clone.commit({});
      const push = await clone.push();
      await clone.git("reset", "--quiet", "--hard", base);
      expect(push.status).not.to.equal(0);
      expect(push.output).to.match(/No space left on device/);
      await eventually("nothing is left", async () => {
        expect(await tracesOf(sluice, app, ports)).to.deep.equal(traces);
        return true;
      });
    });
  });

  it("before it: refuses it at once, and takes the next one when there is room again", async () => {
    await clone.commit({ "note.txt": "2" });
    await withBallast("25M", async () => {
      const refused = await clone.push();
      expect(refused.status).not.to.equal(0);
      expect(refused.output).to.match(/^ ?! {5}The disk of .* is full: \d MB free/m);
      expect((await sluice.get(app)).body).to.equal("v1 web.1");
    });
    const push = await clone.push();
    expectAccepted(push);
    expect((await sluice.get(app)).body)
      .to.match(/^v\d web\.1$/)
      .and.not.to.equal("v1 web.1");
  });
});

describe("Redis away", function () {
  this.timeout(60_000);
  const app = "amnesia";
  let ports: PortRange;
  let sluice: TestSluice;
  let clone: TestClone;

  before(async () => {
    ports = await freeRange(40);
    sluice = await TestSluice.start({ settings: { instances: { ports } } });
    clone = await sluice.clone(app, tinyApp({ "app.json": `{"sluice": {"standbySeconds": 0}}` }));
    await clone.mustPush();
  });
  after(async () => sluice.dispose());

  const steer = async (character: "d" | "u"): Promise<void> =>
    writeFile(join(sluice.home, "services/redis/supervise/control"), character);
  const redis = async (): Promise<"up" | "down"> =>
    (JSON.parse((await sluice.control("/healthz")).body) as { redis: "up" | "down" }).redis;
  const away = async (): Promise<void> => {
    await steer("d");
    await eventually("Redis is away", async () => (await redis()) === "down");
  };
  const back = async (): Promise<void> => {
    await steer("u");
    await eventually("Redis is back", async () => (await redis()) === "up");
  };
  const live = async (): Promise<string> => (await sluice.get(app)).body;

  it("before a push: refuses it, whoever pushes, and takes it when Redis is back", async () => {
    const [token = ""] = (await sluice.cli("tokens", "create", "somebody")).stdout.split("\n");
    await clone.commit({ "note.txt": "before" });
    const before = await live();
    const ssh = [
      "ssh",
      "-F",
      "/dev/null",
      "-i",
      join(sluice.folder, "key"),
      "-o",
      "StrictHostKeyChecking=no",
      "-o",
      `UserKnownHostsFile=${sluice.folder}/known_hosts`,
    ];
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(sluice.folder, "key")]);
    await sluice.cli("keys", "add", join(sluice.folder, "key.pub"));
    await clone.git("config", "core.sshCommand", ssh.join(" "));
    await away();
    const load = startLoad(sluice.httpPort, app);
    const overHttp = (password: string): string =>
      `http://git:${password}@127.0.0.1:${sluice.controlPort}/git/${app}.git`;
    for (const remote of [
      overHttp(await sluice.token()),
      overHttp(token),
      `ssh://git@127.0.0.1:${sluice.sshPort}/${app}`,
    ]) {
      await clone.git("remote", "set-url", "sluice", remote);
      const push = await clone.push();
      expect(push.status).not.to.equal(0);
      expect(push.output).to.match(
        /^ ?! {5}Redis, which keeps Sluice's records, does not answer \(.*\)\.\n ! {5}Traffic is not affected\. Try again in a moment/m,
      );
    }
    expect(await live()).to.equal(before);
    await back();
    await clone.mustPush();
    expect(await live()).not.to.equal(before);
    expect((await load.stop()).failures).to.deep.equal([]);
    await clone.git("remote", "set-url", "sluice", overHttp(await sluice.token()));
  });

  it("while a release starts: takes it back, also what had been started, once Redis is back", async () => {
    const before = await live();
    const base = await clone.git("rev-parse", "HEAD");
    await eventually(
      "one instance runs",
      async () => (await tracesOf(sluice, app, ports)).instances.length === 1,
    );
    const traces = await tracesOf(sluice, app, ports);
    // The release's instance runs, and is not asked before the test lets it listen.
    const file = join(sluice.shared, "listen");
    const server = `const wait = setInterval(() => { if (require("fs").existsSync(${JSON.stringify(file)})) { clearInterval(wait); start(); } }, 20);`;
    const { "server.js": serve = "" } = tinyApp();
    await clone.commit({ "server.js": `${server}\nfunction start() { ${serve} }` });
    const load = startLoad(sluice.httpPort, app);
    const push = clone.startPush();
    await saying(push, /^-----> Health: web\.1$/m);
    await away();
    await writeFile(file, "");
    const { status, output } = await push.done;
    expect(status).not.to.equal(0);
    expect(output).to.match(/^ ! {5}Redis, which keeps Sluice's records, does not answer/m);
    expect(await live()).to.equal(before);
    await back();
    await eventually("nothing of it is left", async () => {
      expect(await tracesOf(sluice, app, ports)).to.deep.equal(traces);
      expect((await sluice.read<Summary[]>(`apps/${app}/releases`))[0]?.phase).to.equal("failed");
      return true;
    });
    await clone.git("reset", "--quiet", "--hard", base);
    await clone.commit({ "note.txt": "after" });
    await clone.mustPush();
    expect(await live()).not.to.equal(before);
    expect((await load.stop()).failures).to.deep.equal([]);
  });

  it("for a moment, killed (-9) in a gate: the push goes on when it is back", async () => {
    const file = join(sluice.shared, "go");
    await clone.commit({
      "app.json": `{"sluice": {"standbySeconds": 0, "gates": {"shut": "echo it is shut; until [ -e ${file} ]; do sleep 0.02; done"}}}`,
    });
    const load = startLoad(sluice.httpPort, app);
    const push = clone.startPush();
    await saying(push, /it is shut$/m);
    const { redis: killed } = await sluice.read<{ redis: { pid: number } }>("status");
    process.kill(killed.pid, "SIGKILL");
    await eventually("Redis is gone", async () => !(await isAlive(killed.pid)));
    await eventually("Redis is back", async () => (await redis()) === "up");
    await writeFile(file, "");
    const { status, output } = await push.done;
    expect(status, output).to.equal(0);
    const [, release = ""] = /\((v\d+), [\d.]+ s\)/.exec(output) ?? [];
    expect(await live()).to.equal(`${release} web.1`);
    expect((await load.stop()).failures).to.deep.equal([]);
  });
});

describe("sluice up says what is in its way", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  beforeEach(async () => (sluice = await TestSluice.prepare()));
  afterEach(async () => sluice.dispose());

  async function up(env: Record<string, string> = {}, ...args: string[]): Promise<CommandResult> {
    const { exitCode, stdout, stderr } = await execa(process.execPath, [BIN, "up", ...args], {
      env: { ...sluice.env, ...env },
      extendEnv: false,
      reject: false,
      timeout: 30_000,
    });
    return { status: exitCode ?? -1, stdout, stderr };
  }

  /** In the foreground and in the background alike. */
  async function refuses(env: Record<string, string>, ...says: RegExp[]): Promise<void> {
    for (const args of [[], ["--detach"]]) {
      const { status, stderr } = await up(env, ...args);
      expect(status, stderr).to.equal(1);
      for (const words of says) expect(stderr).to.match(words);
      expect(stderr, "no stack").not.to.match(/^\s+at /m);
    }
  }

  const services = async (): Promise<string[]> => readdir(join(sluice.home, "services")).catch(() => []);

  for (const [what, setting, port] of [
    ["traffic", "SLUICE_HTTP_PORT", (of: TestSluice) => of.httpPort],
    ["control", "SLUICE_CONTROL_PORT", (of: TestSluice) => of.controlPort],
    ["Git over SSH", "SLUICE_SSH_PORT", (of: TestSluice) => of.sshPort],
  ] as const) {
    it(`a taken port (${what}), with the command that shows who has it`, async () => {
      const taken = port(sluice);
      const server = await listenOn(taken);
      try {
        const [other] = [`${setting}=${taken + 1000} sluice up`];
        await refuses(
          {},
          new RegExp(`Port ${taken} \\(${what}, ${setting}\\) is in use by another program\\.`),
          new RegExp(`ss -ltnp 'sport = :${taken}'`),
          new RegExp(other),
        );
        expect(await services(), "nothing was started").to.deep.equal([]);
      } finally {
        await new Promise((resolve) => server.close(resolve));
      }
    });
  }

  it("another Sluice with the same state folder, which does not notice", async () => {
    await sluice.up();
    const pid = await sluice.pid();
    await refuses(
      {},
      new RegExp(`Sluice is already running with the state folder ${sluice.home} \\(process ${pid}\\)`),
      /sluice down/,
    );
    expect(await sluice.pid()).to.equal(pid);
    expect((await sluice.control("/healthz")).status).to.equal(200);
    expect((await sluice.cli("status")).status).to.equal(0);
  });

  it("a state folder that is not writable", async function () {
    const disk = await mountSmall("ro");
    if (disk === undefined) return this.skip();
    try {
      await refuses(
        { SLUICE_HOME: join(disk, "home") },
        new RegExp(`The state folder ${disk}/home is not writable \\(.*\\)`),
        /sudo chown|SLUICE_HOME=/,
      );
      await refuses({ SLUICE_HOME: disk }, new RegExp(`The state folder ${disk} is not writable`));
    } finally {
      await unmount(disk);
    }
  });

  it("an SSH host key that is none, and leaves neither Redis nor HAProxy running", async () => {
    const file = join(sluice.home, "ssh_host_key");
    await mkdir(sluice.home, { recursive: true });
    await writeFile(file, "nonsense");
    await refuses({}, new RegExp(`The SSH host key ${file} cannot be read`), new RegExp(`rm ${file}`));
    for (const service of await services())
      expect(await isSupervised(join(sluice.home, "services", service)), service).to.equal(false);
    await rm(file);
    await sluice.up();
  });

  it("a state folder below a file", async () => {
    await writeFile(join(sluice.folder, "file"), "");
    await refuses(
      { SLUICE_HOME: join(sluice.folder, "file/home") },
      /\/file\/home.* cannot be (?:used|written)/,
    );
  });

  it("a state folder that apps' users cannot reach", async function () {
    if (process.getuid?.() !== 0) return this.skip();
    const closed = join(sluice.folder, "closed");
    await mkdir(closed, { mode: 0o700 });
    await refuses(
      { SLUICE_HOME: join(closed, "home") },
      new RegExp(`cannot enter ${closed} to reach ${closed}/home`),
      new RegExp(`chmod o\\+x ${closed}`),
    );
  });

  it("a state folder whose path is too long for sockets", async () => {
    const long = join(sluice.folder, "a".repeat(80));
    await refuses(
      { SLUICE_HOME: long },
      /path of the state folder is longer than 70 characters/,
      /Choose a shorter one/,
    );
  });

  it("a missing program, with the command that installs it", async () => {
    const folder = join(sluice.folder, "bin");
    await mkdir(folder);
    const there = [
      "redis-server",
      "runsv",
      "chpst",
      "npm",
      "tar",
      "bash",
      "sh",
      "node",
      "env",
      "bwrap",
      "nft",
      "ip",
      "prlimit",
    ];
    for (const name of there) {
      const { stdout } = await execa("sh", ["-c", `command -v ${name}`]);
      await symlink(stdout, join(folder, name));
    }
    await refuses(
      { PATH: folder },
      /Not installed on this machine: git, svlogd\./,
      /sudo apt-get install -y git runit/,
    );
    expect(await services()).to.deep.equal([]);
  });

  it("all that is wrong with sluice.yml, at once", async () => {
    const file = join(sluice.home, "sluice.yml");
    await writeFile(
      file,
      "htpPort: 80\nallowSkipGates: perhaps\nlimits:\n  gateSeconds: 10\n  keepReleases: 0\ngates: never\n",
    );
    await refuses(
      { SLUICE_SSH_PORT: "2222x" },
      new RegExp(`${file} cannot be used:`),
      /SLUICE_SSH_PORT: "2222x" is not a whole number/,
      /htpPort: unknown key; did you mean httpPort\?/,
      /allowSkipGates: .*\(it is "perhaps"\)/,
      /limits\.gateSeconds: unknown key; did you mean limits\.gatesSeconds\?/,
      /limits\.keepReleases: .*\(it is 0\)/,
      /gates: .*\(it is "never"\)/,
      /docs\/sluice-yml\.md/,
    );
    for (const [text, says] of [
      ["limits: [1, 2\ngates: x: y\n", /cannot be used:\n.*at line \d/],
      ["just a text", /the file must contain `key: value` lines/],
    ] as const) {
      await writeFile(file, text);
      const { status, stderr } = await up();
      expect(stderr).to.match(says);
      expect(status).to.equal(1);
    }
    expect(await readdir(sluice.home).then((names) => names.includes("token"))).to.equal(false);
  });
});

async function listenOn(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return server;
}
