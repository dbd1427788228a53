import { expect } from "chai";
import { eventually } from "../../support/eventually.js";
import { TINY_SERVER, tinyApp } from "../../support/git/tiny-app.js";
import { startLoad } from "../../support/running/load.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { LabTest } from "../lab-test.js";
import { HTTP_PORT, LabFleet } from "./lab-fleet.js";

/** Each request keeps a processor busy for 30 ms. */
const BUSY_SERVER = TINY_SERVER.replace(
  'if (url.pathname === "/env")',
  `if (url.pathname === "/busy") { const end = Date.now() + 30; while (Date.now() < end); return response.end("done"); }
  if (url.pathname === "/env")`,
);
const SCALE = '{ "sluice": { "scale": { "min": 1, "max": 2, "cpuTarget": 10, "cooldownSeconds": 5 } } }';

describe("the figures of hosts that run instances, or a proxy alone", function () {
  this.timeout(300_000);
  const test = new LabTest();
  let fleet: LabFleet;
  before(async function () {
    await test.open(this, SERVER_PACKAGES);
    fleet = await LabFleet.start(test.lab, {
      hosts: 2,
      proxies: 1,
      monitors: true,
      serverRunsInstances: false,
    });
    await fleet.push("shop", tinyApp({ "server.js": BUSY_SERVER, "app.json": SCALE }));
  });
  after(async () => test.close());

  const worker = (): string => fleet.swarm.workers[0]?.name ?? "";

  it("are known of each instance, wherever it runs", async () => {
    expect([...(await fleet.placesOf("shop")).keys()]).to.deep.equal([worker()]);
    await eventually("the worker tells of its instance", async () =>
      (await fleet.sluice("top")).includes("shop.v1.web.1"),
    );
    expect(await fleet.sluice("hosts")).to.include(worker());
  });

  it("end an instance that writes more to its host's disk than it may, and it starts anew", async () => {
    await fleet.push("hoard", {
      "server.js": TINY_SERVER.replace(
        'if (url.pathname === "/env")',
        `if (url.pathname === "/hoard") { require("node:fs").writeFileSync("hoard", Buffer.alloc(300 * 1024 * 1024)); return response.end("done"); }
  if (url.pathname === "/env")`,
      ),
      Procfile: "web: node server.js\n",
    });
    expect((await fleet.ask("hoard", "/hoard")).body).to.equal("done");
    const status = async (): Promise<string> => fleet.sluice("status --json");
    await eventually(
      "it says so",
      async () =>
        (await status()).includes(
          "killed by SIGXFSZ: it has written more to disk than instances.scratchMegabytes",
        ),
      60_000,
    );
    await eventually("it serves again", async () => (await fleet.ask("hoard")).status === 200, 30_000);
    const written = "docker ps --size --filter label=sluice.app=hoard --format '{{.Size}}'";
    expect(await fleet.swarm.workers[0]?.run(written)).to.match(/^\d+(\.\d+)?k?B /);
  });

  it("let the autoscaler see that an instance on another host is busy", async () => {
    const load = startLoad(HTTP_PORT, "shop", "/busy", 15, fleet.server.address);
    await eventually(
      "there are two",
      async () => [...(await fleet.placesOf("shop")).values()].flat().length === 2,
      120_000,
    );
    const { failures } = await load.stop();
    expect(failures).to.deep.equal([]);
    expect(await fleet.sluice("scale shop")).to.match(/web\D+2/);
  });

  it("name every proxy, and whether it follows", async () => {
    const [proxy] = fleet.proxies;
    if (proxy === undefined) throw new Error("there is no proxy");
    const metrics = await fleet.server.run(
      'curl -s -H "Authorization: Bearer $(cat /var/lib/sluice/token)" http://127.0.0.1:8081/metrics',
    );
    for (const host of [proxy, fleet.server]) {
      expect(metrics).to.match(new RegExp(`sluice_proxy_up\\{proxy="${host.name}[^}]*\\} 1`));
      expect(await fleet.sluice("status")).to.match(new RegExp(`${host.name}\\S* follows`));
      expect((await fleet.ask("shop", "/", host)).status).to.equal(200);
    }
    expect(await fleet.sluice("doctor")).to.include("Docker: manages a Swarm, 1 of 2 hosts ready");
    await proxy.powerOff();
    await eventually("status names the one that is silent", async () =>
      (await fleet.sluice("status")).includes(`${proxy.name}:/var/lib/sluice has not reported`),
    );
    const said = await fleet.push(
      "shop",
      tinyApp({ "server.js": BUSY_SERVER, "app.json": SCALE, note: "x" }),
    );
    expect(said)
      .to.match(/Live: .* \(v2, /)
      .and.include(proxy.name);
  });
});
