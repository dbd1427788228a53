import { expect } from "chai";
import { setImmediate } from "node:timers/promises";
import { deferred } from "../../../../../core/async/deferred.js";
import { hostOfSource, SourceLimits } from "../../../../../server/webhooks/sources/source-limits.js";
import { eventually } from "../../../../support/eventually.js";

describe("the limits for reading sources", () => {
  const never = new AbortController().signal;

  it("are a host's own", async () => {
    const limits = new SourceLimits({ perHost: 1, atOnce: 8 });
    const began: string[] = [];
    const gate = deferred<undefined>();
    const read = async (source: string): Promise<void> =>
      limits.run(source, never, async () => {
        began.push(source);
        await gate.promise;
      });
    const all = ["https://a/1", "https://a/2", "https://b/1", "file:///c"].map(read);
    await setImmediate();
    expect(began).to.deep.equal(["https://a/1", "https://b/1", "file:///c"]);
    gate.resolve(undefined);
    await Promise.all(all);
    expect(began).to.have.length(4);
  });

  it("let others begin while one takes long, and no more than they allow otherwise", async function () {
    this.timeout(10_000);
    const limits = new SourceLimits({ perHost: 8, atOnce: 1 });
    const gate = deferred<undefined>();
    const order: string[] = [];
    const slow = limits.run("https://slow/1", never, async () => {
      order.push("slow");
      await gate.promise;
      order.push("slow has ended");
    });
    const quick = limits.run("https://quick/1", never, async () => order.push("quick"));
    await setImmediate();
    expect(order).to.deep.equal(["slow"]);
    await eventually("the other has begun", () => order.includes("quick"));
    await quick;
    expect(order).to.deep.equal(["slow", "quick"]);
    gate.resolve(undefined);
    await slow;
  });

  it("are given back by what fails", async () => {
    const limits = new SourceLimits({ perHost: 1, atOnce: 1 });
    const failure = new Error("no");
    for (let count = 0; count < 3; count++) {
      const told: unknown = await limits
        .run("https://a/1", never, async () => {
          throw failure;
        })
        .catch((error: unknown) => error);
      expect(told).to.equal(failure);
    }
  });

  it("know the host of every form of address", () => {
    for (const [source, host] of [
      ["https://user:secret@git.example.org/x.git", "git.example.org"],
      ["ssh://git@git.example.org:2222/x.git", "git.example.org:2222"],
      ["git@github.com:owner/shop.git", "github.com"],
      ["file:///srv/x.git", ""],
    ] as const)
      expect(hostOfSource(source), source).to.equal(host);
  });
});
