import { expect } from "chai";
import { once } from "node:events";
import { deferred } from "../../../../core/async/deferred.js";
import { SharedWork } from "../../../../core/async/shared-work.js";

describe("work that several wait for", () => {
  const { signal } = new AbortController();

  it("is done once, and again for who comes afterwards", async () => {
    const work = new SharedWork<number>();
    let begun = 0;
    const begin = async (): Promise<number> => Promise.resolve(++begun);
    const both = [work.run("key", begin, signal), work.run("key", begin, signal)];
    expect(await Promise.all(both)).to.deep.equal([1, 1]);
    expect(await work.run("key", begin, signal)).to.equal(2);
  });

  it("is other work for another key", async () => {
    const work = new SharedWork<string>();
    const both = ["a", "b"].map(async (key) => work.run(key, async () => Promise.resolve(key), signal));
    expect(await Promise.all(both)).to.deep.equal(["a", "b"]);
  });

  it("fails for all, and is begun again afterwards", async () => {
    const work = new SharedWork<string>();
    const fail = async (): Promise<string> => Promise.reject(new Error("no"));
    const both = [work.run("key", fail, signal), work.run("key", fail, signal)];
    for (const { status } of await Promise.allSettled(both)) expect(status).to.equal("rejected");
    expect(await work.run("key", async () => Promise.resolve("yes"), signal)).to.equal("yes");
  });

  it("goes on when one gives up, but not when all do", async () => {
    const work = new SharedWork<string>();
    const [first, second] = [new AbortController(), new AbortController()];
    const cleaned = deferred<string>();
    let stop = signal;
    const begin = async (given: AbortSignal): Promise<string> => {
      stop = given;
      return cleaned.promise;
    };
    const firstOne = work.run("key", begin, first.signal).catch(String);
    const secondOne = work.run("key", begin, second.signal).catch(String);
    first.abort(new Error("first gave up"));
    expect(await firstOne).to.equal("Error: first gave up");
    expect(stop.aborted).to.equal(false);
    const aborted = once(stop, "abort");
    second.abort(new Error("second gave up"));
    await aborted;
    let isOver = false;
    const ended = secondOne.then((reason) => {
      isOver = true;
      return reason;
    });
    // Meanwhile another one begins it again.
    const next = work.run("key", async () => Promise.resolve("again"), signal);
    expect(await next).to.equal("again");
    expect(isOver).to.equal(false);
    cleaned.reject(new Error("aborted"));
    expect(await ended).to.equal("Error: second gave up");
  });
});
