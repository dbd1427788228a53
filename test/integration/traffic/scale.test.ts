import { expect } from "chai";
import type { ScaleSummary } from "../../../core/api/apps/scale.js";
import type { AppSummary } from "../../../core/api/apps/apps.js";
import { eventually } from "../../support/eventually.js";
import { startLoad } from "../../support/running/load.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { ask } from "../../support/network/ask.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { TINY_SERVER, tinyApp } from "../../support/git/tiny-app.js";

/** Longer than the app lives after TERM. */
const SLOW_MS = 4000;
const PROCFILE = "web: node server.js\nworker: sleep 1000\n";
const quickStandby = JSON.stringify({ sluice: { standbySeconds: 0 } });

describe("sluice scale", function () {
  this.timeout(90_000);
  let sluice: TestSluice;
  let clone: TestClone;
  before(async () => {
    sluice = await TestSluice.start();
    clone = await sluice.clone("shop", { ...withServer(""), Procfile: PROCFILE, "app.json": quickStandby });
    await clone.mustPush();
  });
  after(async () => sluice.dispose());

  const scale = async (app: string, ...sizes: string[]): Promise<string> => {
    const { status, stdout, stderr } = await sluice.cli("scale", app, ...sizes);
    expect(status, stderr).to.equal(0);
    return stdout;
  };
  const refusal = async (app: string, ...sizes: string[]): Promise<string> => {
    const { status, stderr } = await sluice.cli("scale", app, ...sizes);
    expect(status).to.equal(1);
    return stderr;
  };
  const sizes = async (app: string): Promise<string[]> => {
    const { processes } = await sluice.read<ScaleSummary>(`apps/${app}/scale`);
    return processes.map(({ process, quantity, running }) => `${process} ${quantity}/${running}`);
  };
  const answering = async (app: string): Promise<Set<string>> => {
    const answers = await Promise.all(Array.from({ length: 30 }, async () => sluice.get(app)));
    return new Set(answers.map(({ status, body }) => (status === 200 ? body : `status ${status}`)));
  };
  const runs = async (app: string, ...instances: string[]): Promise<void> => {
    await eventually(
      `only ${instances.join(", ")} run`,
      async () =>
        (await sluice.instances()).filter((id) => id.startsWith(`${app}.`)).join(" ") ===
        instances.map((instance) => `${app}.${instance}`).join(" "),
    );
  };

  it("starts more of production and lets them go again, under load, without a failed request", async () => {
    const load = startLoad(sluice.httpPort, "shop");
    expect(await scale("shop", "web=3", "worker=1")).to.match(/Scaled: web 3, worker 1 \(v1, /);
    expect(await answering("shop")).to.deep.equal(new Set(["v1 web.1", "v1 web.2", "v1 web.3"]));
    expect(await sizes("shop")).to.deep.equal(["web 3/3", "worker 1/1"]);
    const slow = await openOnEach("shop", 3);
    await scale("shop", "web=1", "worker=0");
    expect(await answering("shop")).to.deep.equal(new Set(["v1 web.1"]));
    await slow.end();
    await runs("shop", "v1.web.1");
    const { failures, sent } = await load.stop();
    expect(failures).to.deep.equal([]);
    expect(sent).to.be.above(500);
  });

  it("takes one back that is leaving", async () => {
    await scale("shop", "web=2");
    const slow = await openOnEach("shop", 2);
    await scale("shop", "web=1");
    await scale("shop", "web=2");
    await slow.end();
    expect(await answering("shop")).to.deep.equal(new Set(["v1 web.1", "v1 web.2"]));
    await scale("shop", "web=1");
    await runs("shop", "v1.web.1");
  });

  it("is kept by the next release and by a rollback, and tells who asked", async () => {
    await scale("shop", "web=3");
    await clone.commit({ "note.txt": "2" });
    await clone.mustPush();
    expect(await sizes("shop")).to.deep.equal(["web 3/3", "worker 0/0"]);
    expect(await answering("shop")).to.deep.equal(new Set(["v2 web.1", "v2 web.2", "v2 web.3"]));
    await runs("shop", "v2.web.1", "v2.web.2", "v2.web.3");
    await scale("shop", "web=2");
    expect((await sluice.cli("rollback", "shop")).status).to.equal(0);
    expect(await answering("shop")).to.deep.equal(new Set(["v1 web.1", "v1 web.2"]));
    const [last] = (await sluice.read<ScaleSummary>("apps/shop/scale")).decisions;
    expect(last).to.include({ by: "admin", process: "web", from: 3, to: 2, outcome: "done" });
    expect(await scale("shop")).to.match(/^v1: web 2, worker 0; no autoscaling\n[^]*web 3 → 2/);
  });

  it("is refused where app.json says how many, and for what makes no sense", async () => {
    const formation = JSON.stringify({ formation: { web: { quantity: 2 } } });
    const fixed = await sluice.clone("fixed", tinyApp({ "app.json": formation }));
    await fixed.mustPush();
    expect(await refusal("fixed", "web=3")).to.include("formation: web");
    expect(await sizes("fixed")).to.deep.equal(["web 2/2"]);
    expect(await refusal("shop", "wrk=1"))
      .to.include('no process "wrk"')
      .and.include("web, worker");
    expect(await refusal("nobody", "web=1")).to.include('no app "nobody"');
    for (const size of ["web=-1", "web=x", "web", "web=101", "=3"]) {
      const { status, stderr } = await sluice.cli("scale", "shop", size);
      expect(status, size).to.equal(2);
      expect(stderr).to.include("It must be PROCESS=N, such as web=3");
    }
    const bounds = JSON.stringify({ sluice: { scale: { min: 1, max: 2 } } });
    const bounded = await sluice.clone("bounded", tinyApp({ "app.json": bounds }));
    await bounded.mustPush();
    expect(await refusal("bounded", "web=3")).to.include("between 1 and 2");
  });

  it("changes nothing when a new instance is not healthy", async () => {
    const app = await sluice.clone("sick", withServer(`if (process.env.DYNO === "web.3") process.exit(3);`));
    await app.mustPush();
    const load = startLoad(sluice.httpPort, "sick");
    expect(await refusal("sick", "web=3")).to.include("web.3 ended (status 3)");
    await runs("sick", "v1.web.1");
    expect(await sizes("sick")).to.deep.equal(["web 1/1"]);
    const [last] = (await sluice.read<ScaleSummary>("apps/sick/scale")).decisions;
    expect(last?.outcome).to.include("web.3 ended");
    expect((await load.stop()).failures).to.deep.equal([]);
  });

  it("leaves the old number and no more when the server is killed (-9) while instances start", async () => {
    const later = `const start = () => {${TINY_SERVER}};
      process.env.DYNO === "web.1" ? start() : setTimeout(start, 20000);`;
    const app = await sluice.clone("killed", tinyApp({ "server.js": later }));
    await app.mustPush();
    const load = startLoad(sluice.httpPort, "killed");
    const change = sluice.cli("scale", "killed", "web=3");
    await eventually("they are being started", async () =>
      (await sluice.instances()).includes("killed.v1.web.3"),
    );
    await sluice.kill();
    expect((await change).status).to.equal(1);
    await sluice.up();
    await runs("killed", "v1.web.1");
    expect(await sizes("killed")).to.deep.equal(["web 1/1"]);
    expect((await load.stop()).failures).to.deep.equal([]);
  });

  it("lets what is open finish, when the server is killed (-9) while instances leave", async () => {
    const app = await sluice.clone("drains", withServer(""));
    await app.mustPush();
    await scale("drains", "web=2");
    const slow = await openOnEach("drains", 2);
    await scale("drains", "web=1");
    await sluice.kill();
    await sluice.up();
    expect(await sizes("drains")).to.deep.equal(["web 1/1"]);
    await slow.end();
    await runs("drains", "v1.web.1");
  });

  /** Slow requests, some on each of an app's instances: resolves when they have begun. */
  async function openOnEach(app: string, instances: number): Promise<{ end(): Promise<void> }> {
    const slow = Array.from({ length: 4 * instances }, async () => sluice.get(app, `/slow?ms=${SLOW_MS}`));
    await eventually("all have begun", async () => (await openOn(app)) === slow.length);
    return {
      end: async () => {
        const answers = await Promise.all(slow);
        expect(answers.filter(({ status }) => status !== 200)).to.deep.equal([]);
        expect(new Set(answers.map(({ body }) => body)).size).to.equal(instances);
      },
    };
  }

  /** Slow requests that are open, over all of an app's instances; each is asked at its own address. */
  async function openOn(app: string): Promise<number> {
    const summaries = await sluice.read<AppSummary[]>("apps");
    const instances = summaries.find((summary) => summary.app === app)?.instances ?? [];
    const answers = await Promise.all(
      instances.flatMap(({ address }) => (address === undefined ? [] : [ask(address, { path: "/open" })])),
    );
    return answers.reduce((sum, { body }) => sum + Number(body), 0);
  }
});

/** A slow answer is the instance's name; it knows how many are open. */
const SLOW_SERVER = TINY_SERVER.replace(
  'if (url.pathname === "/slow")',
  `if (url.pathname === "/open") return response.end(String(open));
  if (url.pathname === "/slow") {
    open++;
    response.on("close", () => open--);
    return setTimeout(() => response.end(DYNO), Number(url.searchParams.get("ms")));
  }
  if (false)`,
);

function withServer(first: string): Record<string, string> {
  return tinyApp({ "server.js": `${first}\nlet open = 0;\n${SLOW_SERVER}` });
}
