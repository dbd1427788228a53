import { expect } from "chai";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { ask } from "../support/ask.js";
import { eventually } from "../support/eventually.js";
import { startLoad } from "../support/load.js";
import { Runtime } from "../../proxy/haproxy/runtime.js";
import { TestSluice } from "../support/test-sluice.js";
import { tinyApp } from "../support/tiny-app.js";

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
    const push = await (await sluice.clone("shop", tinyApp({ "server.js": SERVER }))).push();
    expect(push.status, push.output).to.equal(0);
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

    const [app] = (await sluice.read<Status>("status")).apps;
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
    const before = (await settled()).requests;
    const load = startLoad(sluice.httpPort, "shop", "/200", 200);
    await eventually("some is written", async () => (await settled()).requests > before + 100);
    await sluice.kill();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await sluice.up();
    const { sent, failures } = await load.stop();
    expect(failures).to.deep.equal([]);
    await eventually(
      () => `${sent} are written`,
      async () => (await settled()).requests >= before + sent,
    );
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect((await settled()).requests).to.equal(before + sent);
    expect((await settled()).answersOk + 10).to.equal(before + sent);
  });

  it("is counted once when the proxy is reloaded", async () => {
    const before = (await settled()).requests;
    for (let time = 0; time < 10; time++) await sluice.get("shop", "/200");
    await sluice.kill();
    for (let time = 0; time < 10; time++) await sluice.get("shop", "/200");
    const worker = await workers();
    await writeFile(join(sluice.home, "sluice.yml"), stringify({ proxy: { maxConnections: 500 } }));
    await sluice.up();
    expect(await workers()).not.to.equal(worker);
    for (let time = 0; time < 10; time++) await sluice.get("shop", "/200");
    await eventually("all is written", async () => (await settled()).requests >= before + 30);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect((await settled()).requests).to.equal(before + 30);
  });

  it("is forgotten with its app", async () => {
    expect((await sluice.cli("destroy", "shop", "--yes")).status).to.equal(0);
    const { body } = await sluice.control(`/metrics?token=${await sluice.token()}`);
    expect(body).not.to.include("shop");
  });

  async function traffic(query = ""): Promise<TrafficAnswer> {
    const headers = { authorization: `Bearer ${await sluice.token()}` };
    const { body } = await sluice.control(`/api/apps/shop/traffic${query}`, headers);
    return JSON.parse(body) as TrafficAnswer;
  }

  /** Production's totals by now. */
  async function settled(): Promise<Figures> {
    const [totals] = (await traffic()).totals;
    if (totals === undefined) throw new Error("no traffic");
    return totals;
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
