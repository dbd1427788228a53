import { expect } from "chai";
import { cpus, totalmem } from "node:os";
import { HostRecords } from "../../../core/records/hosts/host-records.js";
import { keys } from "../../../core/redis/keys.js";
import type { AlertsSummary, AlertSummary } from "../../../core/api/machines/alerts.js";
import type { HostSamples, HostSummary } from "../../../core/api/machines/hosts.js";
import { eventually } from "../../support/eventually.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

describe("the monitor of a running Sluice", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  before(async () => {
    sluice = await TestSluice.start({
      settings: {
        monitor: {
          host: "web-1",
          rules: [
            {
              name: "always",
              metric: "cpu",
              below: 1000,
              forSeconds: 1,
              actions: ["notify", "drain-canary"],
            },
          ],
        },
      },
    });
    await (await sluice.clone("shop", tinyApp())).mustPush();
  });
  after(async () => sluice.dispose());

  const get = async <T>(path: string): Promise<T> => {
    const { status, body } = await sluice.control(path, { authorization: `Bearer ${await sluice.token()}` });
    if (status !== 200) throw new Error(body);
    return JSON.parse(body) as T;
  };
  const lasting = async (): Promise<AlertSummary[]> => [
    ...(await sluice.read<AlertsSummary>("alerts")).lasting,
  ];

  it("shows the host with its roles, its inventory and what it does", async () => {
    const [host] = await eventually("a sample and the inventory", async () => {
      const found = await sluice.read<HostSummary[]>("hosts");
      return found[0]?.sample != null && found[0].inventory?.system !== "Linux" && found;
    });
    expect(host).to.deep.include({ host: "web-1", roles: ["proxy", "redis", "production", "staging"] });
    expect(host?.inventory?.cpus).to.equal(cpus().length);
    expect(host?.sample?.memory.totalMegabytes).to.be.at.most(Math.ceil(totalmem() / 1024 / 1024));
    const { stdout } = await sluice.cli("hosts");
    expect(stdout).to.match(
      /^web-1 +- +proxy, redis, production, staging +ready +[\d.]+ % +[\d.]+ % of .* now$/m,
    );
  });

  it("shows instances, a series, and the same to Prometheus", async () => {
    await eventually("the instance in a sample", async () => {
      const [host] = await get<HostSummary[]>("/api/hosts");
      const instance = host?.sample?.instances["shop.v1.web.1"];
      return instance !== undefined && instance.memoryMegabytes > 5 && instance.restarts === 0;
    });
    const points = await eventually("some samples", async () => {
      const { points: now } = await get<HostSamples>("/api/hosts/web-1/samples?step=1");
      return now.length > 2 && now;
    });
    expect(points[0]?.mean).to.include.keys("cpu", "memory", "load1", "disk", "networkSentBytes");
    // It may just have turned: then there are two.
    const minutes = (await get<HostSamples>("/api/hosts/web-1/samples")).points;
    expect(minutes.reduce((sum, { samples }) => sum + samples, 0)).to.be.greaterThan(2);
    for (const { mean, max } of minutes) expect(max.cpu).to.be.at.least(mean.cpu ?? 101);
    const { body } = await sluice.control(`/metrics?token=${await sluice.token()}`);
    expect(body).to.match(/^sluice_host_cpu\{host="web-1"\} [\d.]+$/m);
    expect(body).to.match(
      /^sluice_instance_memory_megabytes\{host="web-1",app="shop",release="v1",process="web",instance="shop.v1.web.1"\} [\d.]+$/m,
    );
  });

  it("shows the last minute in small charts", async () => {
    const { status, stdout } = await eventually("the instance is in a sample", async () => {
      const shown = await sluice.cli("top");
      return shown.stdout.includes("shop.v1.web.1") && shown;
    });
    expect(status).to.equal(0);
    expect(stdout).to.match(/^web-1 {2}proxy, redis, production, staging$/m);
    expect(stdout).to.match(/^ {2}cpu +[\d.]+ % .*[▁▂▃▄▅▆▇█] +steal/m);
    expect(stdout).to.match(/^ {2}shop\.v1\.web\.1 +[\d.]+ % +\d+ MB +0$/m);
  });

  it("refuses what it does not know", async () => {
    for (const [path, code] of [
      ["hosts/nope/samples", "host-unknown"],
      ["hosts/web-1/samples?step=0", "request-invalid"],
      ["hosts/web-1/samples?step=1&from=0", "request-invalid"],
    ] as const) {
      const failed = await get(`/api/${path}`).catch((error: unknown) => String(error));
      expect(failed, path).to.include(code);
    }
    expect((await sluice.cli("alerts", "ack", "nope")).stderr).to.match(/There is no active alert "nope"\./);
    expect((await sluice.control("/api/alerts")).status).to.equal(401);
  });

  it("raises an alert, which a person acknowledges and silences", async () => {
    const [alert] = await eventually("an alert", async () => {
      const found = await lasting();
      return found.length > 0 && found;
    });
    expect(alert).to.include({ rule: "always", host: "web-1", phase: "raised", acknowledgedBy: null });
    expect((await sluice.cli("alerts")).stdout).to.include("CPU of web-1 was below 1000 % for 1 s");
    await sluice.cli("alerts", "ack", alert?.id ?? "");
    expect((await sluice.cli("alerts", "silence", alert?.id ?? "", "--minutes", "5")).status).to.equal(0);
    const [quiet] = await lasting();
    expect(quiet?.acknowledgedBy).to.equal("admin");
    expect(Date.parse(quiet?.silencedUntil ?? "") - Date.now()).to.be.within(280_000, 300_000);
  });

  it("goes on after a crash: the same alert, and no yes while it was away", async () => {
    const own = await sluice.redis();
    const { redis } = own;
    try {
      await eventually("it is set", async () => (await redis.get(keys.alert)) === "yes");
      const [before] = await lasting();
      await sluice.kill();
      await eventually("the alert key has run out", async () => (await redis.get(keys.alert)) !== "yes");
      await sluice.up();
      await eventually("it is set again", async () => (await redis.get(keys.alert)) === "yes");
      expect((await lasting()).map(({ id }) => id)).to.deep.equal([before?.id]);
      expect((await sluice.read<AlertsSummary>("alerts")).drain?.why).to.include("CPU of web-1");
    } finally {
      own.close();
    }
  });

  it("forgets a host that is gone, and resolves its alerts; one that reports it does not forget", async () => {
    const alertsOf = async (host: string): Promise<AlertSummary[]> =>
      (await lasting()).filter((alert) => alert.host === host);
    const own = await sluice.redis();
    const records = new HostRecords(own.redis);
    const known = await records.find("web-1");
    if (known === undefined) throw new Error("web-1 has no record");
    const startedAt = new Date(Date.now() - 3_600_000).toISOString();
    await records.update("web-0", () => ({ ...known, id: "web-0", startedAt }));
    own.close();
    await eventually("it is missed", async () => (await alertsOf("web-0")).length > 0, 60_000);
    expect((await sluice.cli("hosts", "forget", "web-0")).status).to.equal(0);
    await eventually("its alerts are resolved", async () => (await alertsOf("web-0")).length === 0);
    const refused = await sluice.cli("hosts", "forget", "web-1");
    expect(refused).to.include({ status: 1, stdout: "" });
    expect(refused.stderr).to.match(
      /web-1 is still running: its monitor reported \d+ s ago\.\n.*sluice down/,
    );
    expect((await sluice.read<HostSummary[]>("hosts")).map(({ host }) => host)).to.deep.equal(["web-1"]);
  });
});
