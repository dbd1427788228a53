import { expect } from "chai";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../../support/eventually.js";
import { TINY_SERVER, tinyApp } from "../../support/git/tiny-app.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { LabTest } from "../lab-test.js";
import { LabFleet } from "./lab-fleet.js";

/** An image that every host has: no public registry is asked. */
const BASE = "debian-node:1";

/** Two stages and one for tests; a user of its own, a health check, and a secret that only the build sees. */
const DOCKERFILE = `FROM ${BASE} AS build
WORKDIR /src
COPY . .
RUN --mount=type=secret,id=NPM_TOKEN cat /run/secrets/NPM_TOKEN | wc -c >token-length; echo compiled >compiled
FROM build AS test
RUN touch /tests-can-run
FROM ${BASE}
RUN useradd --uid 4321 visitor && install --directory --owner visitor /opt/shop
WORKDIR /opt/shop
COPY --from=build --chown=visitor /src/server.js /src/token-length ./
COPY --chmod=755 entry.sh /entry.sh
USER visitor
EXPOSE 8080
ENV GREETING=hello
HEALTHCHECK --interval=30s CMD node -e "fetch('http://127.0.0.1:' + process.env.PORT).then((answer) => process.exit(answer.ok ? 0 : 1))"
ENTRYPOINT ["/entry.sh"]
CMD ["server.js"]
`;

/** Tells what it was started with, and where it listens. */
const SERVER = TINY_SERVER.replace(
  'if (url.pathname === "/env")',
  `if (url.pathname === "/facts") return response.end(JSON.stringify({
    user: process.getuid(), folder: process.cwd(), arguments: process.argv.slice(2), port: PORT,
    token: require("node:fs").readFileSync("token-length", "utf8").trim(),
    greeting: process.env.GREETING, started: process.env.STARTED_BY, secret: process.env.NPM_TOKEN,
    capabilities: /CapEff:\\s*(\\S+)/.exec(require("node:fs").readFileSync("/proc/self/status", "utf8"))[1],
    traces: require("node:fs").existsSync("/src"),
  }));
  if (url.pathname === "/env")`,
);

const ENTRY = '#!/bin/sh\nexport STARTED_BY=entry\nexec node "$@"\n';

const shop = (more: Record<string, string> = {}): Record<string, string> => ({
  Dockerfile: DOCKERFILE,
  "server.js": SERVER,
  "entry.sh": ENTRY,
  "package.json":
    '{"name": "shop", "scripts": {"start": "not this", "test": "test -e /tests-can-run && echo tested in the stage"}}',
  ...more,
});

describe("a Dockerfile on a Swarm", function () {
  this.timeout(120_000);
  const test = new LabTest();
  let fleet: LabFleet;
  before(async function () {
    await test.open(this, SERVER_PACKAGES);
    fleet = await LabFleet.start(test.lab, { hosts: 2 });
    const folder = await mkdtemp(join(tmpdir(), "sluice-base-"));
    await fleet.swarm.load(BASE, folder);
    await rm(folder, { recursive: true });
    await fleet.sluice("apps create shop").catch(() => undefined);
  });
  after(async () => test.close());

  const refusal = async (app: string, files: Record<string, string>): Promise<string> =>
    fleet.push(app, files).then(
      () => expect.fail("it was taken"),
      (reason: unknown) => String(reason),
    );
  const facts = async (app = "shop"): Promise<Record<string, unknown>> =>
    JSON.parse((await fleet.ask(app, "/facts")).body) as Record<string, unknown>;

  it("is built with its stages, gates and secrets, and runs as it says", async () => {
    await fleet.push("shop", shop());
    await fleet.sluice("config shop NPM_TOKEN=s3cr3t-token");
    const said = await fleet.push("shop", shop({ note: "with a secret" }));
    expect(said).to.include("tested in the stage").and.include("test passed in");
    expect(said).to.match(/Live: .* \(v2, /);
    expect(await facts()).to.deep.equal({
      ...{ user: 4321, folder: "/opt/shop", arguments: [], port: "8080", token: "12" },
      ...{ greeting: "hello", started: "entry", secret: "s3cr3t-token" },
      ...{ capabilities: "0000000000000000", traces: false },
    });
  });

  it("runs on every host, and shows nobody its secrets", async () => {
    await fleet.sluice("scale shop web=2");
    expect((await fleet.placesOf("shop")).size).to.equal(2);
    for (const host of [fleet.server, ...fleet.swarm.workers]) {
      const shown = await host.run(
        "docker inspect $(docker ps -q); docker history --no-trunc $(docker image ls -q | head -1); ps ax -o args; " +
          "docker service ls -q 2>/dev/null | xargs -r docker service inspect || true",
      );
      expect(shown).not.to.include("s3cr3t-token");
    }
    expect(await fleet.server.run("find /var/lib/sluice/docker/scratch -type f")).to.equal("");
  });

  it("is rolled back at once", async () => {
    await fleet.push(
      "shop",
      shop({ "server.js": SERVER.replace("end(RELEASE + ", 'end("new " + RELEASE + ') }),
    );
    expect((await fleet.ask("shop")).body).to.match(/^new v3 /);
    const began = Date.now();
    await fleet.sluice("rollback shop");
    process.stdout.write(`      rolled back in ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
    expect((await fleet.ask("shop")).body).to.match(/^v2 /);
  });

  it("declines what does not pass, build, start or get healthy, and what is there goes on", async () => {
    const before = (await fleet.ask("shop")).body.split(" ")[0];
    const failing = '{"scripts": {"test": "echo not good enough && exit 1"}}';
    expect(await refusal("shop", shop({ "package.json": failing })))
      .to.include("not good enough")
      .and.include("The gate test failed (status 1)");
    const broken = DOCKERFILE.replace("echo compiled", "no-such-compiler");
    expect(await refusal("shop", shop({ Dockerfile: broken }))).to.include(
      "The build failed: Dockerfile (status 1)",
    );
    expect(await refusal("shop", shop({ "server.js": "console.log('no luck'); process.exit(4)" })))
      .to.include("ended (status 4)")
      .and.include("no luck");
    const sick = DOCKERFILE.replace("answer.ok ? 0 : 1", "1").replace(
      "--interval=30s",
      "--interval=1s --retries=1",
    );
    const unhealthy = await refusal("shop", shop({ Dockerfile: sick }));
    expect(unhealthy, unhealthy).to.include("Docker ends an instance that fails it");
    expect(
      await refusal("shop", shop({ "app.json": '{"sluice": {"dockerfile": {"target": "prod"}}}' })),
    ).to.include("Dockerfile has no stage prod");
    expect((await fleet.ask("shop")).body.split(" ")[0]).to.equal(before);
  });

  it("takes the Procfile and app.json on top", async () => {
    const appJson = {
      formation: { worker: { quantity: 1 } },
      scripts: { dokku: { predeploy: "echo prepared >/opt/shop/prepared" } },
      sluice: { dockerfile: { port: 9000 }, standbySeconds: 1, drainSeconds: 1 },
    };
    const Procfile =
      "web: node server.js from-procfile\nworker: node -e \"console.log('working', process.env.NPM_TOKEN.length, require('node:fs').readFileSync('prepared', 'utf8'));setInterval(() => 0, 1000)\"\nrelease: echo releasing $NPM_TOKEN | wc -c\n";
    // The entry point of the image stays around it.
    const entry = '#!/bin/sh\nexport STARTED_BY=entry\nexec "$@"\n';
    const files = shop({ "app.json": JSON.stringify(appJson), Procfile, "entry.sh": entry });
    const said = await fleet.push("shop", files);
    expect(said).to.match(/release: echo.*\n.*\b23\b/);
    expect(await facts()).to.include({ port: "9000", started: "entry", user: 4321 });
    expect((await facts())["arguments"]).to.deep.equal(["from-procfile"]);
    await eventually("the worker writes", async () =>
      (await fleet.sluice("logs shop")).includes("working 12 prepared"),
    );
  });

  it("may be an image with nothing but its program, or one that starts as root", async () => {
    const binary = await fleet.server.run("base64 -w0 /bin/busybox");
    const bare = {
      "busybox.base64": binary,
      "index.html": "just a file\n",
      Dockerfile: `FROM ${BASE} AS build\nCOPY busybox.base64 .\nRUN base64 -d busybox.base64 >/busybox && chmod 755 /busybox\nFROM scratch\nCOPY --from=build /busybox /busybox\nCOPY index.html /www/index.html\nUSER 1000\nEXPOSE 8000\nENTRYPOINT ["/busybox", "httpd", "-f", "-h", "/www", "-p", "8000"]\n`,
    };
    await fleet.push("bare", bare);
    expect((await fleet.ask("bare")).body).to.equal("just a file\n");
    const root = {
      "server.js": SERVER,
      Dockerfile: `FROM ${BASE}\nEXPOSE 80\nCOPY server.js /server.js\nRUN echo 0 >/token-length\nCMD chown www-data /token-length && exec setpriv --reuid www-data --clear-groups node /server.js\n`,
    };
    await fleet.push("root", root);
    expect(await facts("root")).to.include({ user: 33, port: "80", folder: "/" });
  });

  it("builds on no image of another app, whatever it calls it", async () => {
    const address = `${fleet.server.address}:5443`;
    const parts = `ARG HOST=${fleet.server.address}\nARG PORT=5443\nFROM $HOST:$PORT/shop:v2\n`;
    for (const Dockerfile of [`FROM ${address}/shop:v2\n`, parts]) {
      const said = await refusal("thief", { Dockerfile: `${Dockerfile}RUN cat /opt/shop/server.js\n` });
      expect(said).to.include("The build failed").and.not.to.include("createServer");
    }
  });

  it("leaves no container, and no image that nobody needs, behind", async () => {
    expect(
      await fleet.server.run(
        "docker ps --all --no-trunc --format '{{.Names}} {{.Status}} {{.Command}}' --filter name=sluice-task",
      ),
    ).to.equal("");
    expect(
      await fleet.server.run("docker image ls --format '{{.Repository}}' | grep ^sluice- || true"),
    ).to.equal("");
  });

  it("goes on where it runs when the engine is changed, and the next push says what is not used", async () => {
    const before = (await fleet.ask("shop")).body.split(" ")[0];
    await fleet.use("runit");
    expect((await fleet.ask("shop")).body.split(" ")[0]).to.equal(before);
    const bare = Object.fromEntries(Object.entries(shop()).filter(([name]) => name !== "package.json"));
    expect(await refusal("shop", bare)).to.include("A Dockerfile needs the engine `swarm`");
    expect((await fleet.ask("shop")).body.split(" ")[0]).to.equal(before);
    const said = await fleet.push("shop", tinyApp({ Dockerfile: DOCKERFILE }));
    expect(said).to.include("The Dockerfile is not used");
    expect((await fleet.ask("shop")).body).to.match(/^v\d+ web\.[12]$/);
    await eventually(
      "the Swarm runs nothing of it",
      async () => (await fleet.placesOf("shop")).size === 0,
      60_000,
    );
  });
});
