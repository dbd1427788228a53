import { expect } from "chai";
import { monitorSettingsSchema } from "../../../core/settings/monitor-settings.js";
import { silentLog } from "../../../core/log.js";
import type { AlertRecord, AlertTurn } from "../../../core/records/alerts/alert-record.js";
import { AlertRecords } from "../../../core/records/alerts/alert-records.js";
import { drainSchema } from "../../../core/records/alerts/drain.js";
import { FleetHosts } from "../../../core/records/fleet/fleet-hosts.js";
import { HostRecords } from "../../../core/records/hosts/host-records.js";
import { SampleSeries } from "../../../core/records/hosts/sample-series.js";
import { keys } from "../../../core/redis/keys.js";
import type { Actions } from "../../../monitor/alerts/actions.js";
import { AlertLoop } from "../../../monitor/alerts/alert-loop.js";
import { DrainCanary, DRAIN_LIFE_MS } from "../../../monitor/alerts/drain-canary.js";
import { MonitorLead } from "../../../monitor/monitor-lead.js";
import { aSample } from "../../support/fakes/a-sample.js";
import { eventually } from "../../support/eventually.js";
import { OwnRedis } from "../../support/redis/own-redis.js";

const START = 1_800_000_000_000;
const BUSY = aSample({ cpu: 80 });
const IDLE = aSample({ cpu: 10 });

describe("alerts", function () {
  this.timeout(30_000);
  let own: OwnRedis;
  let alerts: AlertRecords;
  let now: number;
  let mails: string[];
  let loops: AlertLoop[];
  before(async () => {
    own = await OwnRedis.start();
    alerts = new AlertRecords(own.redis);
  });
  beforeEach(async () => {
    await own.redis.flushall();
    now = START;
    mails = [];
    loops = [];
    await new HostRecords(own.redis).update("h", () => ({
      v: 1,
      id: "h",
      roles: ["proxy"],
      startedAt: new Date(START).toISOString(),
      inventory: { system: "", kernel: "", processor: "", cpus: 2, memoryMegabytes: 1, virtual: "" },
    }));
  });
  afterEach(async () => Promise.all(loops.map(async (loop) => loop.stop())));
  after(async () => own.stop());

  const notify = {
    tell: async (turn: AlertTurn, alert: AlertRecord) => {
      mails.push(`${turn} ${alert.rule}`);
    },
  };

  const monitor = (host: string, actions: Actions = { notify }): AlertLoop => {
    const loop = new AlertLoop({
      settings: monitorSettingsSchema.parse({
        remindSeconds: 60,
        rules: [
          { name: "cpu", metric: "cpu", above: 50, forSeconds: 5 },
          {
            name: "drain",
            hosts: { role: "proxy" },
            metric: "cpu",
            above: 50,
            forSeconds: 5,
            actions: ["drain-canary"],
          },
        ],
      }),
      hosts: new HostRecords(own.redis),
      fleet: new FleetHosts(own.redis),
      series: new SampleSeries(own.redis),
      alerts,
      lead: new MonitorLead(own.redis, host),
      actions,
      now: async () => now,
      log: silentLog,
    });
    loops.push(loop);
    return loop;
  };
  /** A host that reports once a second, and monitors that look as often. */
  const seconds = async (count: number, sample: object, ...monitors: AlertLoop[]): Promise<void> => {
    for (let second = 0; second < count; second++) {
      now += 1000;
      const entry = JSON.stringify({ v: 1, sample });
      await own.redis.xadd(keys.sampleSeconds("h"), `${now}-0`, "entry", entry);
      for (const each of monitors) await each.look();
    }
  };
  /** As if the process had been killed: nothing is given back; its lead runs out. */
  const killed = async (loop: AlertLoop): Promise<void> => {
    loops = loops.filter((each) => each !== loop);
    await own.redis.del(keys.monitorLead);
  };

  it("are told once each, and recorded", async () => {
    const first = monitor("h");
    await seconds(70, BUSY, first);
    await seconds(10, IDLE, first);
    expect(mails).to.deep.equal(["raised cpu", "reminded cpu", "resolved cpu"]);
    expect(await alerts.current()).to.deep.equal([]);
    const past = await alerts.past(10);
    expect(past.map(({ rule, phase, reminders }) => [rule, phase, reminders])).to.have.deep.members([
      ["cpu", "resolved", 1],
      ["drain", "resolved", 1],
    ]);
    expect(await own.redis.hlen(keys.monitorStates)).to.equal(0);
  });

  it("are neither repeated nor forgotten over a restart, in whatever state it comes", async () => {
    let running = monitor("h");
    const restart = async (): Promise<void> => {
      await killed(running);
      running = monitor("h");
    };
    await seconds(3, BUSY, running);
    await restart();
    await seconds(2, BUSY, running);
    expect(mails, "the seconds before the restart count").to.deep.equal([]);
    await seconds(2, BUSY, running);
    expect(mails).to.deep.equal(["raised cpu"]);
    await restart();
    await seconds(5, BUSY, running);
    expect(mails, "it lasts").to.deep.equal(["raised cpu"]);
    await seconds(3, IDLE, running);
    await restart();
    await seconds(5, IDLE, running);
    await restart();
    await seconds(5, IDLE, running);
    expect(mails).to.deep.equal(["raised cpu", "resolved cpu"]);
  });

  it("are told by the next monitor when the one that raised them could not", async () => {
    const failing = monitor("h", {
      notify: { tell: async () => Promise.reject(new Error("no mail server")) },
    });
    await seconds(10, BUSY, failing);
    expect((await alerts.current()).find(({ rule }) => rule === "cpu")?.pending).to.deep.equal([
      { action: "notify", turn: "raised" },
    ]);
    await killed(failing);
    const next = monitor("i");
    await seconds(5, BUSY, next);
    expect(mails).to.deep.equal(["raised cpu"]);
  });

  it("are told once though a mail takes its time and the monitor stops meanwhile", async () => {
    let arrive: () => void = () => undefined;
    const slow = {
      tell: async (turn: AlertTurn, alert: AlertRecord) => {
        await new Promise<void>((resolve) => (arrive = resolve));
        mails.push(`${turn} ${alert.rule}`);
      },
    };
    const first = monitor("h", { notify: slow });
    await seconds(10, BUSY, first);
    const stopping = first.stop();
    arrive();
    await stopping;
    loops = [];
    await seconds(5, BUSY, monitor("h"));
    expect(mails).to.deep.equal(["raised cpu"]);
  });

  it("are looked at by one monitor of several, and by another when that one is gone", async () => {
    const [first, second] = [monitor("h"), monitor("i")];
    await seconds(10, BUSY, first, second);
    expect(mails).to.deep.equal(["raised cpu"]);
    await first.stop();
    await seconds(10, IDLE, second, first);
    expect(mails).to.deep.equal(["raised cpu", "resolved cpu"]);
  });

  it("can be acknowledged and silenced while they last", async () => {
    const loop = monitor("h");
    await seconds(10, BUSY, loop);
    const id = (await alerts.current()).find(({ rule }) => rule === "cpu")?.id ?? "";
    await alerts.acknowledge(id, "p", now);
    await seconds(70, BUSY, loop);
    expect(mails).to.deep.equal(["raised cpu"]);
    await alerts.silence(id, { by: "p", at: now, until: now + 60_000 });
    await seconds(10, IDLE, loop);
    await seconds(10, BUSY, loop);
    expect(mails).to.deep.equal(["raised cpu"]);
    const over = (await alerts.past(5)).find((alert) => alert.id === id);
    expect(over?.acknowledged?.by).to.equal("p");
    expect(await own.redis.hlen(keys.monitorAcknowledged)).to.equal(0);
    await seconds(60, IDLE, loop);
    expect(await own.redis.hlen(keys.monitorSilences), "it has ended").to.equal(0);
    const unknown: unknown = await alerts.acknowledge("nope", "p", now).catch((error: unknown) => error);
    expect(unknown).to.have.property("code", "alert-unknown");
  });

  describe("that drain the canary", () => {
    const drain = (host: string): AlertLoop =>
      monitor(host, { notify, "drain-canary": new DrainCanary(own.redis, host) });
    const alert = async (): Promise<string | null> => own.redis.get(keys.alert);

    it("set sluice:alert until they are resolved, and say who, since when and why", async () => {
      const loop = drain("h");
      await seconds(5, BUSY, loop);
      expect(await alert()).to.equal(null);
      await seconds(5, BUSY, loop);
      expect(await alert()).to.equal("yes");
      const said = drainSchema.parse(JSON.parse((await own.redis.get(keys.monitorDrain)) ?? ""));
      expect(said.who).to.equal("h");
      expect(Date.parse(said.since)).to.be.within(START, now);
      expect(said.why).to.contain("CPU of h was above 50 %");
      await seconds(10, IDLE, loop);
      expect(await alert()).to.equal("no");
      expect(await own.redis.exists(keys.monitorDrain)).to.equal(0);
    });

    it("leave no yes behind when the monitor is gone", async () => {
      const loop = drain("h");
      await seconds(10, BUSY, loop);
      expect(await alert()).to.equal("yes");
      await killed(loop);
      for (const key of [keys.alert, keys.monitorDrain])
        expect(await own.redis.pttl(key)).to.be.within(1, DRAIN_LIFE_MS);
      // Time passes faster.
      await own.redis.pexpire(keys.alert, 10);
      await own.redis.pexpire(keys.monitorDrain, 10);
      await eventually("it has run out", async () => (await alert()) === null);
      await seconds(1, BUSY, drain("i"));
      expect(await alert(), "it lasts, and another monitor is there").to.equal("yes");
    });

    it("are set and taken back at a later look when Redis refused it at first", async () => {
      await own.redis.call("ACL", "SETUSER", "drainer", "on", ">pw", "~*", "&*", "+@all");
      const redis = own.redis.another({ username: "drainer", password: "pw" });
      const refused = async (job: () => Promise<void>): Promise<void> => {
        await own.redis.call("ACL", "SETUSER", "drainer", "-eval");
        await job();
        await own.redis.call("ACL", "SETUSER", "drainer", "+eval");
      };
      try {
        const loop = monitor("h", { notify, "drain-canary": new DrainCanary(redis, "h") });
        await refused(async () => seconds(10, BUSY, loop));
        expect(await alert(), "it was refused").to.equal(null);
        await seconds(1, BUSY, loop);
        expect(await alert()).to.equal("yes");
        await refused(async () => seconds(10, IDLE, loop));
        expect(await alert(), "that was refused, too").to.equal("yes");
        await seconds(1, IDLE, loop);
        expect(await alert()).to.equal("no");
      } finally {
        redis.disconnect();
      }
    });

    it("are taken back by another monitor when they ended meanwhile", async () => {
      const loop = drain("h");
      await seconds(10, BUSY, loop);
      await killed(loop);
      await seconds(10, IDLE, drain("i"));
      expect(await alert()).to.equal("no");
    });

    it("never clear what a person has set, before or since", async () => {
      const loop = drain("h");
      await own.redis.set(keys.alert, "yes");
      await seconds(10, BUSY, loop);
      await seconds(10, IDLE, loop);
      expect(await alert(), "before").to.equal("yes");
      expect(await own.redis.pttl(keys.alert)).to.equal(-1);
      await own.redis.set(keys.alert, "no");
      await seconds(10, BUSY, loop);
      await own.redis.set(keys.alert, "yes");
      await seconds(10, BUSY, loop);
      await seconds(10, IDLE, loop);
      expect(await alert(), "since").to.equal("yes");
    });

    it("obey a person who wants the canary back while they last, until the next one", async () => {
      const loop = drain("h");
      await seconds(10, BUSY, loop);
      await own.redis.set(keys.alert, "no");
      await seconds(10, BUSY, loop);
      expect(await alert()).to.equal("no");
      await seconds(10, IDLE, loop);
      await seconds(10, BUSY, loop);
      expect(await alert()).to.equal("yes");
    });
  });
});
