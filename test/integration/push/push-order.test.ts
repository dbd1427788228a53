import { expect } from "chai";
import { Redis } from "ioredis";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expectAccepted } from "../../support/accepted.js";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import { freeRange, type PortRange } from "../../support/network/free-range.js";
import { saying } from "../../support/running/saying.js";
import { fromHere } from "../../support/network/from-here.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { tracesOf } from "../../support/running/traces.js";

interface Summary {
  release: string;
  commit: string;
  track: string;
  phase: string;
  traffic: string;
}

const SHUT = /^ {7}the gate is shut$/m;
const WAITS = /^-----> Waiting for /m;

describe("pushes that come together", function () {
  this.timeout(60_000);
  let ports: PortRange;
  let sluice: TestSluice;
  before(async () => {
    ports = await freeRange(60);
    sluice = await TestSluice.start({ settings: { instances: { ports } } });
  });
  after(async () => sluice.dispose());

  /** A tree whose gate waits until it is let go, and then ends with `status`. */
  function gated(status = 0): { readonly files: Record<string, string>; go(): Promise<void> } {
    const file = join(sluice.shared, `go-${Math.random().toString(36).slice(2)}`);
    const gate = `
      console.log("the gate is shut");
      setInterval(() => { if (require("fs").existsSync(${JSON.stringify(file)})) process.exit(${status}); }, 20);`;
    const files = {
      "gate.js": gate,
      "app.json": `{"sluice": {"standbySeconds": 0, "gates": {"shut": "node gate.js"}}}`,
    };
    return { files, go: async () => writeFile(file, "") };
  }

  const releases = async (app: string): Promise<Summary[]> => sluice.read<Summary[]>(`apps/${app}/releases`);

  it("are told when the app is removed while they wait", async () => {
    const gate = gated();
    const clone = await sluice.clone("removed", tinyApp(gate.files));
    const first = clone.startPush();
    await saying(first, SHUT);
    const question = {
      method: "DELETE",
      path: "/api/apps/removed",
      headers: { authorization: `Bearer ${await sluice.token()}` },
    };
    const removal = ask(`127.0.0.1:${sluice.controlPort}`, question);
    const waits = clone.startPush("HEAD:staging");
    await saying(waits, WAITS);
    await gate.go();
    expectAccepted(await first.done);
    expect((await removal).status).to.equal(204);
    const { status, output } = await waits.done;
    expect(status).not.to.equal(0);
    expect(output).to.include('The app "removed" was destroyed while this push was waiting.');
    expect(output).not.to.include("unexpected");
  });

  it("are not what a promotion or a rollback means that was asked for before", async () => {
    const gate = gated();
    const post = async (verb: string): Promise<string> => {
      const headers = {
        authorization: `Bearer ${await sluice.token()}`,
        "content-type": "application/json",
      };
      const question = { method: "POST", path: `/api/apps/meant/${verb}`, headers, body: "{}" };
      return (await ask(`127.0.0.1:${sluice.controlPort}`, question)).body;
    };
    const clone = await sluice.clone("meant", tinyApp());
    for (const branch of ["master", "master", "staging"]) {
      await clone.commit({ note: String(Math.random()) });
      await clone.mustPush(`HEAD:${branch}`);
    }
    await clone.commit(gate.files);
    const next = clone.startPush("HEAD:staging");
    await saying(next, SHUT);
    const promotion = post("promote");
    await gate.go();
    expectAccepted(await next.done);
    expect(await promotion).to.include('The canary of \\"meant\\" is now v4, not v3.');
    expect((await sluice.get("meant", "/", { "x-client-mode": "blue" })).body).to.equal("v2 web.1");
    const rollbacks = await Promise.all([post("rollback"), post("rollback")]);
    expect(rollbacks.filter((answer) => answer.includes('"done"')).length).to.equal(1);
    expect(rollbacks.filter((answer) => answer.includes("already")).length).to.equal(1);
    expect((await sluice.get("meant", "/", { "x-client-mode": "blue" })).body).to.equal("v1 web.1");
  });

  it("shows what a slow gate says while it runs, and deploys another app meanwhile", async () => {
    const gate = gated();
    const [slow, other] = [
      await sluice.clone("slow", tinyApp(gate.files)),
      await sluice.clone("other", tinyApp()),
    ];
    const push = slow.startPush();
    await saying(push, SHUT);
    await other.mustPush();
    expect((await sluice.get("other")).body).to.equal("v1 web.1");
    expect((await sluice.get("slow")).status).to.equal(404);
    await gate.go();
    expectAccepted(await push.done);
    expect((await sluice.get("slow")).body).to.equal("v1 web.1");
  });

  it("run one after the other, and the second is told what it waits for", async () => {
    const gate = gated();
    const clone = await sluice.clone("queue", tinyApp(gate.files));
    const first = clone.startPush("HEAD:refs/heads/feature");
    await saying(first, SHUT);
    const ahead = (await clone.git("rev-parse", "HEAD")).slice(0, 10);
    await clone.commit({ "app.json": "{}" });
    const second = clone.startPush("HEAD:master");
    await saying(second, new RegExp(`^-----> Waiting for ${ahead} of feature$`, "m"));
    expect(await releases("queue")).to.have.length(1);
    await gate.go();
    expect((await first.done).output).to.match(/Live: http:\/\/feature\.queue\.localhost:\d+ \(v1,/);
    expect((await second.done).output).to.match(/Live: http:\/\/queue\.localhost:\d+ \(v2,/);
    expect((await sluice.get("feature.queue")).body).to.equal("v1 web.1");
    expect((await sluice.get("queue")).body).to.equal("v2 web.1");
  });

  it("let a newer push of a branch take the place of one that waits, which is told so", async () => {
    const gate = gated(1);
    const clone = await sluice.clone("newest", tinyApp());
    await clone.mustPush();
    const base = await clone.git("rev-parse", "HEAD");
    await clone.commit(gate.files);
    const first = clone.startPush();
    await saying(first, SHUT);
    await clone.git("reset", "--quiet", "--hard", base);
    await clone.commit({ "note.txt": "2" });
    const second = clone.startPush();
    await saying(second, WAITS);
    const newest = await clone.commit({ "note.txt": "3" });
    const third = clone.startPush();
    const { status, output } = await second.done;
    expect(status).not.to.equal(0);
    expect(output).to.include(
      ` !     A newer push of master (${newest.slice(0, 10)}) replaced this one while it was waiting.`,
    );
    expect(output).to.match(/^ ! {5}Nothing to do: the newer push continues\.$/m);
    await gate.go();
    expect((await first.done).output).to.match(/ ! {5}The gate shut failed/);
    expectAccepted(await third.done);
    expect(await clone.git("ls-remote", "sluice", "master")).to.include(newest);
    expect((await sluice.get("newest")).body).to.equal("v3 web.1");
    expect((await releases("newest")).map(({ commit, phase }) => [commit === newest, phase])).to.deep.equal([
      [true, "settled"],
      [false, "failed"],
      [false, "settled"],
    ]);
  });

  it("decline the one that waited when its branch has moved meanwhile, and say how to go on", async () => {
    const gate = gated();
    const clone = await sluice.clone("moved", tinyApp());
    await clone.mustPush();
    const base = await clone.git("rev-parse", "HEAD");
    const went = await clone.commit(gate.files);
    const first = clone.startPush();
    await saying(first, SHUT);
    await clone.git("reset", "--quiet", "--hard", base);
    await clone.commit({ "note.txt": "2" });
    const second = clone.startPush();
    await saying(second, WAITS);
    await gate.go();
    expectAccepted(await first.done);
    const { status, output } = await second.done;
    expect(status).not.to.equal(0);
    expect(output).to.match(
      /^ ! {5}Another push changed master while this push was waiting\.\n ! {5}.*git pull --rebase REMOTE master/m,
    );
    expect(await clone.git("ls-remote", "sluice", "master")).to.include(went);
    expect((await sluice.get("moved")).body).to.equal("v2 web.1");
  });

  describe("and are interrupted (Ctrl-C)", () => {
    it("take the release of a slow gate with them, and those that wait come in", async () => {
      const app = "hasty";
      const clone = await sluice.clone(app, tinyApp());
      await clone.mustPush();
      const base = await clone.git("rev-parse", "HEAD");
      await clone.commit(gated().files);
      const first = clone.startPush();
      await saying(first, SHUT);
      expect((await tracesOf(sluice, app, ports)).jobs).not.to.be.empty;
      await clone.git("reset", "--quiet", "--hard", base);
      await clone.commit({ "app.json": `{"sluice": {"standbySeconds": 0}}` });
      const second = clone.startPush("HEAD:refs/heads/other");
      await saying(second, WAITS);
      const third = clone.startPush();
      await saying(third, WAITS);
      second.stop();
      await second.done;
      first.stop();
      await first.done;
      const { status, output } = await third.done;
      expect(status, output).to.equal(0);
      expect((await sluice.get(app)).body).to.equal("v3 web.1");
      expect(await clone.git("ls-remote", "sluice", "other")).to.equal("");
      const [, interrupted] = await releases(app);
      expect(interrupted).to.deep.include({ release: "v2", phase: "failed" });
    });

    it("leave nothing", async () => {
      const clean = await sluice.clone("clean", tinyApp());
      await clean.mustPush();
      const before = await tracesOf(sluice, "clean", ports);
      await clean.commit(gated().files);
      const push = clean.startPush();
      await saying(push, SHUT);
      push.stop();
      await push.done;
      await eventually("nothing is left", async () => {
        expect(await tracesOf(sluice, "clean", ports)).to.deep.equal(before);
        return true;
      });
      expect((await sluice.get("clean")).body).to.equal("v1 web.1");
    });
  });

  it("of two branches in one go are both live", async () => {
    const clone = await sluice.clone("pair", tinyApp());
    const push = await clone.push("HEAD:refs/heads/master", "HEAD:refs/heads/Topic/One");
    expectAccepted(push);
    const [, host = ""] = /Live: http:\/\/(topic-one\.pair)\.localhost/.exec(push.output) ?? [];
    expect((await sluice.get("pair")).headers).to.include({ "sluice-track": "production" });
    expect((await sluice.get(host)).status).to.equal(200);
  });

  it("of two branches in one go, of which Git takes one only, have that one live", async () => {
    const clone = await sluice.clone("half", tinyApp());
    // A branch cannot be a folder for another.
    const push = await clone.push("HEAD:refs/heads/topic", "HEAD:refs/heads/topic/one");
    expect(push.status).not.to.equal(0);
    const taken = (await clone.git("ls-remote", "sluice", "refs/heads/*"))
      .split("\n")
      .map((line) => line.split("/").slice(2).join("/"));
    expect(taken).to.deep.equal(["topic"]);
    expect((await sluice.get("topic.half")).status).to.equal(200);
    const live = (await releases("half")).filter(({ traffic }) => traffic === "live");
    expect(live.map(({ track }) => track)).to.deep.equal(["topic"]);
    await eventually(
      "one instance runs",
      async () => (await tracesOf(sluice, "half", ports)).instances.length === 1,
    );
  });
});

describe("branches and tags", function () {
  this.timeout(60_000);
  let ports: PortRange;
  let sluice: TestSluice;
  before(async () => {
    ports = await freeRange(40);
    sluice = await TestSluice.start({ settings: { instances: { ports } } });
  });
  after(async () => sluice.dispose());

  it("have previews that go with them", async () => {
    const clone = await sluice.clone("shop", tinyApp());
    await clone.mustPush("HEAD:master", "HEAD:feature", "HEAD:staging");
    const production = (await sluice.get("shop", "/", { "x-client-mode": "blue" })).body;
    expect((await sluice.get("feature.shop")).status).to.equal(200);
    await clone.mustPush("--delete", "feature");
    await eventually("the preview is gone", async () => (await sluice.get("feature.shop")).status === 404);
    await eventually(
      "its instance is gone",
      async () => (await tracesOf(sluice, "shop", ports)).instances.length === 2,
    );
    expect((await sluice.get("shop", "/", { "x-client-mode": "blue" })).body).to.equal(production);
    await clone.mustPush("HEAD:feature");
    expect((await sluice.get("feature.shop")).status).to.equal(200);
  });

  it("leave production alone when its branch goes, so that master can become main", async () => {
    const clone = await sluice.clone("renamed", tinyApp());
    await clone.mustPush("HEAD:master");
    await clone.mustPush("HEAD:main");
    const push = await clone.push("--delete", "master");
    expectAccepted(push);
    expect(push.output).to.match(/production keeps running/);
    await clone.mustPush("--delete", "main");
    expect((await sluice.get("renamed")).body).to.equal("v2 web.1");
    await clone.commit({ "note.txt": "2" });
    await clone.mustPush("HEAD:main");
    expect((await sluice.get("renamed")).body).to.equal("v3 web.1");
  });

  it("named by tags deploy nothing", async () => {
    const clone = await sluice.clone("tagged", tinyApp());
    await clone.mustPush();
    await clone.commit({ Procfile: "nonsense\n" });
    await clone.git("tag", "light");
    await clone.git("tag", "--annotate", "--message", "x", "heavy");
    const push = await clone.push("light", "heavy");
    expectAccepted(push);
    expect(push.output).not.to.match(/----->/);
    expect(await clone.git("ls-remote", "--tags", "sluice")).to.match(
      /refs\/tags\/heavy\n.*\n.*refs\/tags\/light/,
    );
    expect(await sluice.read<Summary[]>("apps/tagged/releases")).to.have.length(1);
  });
});

describe("gates: post-receive", function () {
  this.timeout(60_000);
  let ports: PortRange;
  let sluice: TestSluice;
  before(async () => {
    ports = await freeRange(40);
    sluice = await TestSluice.start({ settings: { gates: "post-receive", instances: { ports } } });
  });
  after(async () => sluice.dispose());

  it("takes a push whose gate fails, says why, and leaves live what was live", async () => {
    const clone = await sluice.clone("later", tinyApp());
    expect((await clone.push()).output).to.match(/Live: http:\/\/later\.localhost:\d+ \(v1,/);
    const traces = await tracesOf(sluice, "later", ports);
    for (const [files, says] of [
      [
        { "app.json": `{"sluice": {"gates": {"never": "echo no; exit 1"}}}` },
        / ! {5}The gate never failed \(status 1\)\.\n ! {5}Its output is above/,
      ],
      [{ Procfile: "nonsense\n" }, / ! {5}Procfile, line 1/],
    ] as const) {
      const commit = await clone.commit(files);
      const push = await clone.push();
      expect(push.output).to.match(says);
      expectAccepted(push);
      expect(await clone.git("ls-remote", "sluice", "master")).to.include(commit);
      expect((await sluice.get("later")).body).to.equal("v1 web.1");
      expect(await tracesOf(sluice, "later", ports)).to.deep.equal(traces);
    }
    await clone.commit(tinyApp({ "app.json": "{}" }));
    expect((await clone.push()).output).to.match(/Live: http:\/\/later\.localhost:\d+ \(v4,/);
    expect((await sluice.get("later")).body).to.equal("v4 web.1");
  });

  it("goes on with what it has taken, also when the pusher is gone", async () => {
    const file = join(sluice.shared, "go");
    const clone = await sluice.clone(
      "alone",
      tinyApp({
        "app.json": `{"sluice": {"gates": {"shut": "echo it is shut; until [ -e ${file} ]; do sleep 0.02; done"}}}`,
      }),
    );
    const push = clone.startPush();
    await saying(push, /it is shut$/m);
    push.stop();
    await push.done;
    await writeFile(file, "");
    await eventually("it is live", async () => (await sluice.get("alone")).body === "v1 web.1");
  });
});

describe("what a release is given", function () {
  this.timeout(60_000);
  let ports: PortRange;
  let sluice: TestSluice;
  before(async () => {
    ports = await freeRange(40);
    sluice = await TestSluice.start({ settings: { instances: { ports } } });
  });
  after(async () => sluice.dispose());

  const envOf = async (host: string): Promise<Record<string, string>> =>
    JSON.parse((await sluice.get(host, "/env", { "x-client-mode": "blue" })).body) as Record<string, string>;
  const secrets = async (): Promise<string[]> =>
    Promise.all(
      ["token", "key", "redis/password"].map(async (name) =>
        (await readFile(join(sluice.home, name), "utf8")).trim(),
      ),
    );

  it("tells a process who and where it is, and no secret of the server's", async () => {
    const clone = await sluice.clone("who", tinyApp());
    const commit = await clone.git("rev-parse", "HEAD");
    await clone.mustPush("HEAD:master", "HEAD:staging");
    const env = await envOf("who");
    expect(env).to.include({
      GIT_REV: commit,
      RELEASE: "v1",
      DYNO: "web.1",
      SLUICE_APP: "who",
      SLUICE_TRACK: "production",
      NODE_ENV: "production",
    });
    const hasNetwork = process.getuid?.() === 0;
    if (hasNetwork) expect(env["PORT"]).to.equal("5000");
    else expect(Number(env["PORT"])).to.be.within(ports.first, ports.last);
    const control = `http://127.0.0.1:${sluice.controlPort}/flags/who`;
    expect(env["SLUICE_FLAGS_URL"]).to.match(
      hasNetwork ? /^http:\/\/198\.18\.0\.1:\d+\/flags\/who$/ : new RegExp(`^${control}$`),
    );
    expect(env["SLUICE_FLAGS_TOKEN"]).to.match(/^[0-9a-f]{64}$/);
    expect(env["REDIS_URL"]).to.match(
      /^redis:\/\/app-who:[0-9a-f]{64}@(?:127\.0\.0\.1|198\.18\.0\.1):\d+\/0$/,
    );
    expect(
      Object.keys(env)
        .filter((name) => /^(SLUICE|GIT|REDIS)_/.test(name))
        .sort(),
    ).to.deep.equal([
      "GIT_REV",
      "REDIS_URL",
      "SLUICE_APP",
      "SLUICE_FLAGS_TOKEN",
      "SLUICE_FLAGS_URL",
      "SLUICE_TRACK",
    ]);
    for (const secret of await secrets()) expect(JSON.stringify(env)).not.to.include(secret);
    expect(await envOf("staging.who").catch(async () => envOf("v2.who"))).to.include({
      RELEASE: "v2",
      SLUICE_TRACK: "canary",
    });
  });

  it("tells gates and builds which release they are for, and no secret at all", async () => {
    await sluice.cli("config", "builds", "PASSWORD=open-sesame");
    const clone = await sluice.clone(
      "builds",
      tinyApp({
        "package.json": `{"scripts": {"build": "env | sed s/^/build:/"}}`,
        "app.json": `{"sluice": {"gates": {"env": "env | sed s/^/gate:/"}}}`,
      }),
    );
    const { output } = await clone.push();
    for (const line of ["RELEASE=v1", "SLUICE_APP=builds", "SLUICE_TRACK=production", "CI=true"]) {
      expect(output).to.include(` gate:${line}\n`).and.to.include(` build:${line}\n`);
    }
    expect(output).not.to.match(/open-sesame|REDIS_URL|SLUICE_TOKEN|SLUICE_HOOK|SLUICE_HOME/);
    for (const secret of await secrets()) expect(output).not.to.include(secret);
    expect(await envOf("builds")).to.include({ PASSWORD: "open-sesame" });
  });

  it("opens Redis to an app for its own keys alone", async () => {
    const clone = await sluice.clone("keys", tinyApp());
    await clone.mustPush();
    const redis = new Redis(fromHere((await envOf("keys"))["REDIS_URL"]), { retryStrategy: () => null });
    try {
      expect(await redis.set("app:keys:visits", "1")).to.equal("OK");
      expect(await redis.eval("return redis.call('incr', KEYS[1])", 1, "app:keys:visits")).to.equal(2);
      const script = String(await redis.script("LOAD", "return redis.call('get', KEYS[1])"));
      expect(await redis.evalsha(script, 1, "app:keys:visits")).to.equal("2");
      expect(await redis.hgetall("sluice:flags:keys")).to.deep.equal({});
      expect(await redis.publish("app:keys:news", "x")).to.equal(0);
      for (const command of [
        ["get", "app:other:visits"],
        ["get", "app:keysuffix:visits"],
        ["set", "visits", "1"],
        ["hset", "sluice:flags:keys", "x", "1"],
        ["hgetall", "sluice:flags:other"],
        ["hgetall", "sluice:tokens"],
        ["hgetall", "sluice:config:keys"],
        ["get", "sluice:alert"],
        ["eval", "return redis.call('get', 'sluice:alert')", "0"],
        ["publish", "sluice:routes-changed", "1"],
        ["subscribe", "sluice:routes-changed"],
        ["keys", "*"],
        ["scan", "0"],
        ["randomkey"],
        ["flushall"],
        ["swapdb", "0", "1"],
        ["config", "get", "*"],
        ["acl", "list"],
        ["acl", "setuser", "default", "nopass"],
        ["client", "list"],
        ["client", "kill", "type", "normal"],
        ["debug", "sleep", "0"],
        ["monitor"],
        ["shutdown"],
        ["script", "kill"],
        ["script", "flush"],
        ["function", "flush"],
        ["function", "list"],
        ["migrate", "127.0.0.1", "1", "app:keys:visits", "0", "1"],
        ["replicaof", "no", "one"],
        ["module", "list"],
        ["save"],
        ["latency", "reset"],
        ["slowlog", "get"],
      ]) {
        const [name = "", ...args] = command;
        const refused = await redis
          .call(name, ...args)
          .then((answer) => `it answered ${JSON.stringify(answer)}`, String);
        expect(refused, command.join(" ")).to.match(
          /NOPERM|No permissions|not allowed|The user executing the script can't/,
        );
      }
    } finally {
      redis.disconnect();
    }
  });

  it("is the app's config as it was set before, and what app.json asks for", async () => {
    const appJson = (required: object): Record<string, string> => ({
      "app.json": JSON.stringify({
        env: {
          SESSION_SECRET: { generator: "secret" },
          GREETING: "hello",
          COLOUR: { value: "red" },
          MAYBE: { required: false },
          ...required,
        },
      }),
    });
    const clone = await sluice.clone(
      "set",
      tinyApp(appJson({ API_KEY: { description: "of the bank", required: true }, API_URL: {} })),
    );
    const push = await clone.push();
    expect(push.status).not.to.equal(0);
    expect(push.output).to.match(
      /^ ! {5}app\.json requires a value for: API_KEY, API_URL\.\n ! {5}Run: sluice config APP API_KEY=… API_URL=…$/m,
    );

    await sluice.cli("config", "set", "API_KEY=a=b c'd\"e", "API_URL=x", "GREETING=hi");
    await clone.mustPush();
    const first = await envOf("set");
    expect(first).to.include({ API_KEY: `a=b c'd"e`, GREETING: "hi", COLOUR: "red" });
    expect(first["SESSION_SECRET"]).to.match(/^[0-9a-f]{64}$/);
    expect(first).not.to.have.property("MAYBE");

    await sluice.cli("config", "set", "COLOUR=blue", "--unset", "API_URL");
    expect(await envOf("set")).to.include({ COLOUR: "red", API_URL: "x" });
    await clone.commit(appJson({}));
    await clone.mustPush();
    expect(await envOf("set"))
      .to.include({ COLOUR: "blue", SESSION_SECRET: first["SESSION_SECRET"] })
      .and.not.to.have.property("API_URL");
  });

  it("is a Unix socket instead of a port, where app.json asks for one", async () => {
    const clone = await sluice.clone(
      "socket",
      tinyApp({ "app.json": `{"sluice": {"listen": "socket", "standbySeconds": 0}}` }),
    );
    const listening = (await tracesOf(sluice, "socket", ports)).ports;
    await clone.mustPush();
    const env = await envOf("socket");
    expect(env["SOCKET"]).to.equal(join(sluice.home, "sockets/socket/v1.web.1/s"));
    expect(env).not.to.have.property("PORT");
    await clone.commit({ "note.txt": "2" });
    await clone.mustPush();
    expect((await sluice.get("socket")).body).to.equal("v2 web.1");
    await eventually(
      "v1 is gone",
      async () => (await tracesOf(sluice, "socket", ports)).instances.length === 1,
    );
    expect((await tracesOf(sluice, "socket", ports)).ports).to.deep.equal(listening);
  });
});
