import { expect } from "chai";
import { setImmediate } from "node:timers/promises";
import { deferred, type Deferred } from "../../../../core/async/deferred.js";
import { PerKey, type Job } from "../../../../core/loop/per-key.js";
import { FakeClock } from "../../../support/fakes/fake-clock.js";

describe("jobs by key", () => {
  let clock: FakeClock;
  let works: PerKey;
  let began: string[];
  let ends: Deferred<undefined>[];
  let errors: [key: string, error: unknown][];
  let signal: AbortSignal;

  const job =
    (name: string): Job =>
    async (given) => {
      signal = given;
      began.push(name);
      const end = deferred<undefined>();
      ends.push(end);
      await end.promise;
    };
  const failing: Job = async () => Promise.reject(new Error("a failure"));
  const end = async (run: number): Promise<void> => {
    ends[run]?.resolve(undefined);
    await setImmediate();
  };

  beforeEach(() => {
    clock = new FakeClock();
    began = [];
    ends = [];
    errors = [];
    const onError = (error: unknown, key: string): void => void errors.push([key, error]);
    works = new PerKey({ onError, clock, backOff: { firstMs: 1000, longestMs: 3000 } });
  });

  it("run side by side, and one at a time per key", async () => {
    works.runIfIdle("a", job("a1"));
    works.runIfIdle("a", job("a2"));
    works.runIfIdle("b", job("b1"));
    expect(began).to.deep.equal(["a1", "b1"]);
    expect([works.isBusy("a"), works.isBusy("c")]).to.deep.equal([true, false]);
    await end(0);
    expect(works.isBusy("a")).to.equal(false);
    works.runIfIdle("a", job("a3"));
    expect(began, "what found the key busy is not made up for").to.deep.equal(["a1", "b1", "a3"]);
  });

  it("are aborted for one that is to be run instead, also while their key backs off", async () => {
    const waiting: Job = async (given) =>
      new Promise((_, reject) => given.addEventListener("abort", () => reject(new Error("aborted"))));
    works.runIfIdle("a", waiting);
    works.runIfIdle("b", job("b1"));
    works.runInstead("a", job("a2"));
    expect(began).to.deep.equal(["b1"]);
    await setImmediate();
    expect(began).to.deep.equal(["b1", "a2"]);
    expect(signal.aborted, "the one that runs instead").to.equal(false);
    expect(errors).to.deep.equal([]);
    works.runIfIdle("c", failing);
    await setImmediate();
    works.runInstead("c", job("c2"));
    expect(began).to.deep.equal(["b1", "a2", "c2"]);
  });

  it("wait for their key if they must not be lost, and the last one that waits is run", async () => {
    works.run("a", job("a1"));
    works.run("a", job("a2"));
    works.run("a", job("a3"));
    expect(began).to.deep.equal(["a1"]);
    await end(0);
    expect(began).to.deep.equal(["a1", "a3"]);
    await end(1);
    expect(works.isBusy("a")).to.equal(false);
  });

  it("that fail are told of, with their key", async () => {
    works.run("a", failing);
    await setImmediate();
    expect(errors).to.have.length(1);
    expect(errors[0]?.[0]).to.equal("a");
    expect(works.isBusy("a")).to.equal(false);
  });

  it("of a key that failed begin after a pause that grows, and shrinks again with a success", async () => {
    const fail = async (): Promise<void> => {
      works.runIfIdle("a", failing);
      await setImmediate();
    };
    await fail();
    for (const pauseMs of [1000, 2000, 3000, 3000]) {
      const before = errors.length;
      clock.advance(pauseMs - 1);
      await fail();
      expect(errors, `after ${pauseMs - 1} ms`).to.have.length(before);
      clock.advance(1);
      await fail();
      expect(errors, `after ${pauseMs} ms`).to.have.length(before + 1);
    }
    works.runIfIdle("b", job("b"));
    expect(began, "another key has no pause").to.deep.equal(["b"]);
    clock.advance(3000);
    works.runIfIdle("a", async () => Promise.resolve());
    await setImmediate();
    await fail();
    const before = errors.length;
    clock.advance(1000);
    await fail();
    expect(errors, "the first pause again").to.have.length(before + 1);
  });

  it("have no pause after a failure unless that is asked for", async () => {
    works = new PerKey({ onError: () => undefined, clock });
    works.runIfIdle("a", failing);
    await setImmediate();
    works.runIfIdle("a", job("a"));
    expect(began).to.deep.equal(["a"]);
  });

  it("have their signal aborted by a stop, which waits for them and begins no other", async () => {
    works.run("a", job("a1"));
    works.run("a", job("a2"));
    let isStopped = false;
    const stopped = works.stop().then(() => (isStopped = true));
    works.run("b", job("b1"));
    await setImmediate();
    expect(signal.aborted).to.equal(true);
    expect(isStopped).to.equal(false);
    await end(0);
    await stopped;
    expect(began).to.deep.equal(["a1"]);
  });
});
