import { expect } from "chai";
import { HostRecords } from "../../../../core/records/hosts/host-records.js";
import type { HostRecord } from "../../../../core/records/hosts/host-record.js";
import { MINUTES_KEPT, SampleSeries, SECONDS_KEPT } from "../../../../core/records/hosts/sample-series.js";
import type { Sample } from "../../../../core/records/hosts/sample.js";
import { keys } from "../../../../core/redis/keys.js";
import { aSample } from "../../../support/fakes/a-sample.js";
import { eventually } from "../../../support/eventually.js";
import { OwnRedis } from "../../../support/redis/own-redis.js";

const MINUTE_MS = 60_000;
/** What a host takes of Redis at most, as docs/machines.md says. */
const MEGABYTE = 1024 * 1024;

describe("the series of samples in Redis", function () {
  this.timeout(60_000);
  let own: OwnRedis;
  let series: SampleSeries;
  before(async () => {
    own = await OwnRedis.start();
    series = new SampleSeries(own.redis);
  });
  beforeEach(async () => own.redis.flushall());
  after(async () => own.stop());

  /** As `append` would have written it at that time. */
  const wroteAt = async (at: number, sample: Sample): Promise<void> => {
    const entry = JSON.stringify({ v: 1, sample });
    await own.redis.xadd(keys.sampleSeconds("h"), `${at}-0`, "entry", entry);
  };

  it("tells the newest of each host, and what came after a cursor", async () => {
    expect((await series.since("h", undefined)).samples).to.deep.equal([]);
    await series.append("h", aSample({ cpu: 10 }));
    const first = await series.since("h", undefined);
    expect(first.samples.map(({ sample }) => sample.cpu.busy)).to.deep.equal([10]);
    await series.append("h", aSample({ cpu: 20 }));
    await series.append("i", aSample({ cpu: 30 }));
    const next = await series.since("h", first.cursor);
    expect(next.samples.map(({ sample }) => sample.cpu.busy)).to.deep.equal([20]);
    expect((await series.since("h", next.cursor)).samples).to.deep.equal([]);
    const newest = await series.newest(["h", "none", "i"]);
    expect([...newest].map(([host, { sample }]) => [host, sample.cpu.busy])).to.deep.equal([
      ["h", 20],
      ["i", 30],
    ]);
    expect(newest.get("h")?.at).to.be.closeTo(Date.now(), 10_000);
  });

  it("adds minutes up once, their means and their maxima, and loses none that was not added up in time", async () => {
    await eventually("this minute lasts for a while", () => Date.now() % MINUTE_MS < MINUTE_MS - 10_000);
    const minute = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 3 * MINUTE_MS;
    await wroteAt(minute, aSample({ cpu: 10, load1: 1 }));
    await wroteAt(minute + 1000, aSample({ cpu: 40 }));
    await wroteAt(minute + MINUTE_MS, aSample({ cpu: 70 }));
    await series.append("h", aSample({ cpu: 90 }));
    const read = async (): Promise<unknown[]> =>
      (await series.range("h", { from: minute, to: Date.now() + MINUTE_MS, stepSeconds: 60 })).map(
        ({ at, samples, mean, max }) => [
          Math.min(3, (at - minute) / MINUTE_MS),
          samples,
          mean.cpu,
          max.cpu,
          mean.load1,
        ],
      );
    const wanted = [
      [0, 2, 25, 40, 1],
      [1, 1, 70, 70, undefined],
      [3, 1, 90, 90, undefined],
    ];
    expect(await read(), "nothing added up").to.deep.equal(wanted);
    await Promise.all([series.sumMinutes("h"), series.sumMinutes("h")]);
    await series.sumMinutes("h");
    expect(await own.redis.xlen(keys.sampleMinutes("h"))).to.equal(2);
    expect(await read(), "added up").to.deep.equal(wanted);
    await own.redis.del(keys.sampleSeconds("h"));
    expect(await read(), "without the seconds").to.deep.equal(wanted.slice(0, 2));
  });

  it("answers in the step that is asked for", async () => {
    const start = Math.floor(Date.now() / 600_000) * 600_000 - 600_000;
    for (let second = 0; second < 20; second++)
      await wroteAt(start + second * 1000, aSample({ cpu: second }));
    const range = async (stepSeconds: number) =>
      (await series.range("h", { from: start, to: start + 600_000, stepSeconds })).map(
        ({ at, mean, max }) => [at - start, mean.cpu, max.cpu],
      );
    expect(await range(1)).to.have.length(20);
    expect(await range(10)).to.deep.equal([
      [0, 4.5, 9],
      [10_000, 14.5, 19],
    ]);
    expect(await range(600)).to.deep.equal([[0, 9.5, 19]]);
    const cut = await series.range("h", { from: start + 5000, to: start + 7000, stepSeconds: 1 });
    expect(cut.map(({ mean }) => mean.cpu)).to.deep.equal([5, 6]);
  });

  it("keeps an hour of seconds and 30 days of minutes, in bounded memory", async () => {
    const instances = Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [
        `some-app.v12.web.${index}`,
        { cpu: 12.3, memoryMegabytes: 123.4, restarts: 1 },
      ]),
    );
    const full = (): Sample => ({
      ...aSample({ cpu: Math.round(Math.random() * 1000) / 10, memory: 12.3 }),
      load1: 1.23,
      pressure: { cpu: 1.2, memory: 3.4, io: 5.6 },
      disk: { usedMegabytes: 12345, totalMegabytes: 123456, percent: 12.3 },
      network: { receivedBytes: 123456, sentBytes: 1234567 },
      instances,
    });
    for (let count = 0; count < SECONDS_KEPT + 500; count += 500)
      await Promise.all(Array.from({ length: 500 }, async () => series.append("h", full())));
    const minute = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - (MINUTES_KEPT + 500) * MINUTE_MS;
    const row = Array.from({ length: 15 }, (_, index) => 12.34 + index * 1111);
    const entry = JSON.stringify({ v: 1, samples: 60, mean: row, max: row });
    const batch = own.redis.pipeline();
    for (let count = 0; count < MINUTES_KEPT + 500; count++)
      batch.xadd(
        keys.sampleMinutes("h"),
        "MAXLEN",
        "~",
        MINUTES_KEPT,
        `${minute + count * MINUTE_MS}-0`,
        "entry",
        entry,
      );
    await batch.exec();
    expect(await own.redis.xlen(keys.sampleSeconds("h"))).to.be.within(SECONDS_KEPT, SECONDS_KEPT + 100);
    expect(await own.redis.xlen(keys.sampleMinutes("h"))).to.be.within(MINUTES_KEPT, MINUTES_KEPT + 100);
    const usage = async (key: string): Promise<number> =>
      Number(await own.redis.call("MEMORY", "USAGE", key, "SAMPLES", "0")) / MEGABYTE;
    const seconds = await usage(keys.sampleSeconds("h"));
    const minutes = await usage(keys.sampleMinutes("h"));
    expect(seconds, `seconds: ${seconds} MB`).to.be.lessThan(6);
    expect(minutes, `minutes: ${minutes} MB`).to.be.lessThan(16);
    for (const key of [keys.sampleSeconds("h"), keys.sampleMinutes("h")]) await own.redis.expire(key, 1);
    await series.remove("h");
    expect(await own.redis.keys("*")).to.deep.equal([]);
  });

  it("goes by itself when a host is gone for good", async () => {
    await series.append("h", aSample());
    expect(await own.redis.ttl(keys.sampleSeconds("h"))).to.be.greaterThan(3600);
  });

  it("has the hosts by name until they are removed", async () => {
    const hosts = new HostRecords(own.redis);
    const inventory = { system: "", kernel: "", processor: "", cpus: 2, memoryMegabytes: 1, virtual: "" };
    const record = (id: string): HostRecord => ({
      v: 1,
      id,
      roles: ["proxy"],
      startedAt: "2026-01-31T10:00:00.000Z",
      inventory,
    });
    await hosts.update("b", () => record("b"));
    await hosts.update("a", () => record("a"));
    expect((await hosts.list()).map(({ id }) => id)).to.deep.equal(["a", "b"]);
    expect(await hosts.find("b")).to.deep.equal(record("b"));
    await hosts.remove("b");
    expect(await hosts.find("b")).to.equal(undefined);
  });

  it("keeps what two writers change in one host's record at once", async () => {
    const hosts = new HostRecords(own.redis);
    const inventory = { system: "", kernel: "", processor: "", cpus: 0, memoryMegabytes: 0, virtual: "" };
    await hosts.update("a", () => ({ v: 1, id: "a", roles: [], startedAt: "", inventory }));
    const add = async (field: "cpus" | "memoryMegabytes"): Promise<void> =>
      hosts.update("a", (before) => {
        if (before === undefined) throw new Error("it is gone");
        const changed = { ...before.inventory, [field]: before.inventory[field] + 1 };
        return { ...before, inventory: changed };
      });
    await Promise.all(
      Array.from({ length: 20 }, async (_, turn) => add(turn % 2 ? "cpus" : "memoryMegabytes")),
    );
    expect((await hosts.find("a"))?.inventory).to.include({ cpus: 10, memoryMegabytes: 10 });
  });
});
