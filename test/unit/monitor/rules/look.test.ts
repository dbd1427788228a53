import { expect } from "chai";
import { monitorSettingsSchema } from "../../../../core/settings/monitor-settings.js";
import type { AlertRecord, AlertTurn } from "../../../../core/records/alerts/alert-record.js";
import type { HostRecord, HostRole } from "../../../../core/records/hosts/host-record.js";
import type { Sample } from "../../../../core/records/hosts/sample.js";
import { look, type Seen } from "../../../../monitor/rules/look.js";
import type { RuleState } from "../../../../monitor/rules/evaluate-rule.js";
import { told } from "../../../../monitor/rules/alert-life.js";
import { aSample } from "../../../support/fakes/a-sample.js";

const START = 1_800_000_000_000;
const rules = [
  { name: "cpu", metric: "cpu", above: 50, forSeconds: 2 },
  {
    name: "proxy-cpu",
    hosts: { role: "proxy" },
    metric: "cpu",
    above: 50,
    forSeconds: 2,
    actions: ["drain-canary"],
  },
];

const host = (id: string, roles: HostRole[] = []): HostRecord => ({
  v: 1,
  id,
  roles,
  startedAt: new Date(START).toISOString(),
  inventory: { system: "", kernel: "", processor: "", cpus: 2, memoryMegabytes: 1, virtual: "" },
});

/** Looks once a second, and does with the outcome what the loop does. */
class Watched {
  readonly all = new Map<string, AlertRecord>();
  readonly turns: string[] = [];
  now = START;
  silences: Seen["silences"] = new Map();
  acknowledgements: Seen["acknowledgements"] = new Map();
  failures: Seen["failures"] = new Map();
  hosts: HostRecord[];
  private readonly states = new Map<string, RuleState>();
  private readonly newest = new Map<string, { at: number; sample: Sample }>();
  private ids = 0;

  constructor(
    hosts: HostRecord[],
    readonly settings = monitorSettingsSchema.parse({ rules, remindSeconds: 100 }),
  ) {
    this.hosts = hosts;
  }

  seconds(count: number, samples: Readonly<Record<string, Sample>>): void {
    for (let second = 0; second < count; second++) {
      this.now += 1000;
      for (const [id, sample] of Object.entries(samples)) this.newest.set(id, { at: this.now, sample });
      const { now, hosts, newest, states, silences, acknowledgements, failures } = this;
      const alerts = [...this.all.values()].filter(({ phase }) => phase !== "resolved");
      const outcome = look(
        { now, hosts, newest, states, silences, acknowledgements, failures, alerts },
        this.settings,
        () => `a${++this.ids}`,
      );
      for (const [subject, state] of outcome.states)
        if (state === undefined) this.states.delete(subject);
        else this.states.set(subject, state);
      for (const alert of outcome.alerts) this.all.set(alert.id, this.tell(alert));
    }
  }

  get lasting(): string[] {
    return [...this.all.values()]
      .filter(({ phase }) => phase !== "resolved")
      .map(({ rule, host: on }) => `${rule}@${on}`);
  }

  private tell(alert: AlertRecord): AlertRecord {
    return alert.pending.reduce((rest, { action, turn }) => {
      this.turns.push(`${turn} ${alert.rule}@${alert.host} ${action}`);
      return told(rest, action, turn);
    }, alert);
  }
}

describe("a look at the hosts", () => {
  const busy = aSample({ cpu: 80 });
  const idle = aSample({ cpu: 10 });

  it("raises an alert for a host that could not be provisioned, until it is, or is gone", () => {
    const watched = new Watched([]);
    watched.failures = new Map([["web-2", "web-2 could not be provisioned (configuring): its disk is full"]]);
    watched.seconds(3, {});
    expect(watched.lasting).to.deep.equal(["provision@web-2"]);
    expect([...watched.all.values()].map(({ text }) => text)).to.deep.equal([
      "web-2 could not be provisioned (configuring): its disk is full",
    ]);
    watched.failures = new Map();
    watched.seconds(2, {});
    expect(watched.turns).to.deep.equal(["raised provision@web-2 notify", "resolved provision@web-2 notify"]);
  });

  it("raises an alert once, reminds of it when that is due, and resolves it once", () => {
    const watched = new Watched([host("h")]);
    watched.seconds(250, { h: busy });
    watched.seconds(50, { h: idle });
    expect(watched.turns).to.deep.equal(
      (["raised", "reminded", "reminded", "resolved"] satisfies AlertTurn[]).map(
        (turn) => `${turn} cpu@h notify`,
      ),
    );
    const [alert] = [...watched.all.values()];
    expect(alert).to.include({ phase: "resolved", reminders: 2, worst: 80, value: 10 });
    expect(alert?.text).to.equal("CPU of h was above 50 % for 2 s; it is 80 %.");
  });

  it("asks only those hosts that a rule is about", () => {
    const watched = new Watched([host("a", ["proxy"]), host("b", ["production"]), host("c")]);
    watched.seconds(5, { a: busy, b: busy, c: idle });
    expect(watched.lasting).to.have.members(["cpu@a", "proxy-cpu@a", "cpu@b"]);
    expect(watched.turns).to.include("raised proxy-cpu@a drain-canary");
  });

  it("raises an alert for a host that stops reporting, and keeps what was wrong with it", () => {
    const watched = new Watched([host("h"), host("i")]);
    watched.seconds(5, { h: busy, i: idle });
    watched.seconds(14, { i: idle });
    expect(watched.lasting).to.deep.equal(["cpu@h"]);
    watched.seconds(3, { i: idle });
    expect(watched.lasting).to.have.members(["cpu@h", "silent@h"]);
    watched.seconds(60, { h: busy, i: idle });
    expect(watched.lasting).to.deep.equal(["cpu@h"]);
    expect(watched.turns.filter((turn) => turn.includes("silent"))).to.deep.equal([
      "raised silent@h notify",
      "resolved silent@h notify",
    ]);
  });

  it("takes nobody for silent because nobody looked for a while, or the clock jumped", () => {
    for (const jumpMs of [3_600_000, -3_600_000]) {
      const watched = new Watched([host("h")]);
      watched.seconds(5, { h: idle });
      watched.now += jumpMs;
      watched.seconds(2, {});
      watched.seconds(60, { h: idle });
      expect(watched.turns).to.deep.equal([]);
    }
  });

  it("tells nothing under a silence, and nothing later of what began and ended under it", () => {
    const watched = new Watched([host("h")]);
    watched.silences = new Map([["cpu@h", { by: "p", at: START, until: START + 50_000 }]]);
    watched.seconds(20, { h: busy });
    watched.seconds(10, { h: idle });
    expect(watched.turns).to.deep.equal([]);
    watched.seconds(25, { h: busy });
    expect([watched.now > START + 50_000, watched.lasting]).to.deep.equal([true, ["cpu@h"]]);
    watched.seconds(50, { h: idle });
    expect([watched.turns, watched.lasting], "raised under it, resolved after it").to.deep.equal([[], []]);
    watched.seconds(5, { h: busy });
    expect(watched.turns).to.deep.equal(["raised cpu@h notify"]);
  });

  it("reminds nobody of what was acknowledged, but says when it is over", () => {
    const watched = new Watched([host("h")]);
    watched.seconds(5, { h: busy });
    watched.acknowledgements = new Map([["a1", { by: "p", at: watched.now }]]);
    watched.seconds(500, { h: busy });
    watched.seconds(5, { h: idle });
    expect(watched.turns).to.deep.equal(["raised cpu@h notify", "resolved cpu@h notify"]);
    expect(watched.all.get("a1")?.acknowledged?.by).to.equal("p");
  });

  it("resolves what nobody watches any more: the host was removed", () => {
    const watched = new Watched([host("h"), host("i")]);
    watched.seconds(5, { h: busy, i: busy });
    watched.hosts = [host("i")];
    watched.seconds(1, { i: busy });
    expect(watched.lasting).to.deep.equal(["cpu@i"]);
  });

  it("has no opinion on what a host does not tell", () => {
    const settings = monitorSettingsSchema.parse({
      rules: [{ name: "io", metric: "pressureIo", below: 50, forSeconds: 0 }],
    });
    const watched = new Watched([host("h")], settings);
    watched.seconds(5, { h: idle });
    expect(watched.turns).to.deep.equal([]);
  });
});
