import { expect } from "chai";
import { setImmediate } from "node:timers/promises";
import { deferred, type Deferred } from "../../../../core/async/deferred.js";
import { Ticker, type TickerOptions } from "../../../../core/loop/ticker.js";
import { FakeClock } from "../../../support/fakes/fake-clock.js";

describe("a ticker", () => {
  let clock: FakeClock;
  let ticker: Ticker;
  let runs: Deferred<undefined>[];
  let errors: unknown[];
  let signal: AbortSignal;

  const make = (options: Partial<TickerOptions> = {}): void => {
    ticker = new Ticker({
      everyMs: 1000,
      job: async (given) => {
        signal = given;
        const run = deferred<undefined>();
        runs.push(run);
        await run.promise;
      },
      onError: (error) => errors.push(error),
      clock,
      ...options,
    });
  };
  const advance = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await setImmediate();
  };
  const end = async (run: number): Promise<void> => {
    runs[run]?.resolve(undefined);
    await setImmediate();
  };

  beforeEach(() => {
    clock = new FakeClock();
    runs = [];
    errors = [];
    make();
  });
  afterEach(async () => {
    const stopped = ticker.stop();
    for (const run of runs) run.resolve(undefined);
    await stopped;
  });

  it("runs its job after a pause, and again after the next", async () => {
    ticker.start();
    await advance(999);
    expect(runs).to.have.length(0);
    await advance(1);
    expect(runs).to.have.length(1);
    await end(0);
    await advance(999);
    expect(runs).to.have.length(1);
    await advance(1);
    expect(runs).to.have.length(2);
  });

  it("keeps its rhythm: the time that a run takes is a part of the pause", async () => {
    ticker.start();
    await advance(1000);
    await advance(400);
    await end(0);
    await advance(600);
    expect(runs).to.have.length(2);
  });

  it("never has two runs at a time: a long one misses its ticks", async () => {
    ticker.start();
    await advance(1000);
    await advance(2500);
    expect(runs).to.have.length(1);
    await end(0);
    await advance(499);
    expect(runs).to.have.length(1);
    await advance(1);
    expect(runs).to.have.length(2);
  });

  it("begins with a run and waits for it, if asked to", async () => {
    let isStarted = false;
    const started = ticker.startNow().then(() => (isStarted = true));
    await setImmediate();
    expect(runs).to.have.length(1);
    expect(isStarted).to.equal(false);
    await end(0);
    await started;
    await advance(1000);
    expect(runs).to.have.length(2);
  });

  it("can be woken early", async () => {
    ticker.start();
    await advance(300);
    ticker.wake();
    await setImmediate();
    expect(runs).to.have.length(1);
    await end(0);
    await advance(1000);
    expect(runs).to.have.length(2);
  });

  it("runs once more when it is woken during a run, however often", async () => {
    ticker.start();
    await advance(1000);
    ticker.wake();
    ticker.wake();
    await setImmediate();
    expect(runs).to.have.length(1);
    await end(0);
    expect(runs).to.have.length(2);
    await end(1);
    expect(runs).to.have.length(2);
  });

  it("remembers that it was woken before it started", async () => {
    ticker.wake();
    ticker.start();
    await setImmediate();
    expect(runs).to.have.length(1);
  });

  it("tells of a failure and goes on", async () => {
    ticker.start();
    await advance(1000);
    const failure = new Error("a failure");
    runs[0]?.reject(failure);
    await setImmediate();
    expect(errors).to.deep.equal([failure]);
    await advance(1000);
    expect(runs).to.have.length(2);
  });

  it("runs sooner when a run is due sooner, and never later", async () => {
    let dueInMs = 50;
    make({ dueInMs: () => dueInMs });
    ticker.start();
    await advance(50);
    expect(runs).to.have.length(1);
    dueInMs = Infinity;
    await end(0);
    await advance(999);
    expect(runs).to.have.length(1);
    await advance(1);
    expect(runs).to.have.length(2);
    dueInMs = -50;
    await end(1);
    await advance(0);
    expect(runs, "overdue").to.have.length(3);
  });

  it("goes on within a tick when the clock is set back", async () => {
    ticker.start();
    await advance(1000);
    clock.advance(-3_600_500);
    await end(0);
    await advance(1000);
    expect(runs).to.have.length(2);
  });

  it("aborts the running job's signal when it stops, waits for the job, and never runs again", async () => {
    ticker.start();
    await advance(1000);
    ticker.wake();
    let isStopped = false;
    const stopped = ticker.stop().then(() => (isStopped = true));
    await setImmediate();
    expect(signal.aborted).to.equal(true);
    expect(isStopped).to.equal(false);
    await end(0);
    await stopped;
    ticker.wake();
    await advance(5000);
    expect(runs).to.have.length(1);
  });

  it("stops at once during a pause", async () => {
    ticker.start();
    await advance(500);
    await ticker.stop();
    await advance(5000);
    expect(runs).to.have.length(0);
  });
});
