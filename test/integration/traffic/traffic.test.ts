import { expect } from "chai";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import { startLoad } from "../../support/running/load.js";
import { Runtime } from "../../../proxy/haproxy/runtime/runtime.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

/** Answers the status that the path names; `/drop` none. */
const SERVER = `require("node:http").createServer((request, response) => {
  const path = request.url.slice(1).split("?")[0];
  if (path === "drop") return request.socket.destroy();
  response.writeHead(Number(path) || 200).end("answer");
}).listen(process.env.PORT);`;

interface Figures {
  release: string;
  track: string;
  requests: number;
  answersOk: number;
  answers4xx: number;
  answers5xx: number;
  failed: number;
  bytes: number;
  p50: number | null;
  p99: number | null;
}

interface TrafficAnswer {
  series: { release: string; track: string; points: (Figures & { at: string })[] }[];
  totals: Figures[];
}

interface Status {
  apps: {
    app: string;
    tracks: { track: string; traffic: { requestsPerSecond: number; errorShare: number; p50: number } }[];
  }[];
}

describe("traffic", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  before(async () => {
    sluice = await TestSluice.start();
    await serve("shop");
  });
  after(async () => sluice.dispose());

  it("is shown exactly as it was: in the API, for Prometheus and in the status", async () => {
    const kinds = { "/200": 20, "/302": 4, "/404": 5, "/500": 3 };
    for (const [path, times] of Object.entries(kinds))
      for (let time = 0; time < times; time++) await sluice.get("shop", path);
    for (let time = 0; time < 2; time++) await post("/drop");
    const wanted = { requests: 34, answersOk: 24, answers4xx: 5, answers5xx: 3, failed: 2 };
    const [totals] = await eventually("all is written", async () => {
      const { totals } = await traffic();
      return totals[0]?.requests === 34 && totals[0].failed === 2 && totals;
    });
    expect(totals).to.include({ release: "v1", track: "production", ...wanted });
    expect(totals?.bytes).to.be.greaterThan(1000);
    expect(totals?.p50).to.be.within(0.1, 1000);
    for (const step of ["1", "60"]) {
      const { series } = await traffic(`?step=${step}`);
      expect(series.map(({ release, track }) => [release, track])).to.deep.equal([["v1", "production"]]);
      const points = series[0]?.points ?? [];
      for (const [figure, sum] of Object.entries(wanted))
        expect(points.reduce((all, point) => all + point[figure as keyof typeof wanted], 0)).to.equal(sum);
    }

    const { status, body } = await sluice.control(`/metrics?token=${await sluice.token()}`);
    expect(status).to.equal(200);
    const labels = 'app="shop",track="production",release="v1"';
    for (const [code, sum] of Object.entries({ "2xx_3xx": 24, "4xx": 5, "5xx": 3, failed: 2 }))
      expect(body).to.include(`sluice_requests_total{${labels},code="${code}"} ${sum}\n`);
    expect(body).to.include(`sluice_response_seconds_count{${labels}} 32\n`);
    expect(body).to.include(`sluice_response_seconds_bucket{${labels},le="+Inf"} 32\n`);
    expect(body).to.include('sluice_instances{app="shop"} 1\n');
    expect(body).to.match(/sluice_proxy_up\{proxy="[^"]+"\} 1\n/);

    const app = (await sluice.read<Status>("status")).apps.find(({ app }) => app === "shop");
    const recent = app?.tracks[0]?.traffic;
    expect(recent?.requestsPerSecond).to.be.closeTo(34 / 60, 0.01);
    expect(recent?.errorShare).to.be.closeTo(5 / 34, 0.001);
    expect((await sluice.cli("status")).stdout).to.match(/shop +production +v1 .* 0\.6 +14\.7 % +\S+ ms/);
  });

  it("is for those with a token only, and for times that are times", async () => {
    for (const path of ["/metrics", "/metrics?token=x", "/api/apps/shop/traffic"])
      expect((await sluice.control(path)).status, path).to.equal(401);
    const headers = { authorization: `Bearer ${await sluice.token()}` };
    expect((await sluice.control("/metrics", headers)).status).to.equal(200);
    for (const query of ["from=never", "step=7", "from=2&to=1", "step=1&from=2020-01-01"])
      expect((await sluice.control(`/api/apps/shop/traffic?${query}`, headers)).status, query).to.equal(400);
    expect((await sluice.control("/api/apps/nobody/traffic", headers)).status).to.equal(404);
  });

  it("is counted once when the server is killed (-9) in the middle of it and comes back", async () => {
    await serve("killed");
    const load = startLoad(sluice.httpPort, "killed", "/200", 200);
    await eventually("some is written", async () => (await production("killed")).requests > 100);
    await sluice.kill();
    let asked = 0;
    for (const killedAt = Date.now(); Date.now() - killedAt < 1500; asked++)
      await sluice.get("killed", "/200");
    await sluice.up();
    const { sent, failures } = await load.stop();
    expect(failures).to.deep.equal([]);
    await expectCounted("killed", sent + asked);
  });

  it("is counted once when the proxy is reloaded", async () => {
    await serve("reloaded");
    for (let time = 0; time < 10; time++) await sluice.get("reloaded", "/200");
    await sluice.kill();
    for (let time = 0; time < 10; time++) await sluice.get("reloaded", "/200");
    const worker = await workers();
    await writeFile(
      join(sluice.home, "sluice.yml"),
      stringify({ monitor: { rules: [] }, proxy: { maxConnections: 500 } }),
    );
    await sluice.up();
    expect(await workers()).not.to.equal(worker);
    for (let time = 0; time < 10; time++) await sluice.get("reloaded", "/200");
    await expectCounted("reloaded", 30);
  });

  it("is forgotten with its app", async () => {
    await serve("gone");
    await sluice.get("gone", "/200");
    const metrics = async (): Promise<string> =>
      (await sluice.control(`/metrics?token=${await sluice.token()}`)).body;
    await eventually("it is counted", async () =>
      (await metrics()).includes('sluice_requests_total{app="gone"'),
    );
    expect((await sluice.cli("destroy", "gone", "--yes")).status).to.equal(0);
    expect(await metrics()).not.to.include("gone");
  });

  async function serve(app: string): Promise<void> {
    const push = await (await sluice.clone(app, tinyApp({ "server.js": SERVER }))).push();
    expect(push.status, push.output).to.equal(0);
  }

  async function traffic(query = "", app = "shop"): Promise<TrafficAnswer> {
    const headers = { authorization: `Bearer ${await sluice.token()}` };
    const { body } = await sluice.control(`/api/apps/${app}/traffic${query}`, headers);
    return JSON.parse(body) as TrafficAnswer;
  }

  /** An app's totals by now. */
  async function production(app: string): Promise<Pick<Figures, "requests" | "answersOk">> {
    const [totals] = (await traffic("", app)).totals;
    return totals ?? { requests: 0, answersOk: 0 };
  }

  /** So many were answered well, and no more were counted by the time that two later ones have been, one after the other. */
  async function expectCounted(app: string, requests: number): Promise<void> {
    for (let counted = requests; counted <= requests + 2; counted++) {
      if (counted > requests) await sluice.get(app, "/200");
      await eventually(
        () => `${counted} are written`,
        async () => {
          const now = await production(app);
          return now.requests >= counted && now.answersOk >= counted;
        },
      );
      expect(await production(app)).to.include({ requests: counted, answersOk: counted });
    }
  }

  async function post(path: string): Promise<void> {
    const headers = { host: "shop.localhost" };
    const { status } = await ask(`127.0.0.1:${sluice.httpPort}`, {
      path,
      method: "POST",
      body: "x",
      headers,
    });
    expect(status).to.equal(502);
  }

  async function workers(): Promise<string> {
    const answer = await new Runtime(join(sluice.home, "haproxy/admin.sock")).run("show info");
    return /^Pid: (\d+)/m.exec(answer)?.[1] ?? "";
  }
});
