import { expect } from "chai";
import fc from "fast-check";
import { FIGURES, noTraffic, sumOf, type Traffic } from "../../../core/records/traffic/traffic.js";
import { increments, type Baseline } from "../../../proxy/increments.js";
import type { Count } from "../../../proxy/proxy.js";

describe("the increments of counters", () => {
  it("are exact over any history of requests, looks, lost answers, forgotten counters and restarts", () => {
    fc.assert(
      fc.property(fc.array(eventArbitrary, { maxLength: 60 }), (events) => {
        const world = new World();
        const book = new Ledger();
        for (const event of [...events, { kind: "end" } as const, { kind: "look", all: true } as const]) {
          if (event.kind === "look") book.look(world.counts(), event.all);
          else if (event.kind === "forget" || event.kind === "restart") {
            // What nobody looked at before it went is lost to anyone.
            world.do({ kind: "end" });
            book.look(world.counts(), true);
            world.do(event);
            if (event.kind === "forget") book.look(world.counts(), true);
          } else world.do(event);
        }
        for (const [release, truth] of world.truth) expect(book.of(release), release).to.deep.equal(truth);
        for (const [who, truth] of world.truthOf)
          expect(book.of(releaseOf(who), hasAsked(who)), `${who}`).to.deep.equal(truth);
      }),
      { numRuns: 300 },
    );
  });

  it("begin at zero again when a counter does, and go on when 32 bits are full", () => {
    const book = new Ledger();
    book.look([count({ requests: 100, bytes: 900 })], false);
    book.look([count({ requests: 3, bytes: 20 })], false);
    expect(book.of("a/v1")).to.include({ requests: 103, bytes: 920 });
    const full = new Ledger();
    full.look([count({ requests: 2 ** 32 - 5, bytes: 1e12 })], false);
    full.look([count({ requests: 7, bytes: 1e12 + 1 })], false);
    expect(full.of("a/v1")).to.include({ requests: 2 ** 32 + 7, bytes: 1e12 + 1 });
  });

  it("take no answer below 400 back when one from 400 on is seen by its status first", () => {
    const book = new Ledger();
    const latencies = (answers: number): Map<number, number> => new Map([[3, answers]]);
    book.look([count({ requests: 3, answers4xx: 1, latencies: latencies(0) })], false);
    book.look([count({ requests: 3, answers4xx: 1, latencies: latencies(2) })], false);
    book.look([count({ requests: 3, answers4xx: 1, latencies: latencies(3) })], true);
    expect(book.of("a/v1")).to.include({ answersOk: 2, answers4xx: 1 });
  });

  it("blame failures that no instance took on whose requests were not answered, then on the busiest", () => {
    const slot = (errors: number): Count["slot"] => ({ name: "s", errors });
    const ok = (answers: number): Partial<Count> => ({
      requests: answers,
      latencies: new Map([[3, answers]]),
    });
    const book = new Ledger();
    const look = (sent: Partial<Count>, asked: Partial<Count>, errors: number): void =>
      book.look(
        [
          count({ ...sent, slot: slot(errors) }),
          count({ ...asked, key: "asked", asked: true, slot: slot(errors) }),
        ],
        true,
      );
    look({ ...ok(50), requests: 53 }, { requests: 7 }, 10);
    expect([book.of("a/v1", false).failed, book.of("a/v1", true).failed]).to.deep.equal([3, 7]);
    // Begun in a look before.
    look({ ...ok(60), requests: 63 }, { requests: 7 }, 11);
    expect([book.of("a/v1", false).failed, book.of("a/v1", true).failed]).to.deep.equal([4, 7]);
  });

  it("take an answer 501 for no fault of a request that broke off", () => {
    const book = new Ledger();
    const slot = { name: "s", errors: 2 };
    book.look([count({ requests: 2, answers5xx: 1, faults: 1, latencies: new Map([[3, 1]]), slot })], true);
    expect(book.of("a/v1")).to.include({ answers5xx: 1, failed: 1 });
  });

  it("count a bucket from zero that was forgotten alone", () => {
    const book = new Ledger();
    book.look([count({ requests: 5, latencies: new Map([[3, 5]]) })], true);
    book.look([count({ requests: 6, latencies: new Map([[3, 1]]) })], false);
    expect(book.of("a/v1")).to.deep.include({ requests: 6, latencies: { 3: 6 } });
  });
});

type Event =
  | { kind: "answer"; who: number; status: "Ok" | "4xx" | "5xx" | "failed"; bucket: number }
  | { kind: "end" | "restart" | "forget" }
  | { kind: "look"; all: boolean };

const eventArbitrary: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant("answer" as const),
      who: fc.nat(3),
      status: fc.constantFrom("Ok" as const, "4xx" as const, "5xx" as const, "failed" as const),
      bucket: fc.nat(3),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("look" as const), all: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("end" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("restart" as const, "forget" as const) }) },
);

/**
 * Two releases; each has two counters (visitors, and whoever asked) in a slot of its own. An error stands in the slot when
 * it has ended.
 */
class World {
  readonly truth = new Map(["a/v1", "a/v2"].map((release) => [release, noTraffic()]));
  /** Of who has counted it. */
  readonly truthOf = new Map([0, 1, 2, 3].map((who) => [who, noTraffic()]));
  private process = 1;
  private counters = new Map<number, Traffic>();
  private errors = new Map<string, number>();
  private unended: string[] = [];

  do(event: Exclude<Event, { kind: "look" }>): void {
    if (event.kind === "answer") this.answer(event);
    else if (event.kind === "end") {
      for (const slot of this.unended.splice(0)) this.errors.set(slot, (this.errors.get(slot) ?? 0) + 1);
    } else {
      this.counters.clear();
      if (event.kind === "forget") return;
      this.process++;
      this.errors.clear();
    }
  }

  counts(): Count[] {
    return [...this.counters].map(([who, traffic]) => ({
      ...traffic,
      ...{ process: `p${this.process}`, key: `k${who}`, release: releaseOf(who), track: "production" },
      ...{ asked: hasAsked(who), faults: traffic.answers5xx + traffic.failed },
      latencies: new Map(Object.entries(traffic.latencies).map(([bucket, n]) => [Number(bucket), n])),
      slot: { name: releaseOf(who), errors: this.errors.get(releaseOf(who)) ?? 0 },
    }));
  }

  private answer({ who, status, bucket }: Extract<Event, { kind: "answer" }>): void {
    const release = releaseOf(who);
    const one = { ...noTraffic(), requests: 1, bytes: status === "failed" ? 0 : 10 };
    one[status === "failed" ? "failed" : (`answers${status}` as const)]++;
    if (status !== "failed") one.latencies = { [bucket]: 1 };
    if (status === "failed" || status === "5xx") this.unended.push(release);
    this.counters.set(who, sumOf([this.counters.get(who) ?? noTraffic(), one]));
    this.truth.set(release, sumOf([this.truth.get(release) ?? noTraffic(), one]));
    this.truthOf.set(who, sumOf([this.truthOf.get(who) ?? noTraffic(), one]));
  }
}

function releaseOf(who: number): string {
  return who < 2 ? "a/v1" : "a/v2";
}

function hasAsked(who: number): boolean {
  return who % 2 === 1;
}

class Ledger {
  private baseline: { counters: Baseline["counters"]; slots: Baseline["slots"] } = {
    counters: new Map(),
    slots: new Map(),
  };
  private readonly sums = new Map<string, Traffic>();

  look(counts: readonly Count[], all: boolean): void {
    const { traffic, changed, gone } = increments(counts, this.baseline, all);
    for (const one of traffic) {
      for (const figure of FIGURES) expect(one[figure]).to.be.at.least(0);
      const name = `${one.app}/${one.release} ${one.asked === true ? "asked" : "sent"}`;
      this.sums.set(name, sumOf([this.sums.get(name) ?? noTraffic(), one]));
    }
    const counters = new Map([...this.baseline.counters, ...changed.counters]);
    const slots = new Map([...this.baseline.slots, ...changed.slots]);
    for (const name of gone.counters) counters.delete(name);
    for (const name of gone.slots) slots.delete(name);
    this.baseline = { counters, slots };
  }

  /** Without `asked`: all of it. */
  of(release: string, asked?: boolean): Traffic {
    const kinds = asked === undefined ? ["asked", "sent"] : [asked ? "asked" : "sent"];
    return sumOf(kinds.map((kind) => this.sums.get(`${release} ${kind}`) ?? noTraffic()));
  }
}

function count(more: Partial<Count>): Count {
  return {
    ...{ process: "p", key: "k", release: "a/v1", track: "production", requests: 0, bytes: 0 },
    ...{
      asked: false,
      answers4xx: 0,
      answers5xx: 0,
      faults: 0,
      visitors: 0,
      goals: 0,
      ...{ visitorsWithErrors: 0, visitorsWithManyErrors: 0, visitorsOverP90: 0, visitorsOverP99: 0 },
      latencies: new Map(),
      slot: undefined,
    },
    ...more,
  };
}
