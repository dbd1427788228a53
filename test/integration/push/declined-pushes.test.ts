import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { readdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expectAccepted } from "../../support/accepted.js";
import { eventually } from "../../support/eventually.js";
import { freePort } from "../../support/network/free-port.js";
import { freeRange, type PortRange } from "../../support/network/free-range.js";
import { NO_OBJECT, rawPush } from "../../support/git/raw-push.js";
import { TestClone, type PushResult } from "../../support/git/test-clone.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { tracesOf, type Traces } from "../../support/running/traces.js";

const mochaIt = it;

const APP = "kiosk";
const ID = `${APP}.v1.web.1`;

describe("a push that is declined", function () {
  this.timeout(60_000);
  let ports: PortRange;
  let sluice: TestSluice;
  let clone: TestClone;
  let base: string;
  let branches: string;
  let traces: Traces;

  before(async () => {
    ports = await freeRange(40);
    sluice = await TestSluice.start({ settings: { limits: { pushMegabytes: 5 }, instances: { ports } } });
    clone = await sluice.clone(APP, tinyApp());
    await clone.mustPush();
    base = await clone.git("rev-parse", "HEAD");
    branches = await clone.git("ls-remote", "sluice");
    traces = await tracesOf(sluice, APP, ports);
    expect(traces).to.deep.include({
      instances: [ID],
      trees: ["v1"],
      servers: [ID],
      jobs: [],
      quarantines: [],
    });
    expect([...traces.ports, ...traces.networks], "a port, or a network of its own").to.have.length(1);
  });
  after(async () => sluice.dispose());

  /** A test after which nothing but the first release runs, lies about or is known to anybody, and it answers. */
  const it = (behaviour: string, test: () => Promise<void>): void => {
    mochaIt(behaviour, async () => {
      await clone.git("reset", "--quiet", "--hard", base);
      await test();
      expect(await clone.git("ls-remote", "sluice")).to.equal(branches);
      expect(await sluice.get(APP)).to.include({ status: 200, body: "v1 web.1" });
      // HAProxy lets a server go when it has swept.
      await eventually(
        "v1 is all there is in HAProxy",
        async () => (await tracesOf(sluice, APP, ports)).servers.length === 1,
      );
      expect(await tracesOf(sluice, APP, ports)).to.deep.equal(traces);
      expect(await readdir(join(sluice.home, "apps"))).to.deep.equal([APP]);
    });
  };

  describe("by what its tree says", () => {
    const script = (name: string, file: string): Record<string, string> => ({
      "package.json": JSON.stringify({ scripts: { [name]: `node ${file}` } }),
      [file]: `console.log("line 7 is wrong"); process.exit(3);`,
    });
    const appJson = (value: object): Record<string, string> => ({ "app.json": JSON.stringify(value) });
    const server = (code: string): string => `const http = require("node:http");\n${code}`;
    const answering = (answer: string, check: object): Record<string, string> => ({
      "server.js": server(
        `http.createServer((request, response) => { ${answer} }).listen(process.env.PORT);`,
      ),
      ...appJson({
        healthchecks: { web: [{ path: "/ready", attempts: 1, timeout: 10, wait: 0, ...check }] },
      }),
    });

    const declined = (
      behaviour: string,
      files: Record<string, string | undefined>,
      ...says: RegExp[]
    ): void => {
      it(behaviour, async () => {
        await clone.commit(files);
        const push = await clone.push();
        expectDeclined(push, ...says);
      });
    };

    declined(
      "shows what a failing lint said",
      script("lint", "lint.js"),
      /The gate lint failed \(status 3\)/,
      /What ran before keeps running/,
    );
    declined(
      "shows what a failing test said",
      script("test", "test.js"),
      /The gate test failed \(status 3\)/,
    );
    declined(
      "runs the gates that app.json names",
      appJson({ sluice: { gates: { spelling: "echo teh; exit 4" } } }),
      /The gate spelling failed \(status 4\)/,
    );
    declined(
      "tells a gate that was killed by the signal",
      appJson({ sluice: { gates: { memory: "kill -KILL $$" } } }),
      /The gate memory failed \(killed by SIGKILL\)/,
    );
    declined(
      "tells which build failed",
      script("build", "build.js"),
      /The build failed: npm run build \(status 3\)/,
    );
    declined(
      "stops the slow gate when the build fails",
      { ...script("build", "build.js"), ...appJson({ sluice: { gates: { slow: "sleep 1000" } } }) },
      /The build failed/,
    );
    declined(
      "tells that the lockfile does not fit package.json",
      {
        "package.json": JSON.stringify({
          name: "x",
          version: "1.0.0",
          dependencies: { "left-pad": "1.3.0" },
        }),
        "package-lock.json": JSON.stringify({
          name: "x",
          version: "1.0.0",
          lockfileVersion: 3,
          packages: { "": { name: "x", version: "1.0.0" } },
        }),
      },
      /npm ci .*failed \(status 1\)/,
      /run the same command in a fresh clone/,
    );
    declined(
      "tells that the release command failed",
      { Procfile: "web: node server.js\nrelease: echo migrating; exit 5\n" },
      /Execution of release task failed \(status 5\)/,
    );
    declined(
      "tells how a process ended at its start, and its last words",
      { "server.js": `console.log("no database\\nanywhere"); process.exit(3);` },
      /web\.1 ended \(status 3\) before it was ready/,
      /Its last lines:\n {2}no database\n {2}anywhere\n/,
    );
    declined(
      "tells that a process crashed by a signal",
      { "server.js": `process.kill(process.pid, "SIGSEGV");` },
      /web\.1 ended \(killed by SIGSEGV\) before it was ready/,
    );
    declined(
      "tells that a health check was answered 404",
      answering(`response.writeHead(404).end("no such page");`, {}),
      /web\.1 is not healthy: GET \/ready answered 404/,
      /Its answer: no such page/,
    );
    declined(
      "tells that a health check was answered 500",
      answering(`response.writeHead(500).end("out of order");`, {}),
      /GET \/ready answered 500/,
      /Its answer: out of order/,
    );
    declined(
      "does not wait for ever for a health check",
      answering(`request.on("nothing", () => response);`, { timeout: 3 }),
      /GET \/ready got no answer within 3 s/,
    );
    declined(
      "wants to find what the health check says",
      answering(`response.end("hello");`, { content: "ready" }),
      /GET \/ready answered 200, but without "ready"/,
      /Its answer: hello/,
    );
    declined(
      "names the line of a Procfile that defines a process again",
      { Procfile: "# the app\nweb: node server.js\r\nworker: node server.js\nweb: node other.js\n" },
      /Procfile, line 4: "web" is defined twice: web: node other\.js/,
    );
    declined(
      "names the line of a merge conflict in the Procfile",
      { Procfile: "web: node server.js\n<<<<<<< HEAD\nworker: a\n=======\nworker: b\n>>>>>>> x\n" },
      /Procfile, line 2: .*<<<<<<< HEAD/,
    );
    declined(
      "suggests the key that was meant in app.json",
      appJson({ sluice: { gate: { lint: "true" } } }),
      /app\.json cannot be used: sluice\.gate: unknown key; did you mean sluice\.gates\?/,
    );
    declined(
      "names the line of app.json that is no JSON",
      { "app.json": `{\n  "sluice": {\n    "gates": [}\n` },
      /app\.json cannot be used: line 3/,
    );
    declined(
      "tells that nothing is there to run",
      { Procfile: undefined },
      /Sluice does not know how to start this app/,
      /Add a Procfile/,
    );
    declined(
      "tells that a Dockerfile alone needs another engine",
      { Procfile: undefined, Dockerfile: "FROM scratch\n" },
      /A Dockerfile needs the engine `swarm`/,
      /Add a Procfile/,
    );

    it("names the port that a process listens on instead of its own", async () => {
      const port = await freePort();
      const { "app.json": check } = answering("", { timeout: 5 });
      await clone.commit({
        "server.js": server(`http.createServer().listen(${port}, "127.0.0.1");`),
        "app.json": check,
      });
      expectDeclined(
        await clone.push(),
        new RegExp(`web\\.1 listens on 127\\.0\\.0\\.1:${port} instead of PORT=\\d+\\.`),
        /process\.env\.PORT/,
      );
    });

    for (const [how, path, target] of [
      ["by an absolute path", "passwd", "/etc/passwd"],
      ["by too many ..", "deep/er/passwd", "../../../passwd"],
      ["over another link", "passwd", "deep/er/top/../../etc/passwd"],
    ] as const) {
      it(`refuses a link that leads outside ${how}`, async () => {
        await clone.commit({ "deep/er/note.txt": "x" });
        await symlink("../..", join(clone.folder, "deep/er/top"));
        await symlink(target, join(clone.folder, path));
        await clone.commit({});
        expectDeclined(
          await clone.push(),
          new RegExp(`The symbolic link ${path} points outside the repository \\(${target}\\)`),
        );
      });
    }

    it("stops what a gate left running in a session of its own", async () => {
      await clone.commit(
        appJson({
          sluice: {
            gates: {
              daemon: "setsid sh -c 'echo $$ >left; exec sleep 1000' & until [ -s left ]; do :; done; exit 1",
            },
          },
        }),
      );
      expectDeclined(await clone.push(), /The gate daemon failed/);
    });

    it("does not read for an app what only the server can read", async () => {
      const build = `ln -sf ${sluice.home}/token Procfile`;
      await clone.commit({ "package.json": JSON.stringify({ scripts: { build } }) });
      const push = await clone.push();
      expectDeclined(push, /The symbolic link Procfile points outside the repository/);
      expect(push.output).not.to.include(await sluice.token());
    });

    it("does not let a script speak for the server", async () => {
      const files = appJson({
        scripts: { dokku: { predeploy: `touch ${sluice.shared}/deployed\nexit 0` } },
        sluice: { gates: { late: `until [ -e ${sluice.shared}/deployed ]; do :; done; exit 1` } },
      });
      await clone.commit(files);
      expectDeclined(await clone.push(), /The gate late failed/);
    });

    it("takes back every branch of a push when one of them fails", async () => {
      const good = await clone.git("rev-parse", "HEAD");
      await clone.commit(script("test", "test.js"));
      expectDeclined(
        await clone.push(`${good}:refs/heads/good`, "HEAD:refs/heads/bad"),
        /The gate test failed/,
      );
    });
  });

  describe("by what it pushes", () => {
    it("refuses what is no commit", async () => {
      const blob = await clone.git("rev-parse", "HEAD:server.js");
      const tree = await clone.git("rev-parse", "HEAD^{tree}");
      await clone.git("tag", "--annotate", "--message", "x", "note");
      const tag = await clone.git("rev-parse", "note");
      for (const [type, object] of Object.entries({ blob, tree, tag })) {
        expectDeclined(
          await clone.push(`${object}:refs/heads/x`),
          new RegExp(`refs/heads/x points to a ${type}, not to a commit`),
          /HEAD:master/,
        );
      }
    });

    it("refuses refs that are neither branches nor tags", async () => {
      expectDeclined(
        await clone.push("HEAD:refs/notes/x"),
        /The ref refs\/notes\/x cannot be pushed here/,
        /Push a branch/,
      );
    });

    it("refuses refs that lead out of the repository, and writes nothing there", async () => {
      for (const ref of [
        "refs/heads/../../x",
        "refs/heads/../../../../../../../x",
        "../x",
        "refs/heads/x\nx",
      ]) {
        const answer = await rawPush(sluice, `/git/${APP}.git`, await sluice.token(), {
          commands: [`${NO_OBJECT} ${base} ${ref}`],
        });
        expect(answer, ref).to.match(/ng |cannot be pushed here/);
        expect(answer, ref).not.to.match(/^ok /m);
      }
      expect(await readdir(join(sluice.home, "apps", APP))).not.to.include("x");
      expect(await readdir(join(sluice.home, "apps", APP, "repo.git"))).not.to.include("x");
    });

    it("does not let an option speak for the hook", async () => {
      const bad = await clone.commit({ Procfile: "nonsense\n" });
      await clone.git("push", "--quiet", "sluice", `${bad}:refs/tags/there`);
      const updates = [`${base} ${bad} refs/heads/master`];
      const answer = await rawPush(sluice, `/git/${APP}.git`, await sluice.token(), {
        commands: updates,
        options: ["x\n\nx"],
      });
      expect(answer).to.match(/Procfile, line 1/);
      await clone.git("push", "--quiet", "sluice", ":refs/tags/there");
    });

    it("refuses a pack over the limit and says what the limit is", async () => {
      await writeFile(join(clone.folder, "film"), randomBytes(6_000_000));
      await clone.commit({});
      expectDeclined(
        await clone.push(),
        /The push is larger than the limit of 5 MB/,
        /limits\.pushMegabytes/,
      );
    });

    it("refuses to skip the gates", async () => {
      await clone.commit({ "note.txt": "x" });
      expectDeclined(
        await clone.push("HEAD:master", "-o", "skip-gates"),
        /does not allow a push to skip the gates/,
        /allowSkipGates: true/,
      );
    });
  });

  describe("at the door", () => {
    const pushTo = async (path: string, token: string): Promise<PushResult> => {
      const folder = join(sluice.folder, `clone-${randomBytes(4).toString("hex")}`);
      const other = await TestClone.make(
        folder,
        `http://git:${token}@127.0.0.1:${sluice.controlPort}/git/${path}`,
        tinyApp(),
      );
      return other.push();
    };

    for (const path of ["Bad_Name.git", "..%2Fx;rm.git", "-x.git", `${"a".repeat(41)}.git`]) {
      it(`refuses the app name of ${path}`, async () => {
        expectDeclined(
          await pushTo(path, await sluice.token()),
          /cannot be an app's name/,
          /Use 1 to 40 characters/,
        );
      });
    }

    it("knows no repository elsewhere", async () => {
      const push = await pushTo("../x;rm.git", await sluice.token());
      expect(push.status).not.to.equal(0);
      const answer = await rawPush(sluice, `/git/../x;rm.git`, await sluice.token(), {
        commands: [`${NO_OBJECT} ${base} refs/heads/x`],
      });
      expect(answer).to.match(/Nothing is served|cannot be an app's name/);
    });

    it("refuses a wrong token, and says where a good one comes from", async () => {
      const push = await pushTo(`${APP}.git`, "0".repeat(64));
      expectDeclined(push, /The password must be a Sluice token/, /sluice tokens create NAME/);
      expect(push.output).to.match(/Authentication failed/);
    });
  });
});

describe("what a declined push said", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  before(async () => {
    const ports = await freeRange(10);
    sluice = await TestSluice.start({
      settings: { instances: { ports }, limits: { logMegabytes: 1, keepReleases: 1 } },
    });
  });
  after(async () => sluice.dispose());

  it("can be read until the next release is live, and is gone then with its log", async () => {
    const clone = await sluice.clone("diary", tinyApp({ "app.json": `{"sluice": {"standbySeconds": 0}}` }));
    await clone.mustPush();
    await clone.commit({ "server.js": `console.log("no database"); process.exit(3);` });
    expectDeclined(await clone.push(), /web\.1 ended/);
    const { stdout } = await sluice.cli("logs", "diary", "--release", "v2");
    expect(stdout)
      .to.match(/v2 release \| {2}! {5}web\.1 ended \(status 3\)/)
      .and.to.match(/v2 web\.1 \| no database/);
    await clone.commit(tinyApp());
    await clone.mustPush();
    await eventually(
      "only v3 is kept",
      async () => {
        expect(await readdir(join(sluice.home, "apps/diary/releases"))).to.deep.equal(["v3"]);
        expect(await readdir(join(sluice.home, "logs"))).to.have.members([
          "haproxy",
          "redis",
          "apps-redis",
          "diary.v3.web.1",
        ]);
        return true;
      },
      30_000,
    );
  });

  it("does not fill the disk, however much it is", async () => {
    const gate = `process.stdout.write("a line of a gate that never comes to an end\\n".repeat(25_000))`;
    const clone = await sluice.clone(
      "talker",
      tinyApp({ "gate.js": gate, "app.json": `{"sluice": {"gates": {"talk": "node gate.js; exit 1"}}}` }),
    );
    expectDeclined(await clone.push(), /The gate talk failed/);
    const { size } = await stat(join(sluice.home, "apps/talker/releases/v1/output.log"));
    expect(size).to.be.within(1024 * 1024, 1024 * 1024 + 1000);
  });
});

describe("git push -o skip-gates, where sluice.yml allows it", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  before(async () => {
    sluice = await TestSluice.start({
      settings: { allowSkipGates: true, instances: { ports: await freeRange(10) } },
    });
  });
  after(async () => sluice.dispose());

  it("goes live without the gates, and says so", async () => {
    const clone = await sluice.clone(
      "hurry",
      tinyApp({ "app.json": `{"sluice": {"gates": {"never": "exit 1"}}}` }),
    );
    expectDeclined(await clone.push(), /The gate never failed/);
    const push = await clone.push("HEAD:master", "-o", "skip-gates");
    expect(push.output).to.match(/^-----> Gates skipped/m);
    expectAccepted(push);
    expect((await sluice.get("hurry")).body).to.equal("v2 web.1");
  });
});

/** Declined, with one message and its hint, in the words given. */
function expectDeclined({ status, output }: PushResult, ...says: RegExp[]): void {
  expect(status, output).not.to.equal(0);
  const message = output
    .split("\n")
    // Git takes the blanks off the start of what an HTTP answer says.
    .flatMap((line) => /^ ?! {5}(.*)/.exec(line)?.[1] ?? []);
  for (const words of says) expect(message.join("\n"), output).to.match(words);
  expect(message.length, output).to.be.at.least(2);
  expect(new Set(message).size, `told twice:\n${output}`).to.equal(message.length);
}
