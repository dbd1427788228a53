import { expect } from "chai";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import { startLoad, type LoadReport } from "../../support/running/load.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import type { LabHost } from "../lab-host.js";
import { LabTest } from "../lab-test.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import type { SharedSegment } from "../shared-segment.js";
import { printLoad } from "../swarm/fleet-app.js";
import { HTTP_PORT, LAB_KEY, LabFleet } from "../swarm/lab-fleet.js";

const PER_SECOND = 50;
const MOVE_MS = 60_000;
const PROXIES = ["edge-1", "edge-2"] as const;

describe("two proxies that share an address", function () {
  this.timeout(300_000);
  const [servers, bare] = [new LabTest(), new LabTest()];
  let fleet: LabFleet;
  let segment: SharedSegment;
  let address: string;
  let edges: Map<string, LabHost>;
  before(async function () {
    await servers.open(this, SERVER_PACKAGES);
    await bare.open(this);
    segment = await bare.lab.addSegment();
    address = segment.address(250);
    fleet = await LabFleet.start(servers.lab, { hosts: 1, fleet: `virtualAddress: ${address}` });
    const booted = await bare.lab.boot(PROXIES.length);
    for (const host of booted) await segment.join(host);
    edges = new Map(PROXIES.map((name, index) => [name, booted[index] as LabHost]));
    await fleet.giveLabKey();
    await fleet.push("shop", tinyApp());
  });
  after(async () => {
    await servers.close();
    await bare.close();
  });

  const edge = (name: string): LabHost => edges.get(name) ?? expect.fail(`there is no ${name}`);
  const hasIt = async (host: LabHost): Promise<boolean> =>
    (await host.run("ip -4 -o address show")).includes(` ${address}/`);
  const answers = async (): Promise<boolean> => {
    const headers = { host: "shop.localhost" };
    return (
      (await ask(`${address}:${HTTP_PORT}`, { headers, signal: AbortSignal.timeout(1000) })).status === 200
    );
  };
  const holders = async (names: readonly string[] = PROXIES): Promise<string[]> => {
    const found = await Promise.all(names.map(async (name) => ((await hasIt(edge(name))) ? [name] : [])));
    return found.flat();
  };
  const oneHolder = async (names: readonly string[] = PROXIES): Promise<string> => {
    let found: string[] = [];
    await eventually(
      () => `one has it: ${found.join()}`,
      async () => (found = await holders(names)).length === 1 && answers().catch(() => false),
      MOVE_MS,
    );
    return found[0] ?? "";
  };
  const other = (name: string): string => PROXIES.find((each) => each !== name) ?? "";
  const underLoad = async (work: () => Promise<void>): Promise<LoadReport> => {
    const load = startLoad(HTTP_PORT, "shop", "/", PER_SECOND, address);
    await work();
    return load.stop();
  };
  /** From the first failed request to the last one. */
  const outageMs = ({ failures }: LoadReport): number => {
    const moments = failures.map((failure) => Number.parseInt(failure));
    return moments.length === 0 ? 0 : Math.max(...moments) - Math.min(...moments);
  };

  it("are configured so, and one of them has it", async () => {
    for (const [name, host] of edges) {
      const provision = `provision proxy ${host.address} --identity ${LAB_KEY} --name ${name}`;
      expect(await fleet.sluice(provision)).to.include(`${name} is ready`);
    }
    const holder = await oneHolder();
    await eventually("hosts shows it", async () =>
      (await fleet.sluice("hosts")).includes(`The address that the proxies share is at ${holder}.`),
    );
    for (const name of PROXIES)
      expect(await fleet.sluice(`provision --host ${name}`)).to.match(/\d+ ok, 0 changed/);
    expect(await oneHolder(), "a second run leaves it where it is").to.equal(holder);
  });

  it("lead visitors on when one loses its power, and again when it is back", async () => {
    const holder = await oneHolder();
    const load = await underLoad(async () => {
      await edge(holder).powerOff();
      expect(await oneHolder([other(holder)])).to.equal(other(holder));
    });
    printLoad(load, `; from the first to the last ${(outageMs(load) / 1000).toFixed(1)} s`);
    const { failures } = await underLoad(async () => {
      await edge(holder).powerOn();
      await segment.join(edge(holder));
      await eventually(
        "it is back, and works",
        async () => (await edge(holder).run("/etc/sluice/proxy-answers && echo yes || true")) === "yes",
        MOVE_MS,
      );
      expect(await oneHolder(), "it stays where it works").to.equal(other(holder));
    });
    expect(failures).to.deep.equal([]);
  });

  it("move it away from an HAProxy that has ended for good", async () => {
    const holder = await oneHolder();
    const control = "/var/lib/sluice/services/haproxy/supervise/control";
    const load = await underLoad(async () => {
      await edge(holder).run(`printf d >${control}`);
      await eventually("it has moved", async () => (await holders()).join() === other(holder), MOVE_MS);
    });
    printLoad(load, `; from the first to the last ${(outageMs(load) / 1000).toFixed(1)} s`);
    await edge(holder).run(`printf u >${control}`);
    expect(await oneHolder()).to.equal(other(holder));
  });

  it("move it away from an HAProxy that does not get the routes any more: only what is open then is cut", async () => {
    const holder = await oneHolder();
    const load = await underLoad(async () => {
      await edge(holder).run("systemctl stop sluice");
      await eventually("it has moved", async () => (await holders()).join() === other(holder), MOVE_MS);
      await edge(holder).run("systemctl start sluice");
    });
    printLoad(load, `; from the first to the last ${(outageMs(load) / 1000).toFixed(1)} s`);
    for (const failure of load.failures) expect(failure).to.match(/ECONNRESET|hang up/);
    expect(outageMs(load), load.failures.join()).to.be.lessThan(500);
  });

  it("have it once, also after a kill (-9) of keepalived", async () => {
    const holder = await oneHolder();
    await edge(holder).run("pkill -KILL keepalived");
    await eventually(
      "it runs again",
      async () => (await edge(holder).run("systemctl is-active sluice-address || true")) === "active",
    );
    await oneHolder();
  });

  it("leave it to the one that is left when the other is removed", async () => {
    const holder = await oneHolder();
    await fleet.sluice(`hosts remove ${holder}`);
    expect(await oneHolder()).to.equal(other(holder));
    expect(await edge(holder).run("systemctl is-enabled sluice-address || true")).to.include("disabled");
    await eventually(
      "it speaks to the other no more",
      async () =>
        !(await edge(other(holder)).run("cat /etc/sluice/keepalived.conf")).includes(edge(holder).address),
      MOVE_MS,
    );
  });
});
