import { expect } from "chai";
import { eventually } from "../../support/eventually.js";
import { TINY_SERVER, tinyApp } from "../../support/git/tiny-app.js";
import type { LabHost } from "../lab-host.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { LabTest } from "../lab-test.js";
import { FleetApp } from "./fleet-app.js";
import { LabFleet } from "./lab-fleet.js";

/** Asks its Redis and its flags. */
const ASKING_SERVER = TINY_SERVER.replace(
  'if (url.pathname === "/env")',
  `if (url.pathname === "/redis") return redis((answer) => response.end(answer));
  if (url.pathname === "/flags") return fetch(process.env.SLUICE_FLAGS_URL + "/ofrep/v1/evaluate/flags", {
    method: "POST", body: "{}",
    headers: { "content-type": "application/json", authorization: "Bearer " + process.env.SLUICE_FLAGS_TOKEN },
  }).then((answer) => response.end(String(answer.status)), (error) => response.end(String(error.cause)));
  if (url.pathname === "/write") { require("node:fs").writeFileSync("kept", "x"); return response.end("written"); }
  if (url.pathname === "/env")`,
).concat(`
function redis(onAnswer) {
  const { username, password, hostname, port } = new URL(process.env.REDIS_URL);
  const socket = require("node:net").connect(port, hostname, () =>
    socket.write("AUTH " + username + " " + password + "\\r\\nPING\\r\\nQUIT\\r\\n"));
  let said = "";
  socket.on("data", (bytes) => (said += bytes));
  socket.on("error", (error) => onAnswer(error.code));
  socket.on("end", () => onAnswer(said));
}
`);

const shop = (more: Record<string, string> = {}): Record<string, string> =>
  tinyApp({ "server.js": ASKING_SERVER, ...more });

describe("a Sluice with three hosts", function () {
  this.timeout(300_000);
  const test = new LabTest();
  let fleet: LabFleet;
  let app: FleetApp;
  before(async function () {
    await test.open(this, SERVER_PACKAGES);
    fleet = await LabFleet.start(test.lab, { hosts: 3 });
    app = new FleetApp(fleet, "shop");
  });
  after(async () => test.close());

  it("runs a release on every host, with what each instance needs", async () => {
    const said = await fleet.push("shop", shop());
    expect(said).to.match(/Live: .* \(v1, /);
    await fleet.sluice("scale shop web=3");
    const places = await fleet.placesOf("shop");
    expect(places.size, JSON.stringify([...places])).to.equal(3);
    const dynos = new Set<string>();
    for (let asked = 0; asked < 9; asked++) {
      dynos.add((await fleet.ask("shop")).body);
      expect((await fleet.ask("shop", "/redis")).body).to.equal("+OK\r\n+PONG\r\n+OK\r\n");
      expect((await fleet.ask("shop", "/flags")).body).to.equal("200");
      expect((await fleet.ask("shop", "/write")).body).to.equal("written");
    }
    expect([...dynos].sort()).to.deep.equal(["v1 web.1", "v1 web.2", "v1 web.3"]);
  });

  it("shows no secret in what Docker says of a service or a container", async () => {
    await fleet.sluice("config shop KEY=s3cr3t-value");
    await fleet.push("shop", shop());
    expect((await fleet.ask("shop", "/env")).body).to.include("s3cr3t-value");
    for (const host of [fleet.server, ...fleet.swarm.workers]) {
      const shown = await host.run(
        "docker inspect $(docker ps -q); ps ax -o args; docker service ls -q 2>/dev/null | xargs -r docker service inspect || true",
      );
      expect(shown).not.to.include("s3cr3t-value");
    }
  });

  it("loses no request over releases, a rollback and scaling", async () => {
    const { failures, sent } = await app.underLoad(async () => {
      for (let count = 0; count < 3; count++) await fleet.push("shop", shop({ note: String(count) }));
      await fleet.sluice("rollback shop");
      for (const quantity of [4, 2, 3]) await fleet.sluice(`scale shop web=${quantity}`);
    });
    expect(failures).to.deep.equal([]);
    expect(sent).to.be.greaterThan(100);
  });

  it("declines a push whose instances do not start, and leaves nothing of it", async () => {
    const before = await app.release();
    const kept = await app.names();
    const refused = fleet.push(
      "shop",
      shop({ "server.js": "console.log('no such luck'); process.exit(3);" }),
    );
    const error = await refused.then(
      () => expect.fail("it was taken"),
      (reason: unknown) => String(reason),
    );
    expect(error).to.include("ended (status 3)").and.include("no such luck");
    expect(await app.release()).to.equal(before);
    await eventually("its instances are gone", async () => {
      expect(await app.names()).to.deep.equal(kept);
      return true;
    });
  });

  it("declines what cannot run on another host, and says what to change", async () => {
    const why = async (files: Record<string, string>): Promise<string> =>
      fleet.push("shop", shop(files)).then(
        () => expect.fail("it was taken"),
        (reason: unknown) => String(reason),
      );
    const local = ASKING_SERVER.replace("SOCKET ?? PORT, ()", 'PORT, "127.0.0.1", ()');
    const quick =
      '{ "healthchecks": { "web": [{ "type": "startup", "path": "/", "attempts": 1, "wait": 1 }] } }';
    expect(await why({ "server.js": local, "app.json": quick })).to.include(
      "listen at PORT on every address",
    );
    const socket = '{ "sluice": { "listen": "socket" } }';
    expect(await why({ "app.json": socket })).to.include("asks for a Unix socket");
  });

  it("keeps the logs of instances, wherever they ran", async () => {
    const log = await fleet.sluice("logs shop");
    for (const dyno of ["web.1", "web.2", "web.3"]) expect(log).to.include(dyno);
    expect(log).to.include("listening 5000");
  });

  it("is neither held up nor filled up by an app that writes without end", async () => {
    await fleet.push("noisy", { Procfile: `worker: yes ${"x".repeat(1000)}\n` });
    await fleet.sluice("scale noisy worker=1");
    await eventually("it writes", async () => (await fleet.sluice("logs noisy")).includes("xxx"));
    const began = Date.now();
    await fleet.push("shop", shop({ note: "beside noise" }));
    process.stdout.write(`      a push took ${((Date.now() - began) / 1000).toFixed(1)} s beside it\n`);
    const hosts = [fleet.server, ...fleet.swarm.workers];
    const sumOf = async (host: LabHost, path: string): Promise<number> =>
      Number((await host.run(`du -cm ${path} 2>/dev/null | tail -1`)).split("\t")[0]);
    await eventually("a host has begun its log again", async () => {
      const found = hosts.map(async (host) =>
        host.run("ls /var/lib/docker/containers/*/*-json.log.1 || true"),
      );
      return (await Promise.all(found)).some((names) => names !== "");
    });
    for (const host of hosts) expect(await sumOf(host, "/var/lib/docker/containers")).to.be.lessThan(60);
    await eventually("Sluice has begun its own again", async () =>
      (await fleet.server.run("ls /var/lib/sluice/logs/noisy.*/")).includes("@"),
    );
    expect(await sumOf(fleet.server, "/var/lib/sluice/logs/noisy.*")).to.be.at.most(15);
    await fleet.sluice("destroy noisy --yes");
  });

  it("keeps production and everything else on the hosts that are labelled for them", async () => {
    const [first = "", second = ""] = fleet.swarm.workers.map(({ name }) => name);
    const [production, staging] = ["sluice.role.production", "sluice.role.staging"];
    await fleet.server.run(
      `docker node update --label-add ${production}=true ${first}; docker node update --label-add ${staging}=true ${second}`,
    );
    try {
      await fleet.push("roles", shop());
      await fleet.sluice("scale roles web=2");
      expect([...(await fleet.placesOf("roles")).keys()]).to.deep.equal([first]);
      await fleet.push("roles", shop({ note: "canary" }), "staging");
      const places = await fleet.placesOf("roles");
      expect([...places.keys()].sort()).to.deep.equal([first, second].sort());
      expect([places.get(first)?.length, places.get(second)?.length]).to.deep.equal([2, 1]);
      await fleet.sluice("destroy roles --yes");
    } finally {
      await fleet.server.run(
        `docker node update --label-rm ${production} ${first}; docker node update --label-rm ${staging} ${second}`,
      );
    }
  });

  it("keeps what runs when its server is killed, and goes on after", async () => {
    const before = await app.names();
    const { failures } = await app.underLoad(async () => {
      await fleet.killServer();
      await fleet.up();
    });
    expect(failures).to.deep.equal([]);
    expect(await app.names()).to.deep.equal(before);
    await fleet.push("shop", shop({ note: "after" }));
  });

  it("brings the instances of a host that lost its power up elsewhere, and out of the proxy before that", async () => {
    const lost = fleet.swarm.workers[0];
    const began = Date.now();
    let seconds = 0;
    const { failures, sent } = await app.underLoad(async () => {
      await lost?.powerOff();
      await app.spread(3, 2, 60_000);
      seconds = (Date.now() - began) / 1000;
    });
    process.stdout.write(
      `      ${failures.length} of ${sent} requests failed; all instances answered elsewhere after ${seconds.toFixed(1)} s\n`,
    );
    // What the lost host was answering just then is lost with it.
    expect(failures.length, failures.join("\n")).to.be.at.most(5);
    expect((await fleet.ask("shop")).status).to.equal(200);
  });

  it("spreads the instances again when the host is back, without a failed request", async () => {
    const { failures } = await app.underLoad(async () => {
      await fleet.swarm.workers[0]?.powerOn();
      await app.spread(3, 3, 90_000);
    });
    expect(failures).to.deep.equal([]);
  });
});
