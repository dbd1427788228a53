import { expect } from "chai";
import fc from "fast-check";
import { deferred } from "../../../../core/async/deferred.js";
import { ReleaseQueue, type Place } from "../../../../server/pipeline/release-queue.js";

describe("the queue of releases", () => {
  interface Wish extends Partial<Pick<Place, "app" | "signal" | "onWait">> {
    /** "none": for no branch. */
    readonly branch?: string;
  }
  const place = (commit: string, { branch = "master", ...more }: Wish = {}): Place => ({
    app: "a",
    what: `${commit.slice(0, 10)} of ${branch}`,
    signal: new AbortController().signal,
    ...(branch === "none" ? {} : { push: { branch, commit } }),
    ...more,
  });

  it("runs one at a time per app, in order, and different apps side by side", async () => {
    const queue = new ReleaseQueue();
    const first = deferred<undefined>();
    const events: string[] = [];
    const run = async (name: string, more: Wish, until?: Promise<undefined>) =>
      queue.run(place(name, more), async () => {
        events.push(`${name} begins`);
        await until;
        events.push(`${name} ends`);
      });
    const all = [
      run("1", {}, first.promise),
      run("2", { branch: "staging" }),
      run("3", { branch: "x" }),
      run("other", { app: "b" }),
    ];
    await all[3];
    first.resolve(undefined);
    await Promise.all(all);
    expect(events).to.deep.equal([
      "1 begins",
      "other begins",
      "other ends",
      "1 ends",
      "2 begins",
      "2 ends",
      "3 begins",
      "3 ends",
    ]);
  });

  it("gives a waiting push's place to a newer one of its branch, and tells it so", async () => {
    const queue = new ReleaseQueue();
    const first = deferred<undefined>();
    const waits: string[] = [];
    const running = queue.run(place("1111111111aa"), async () => first.promise);
    const old = queue
      .run(place("2222222222bb", { onWait: (ahead) => waits.push(ahead) }), async () => "old")
      .catch((error: unknown) => (error as Error).message);
    const newer = queue.run(place("3333333333cc"), async () => "newer");
    expect(await old).to.equal("A newer push of master (3333333333) replaced this one while it was waiting.");
    first.resolve(undefined);
    await running;
    expect(await newer).to.equal("newer");
    expect(waits).to.deep.equal(["1111111111 of master"]);
  });

  it("lets a newer push stand where the one it replaces stood, and names what is ahead of it there", async () => {
    const queue = new ReleaseQueue();
    const first = deferred<undefined>();
    const waits: string[] = [];
    const ran: string[] = [];
    const run = async (commit: string, branch: string): Promise<unknown> =>
      queue
        .run(place(commit, { branch, onWait: (ahead) => waits.push(`${commit}: ${ahead}`) }), async () => {
          ran.push(commit);
          await first.promise;
        })
        .catch(() => "replaced");
    const all = [run("1", "master"), run("2", "x"), run("3", "y"), run("4", "x"), run("5", "y")];
    first.resolve(undefined);
    await Promise.all(all);
    expect(ran).to.deep.equal(["1", "4", "5"]);
    expect(waits).to.deep.equal(["2: 1 of master", "3: 2 of x", "4: 1 of master", "5: 4 of x"]);
  });

  it("lets a waiting one leave when it is interrupted, and the next in when one fails", async () => {
    const queue = new ReleaseQueue();
    const first = deferred<undefined>();
    const failing = queue.run(place("1"), async () => first.promise).catch(() => "failed");
    const abort = new AbortController();
    const left = queue
      .run(place("2", { branch: "x", signal: abort.signal }), async () => "never")
      .catch((error: unknown) => (error as Error).message);
    const last = queue.run(place("3", { branch: "y" }), async () => "last");
    abort.abort(new Error("gone"));
    expect(await left).to.equal("gone");
    first.reject(new Error("no"));
    expect(await Promise.all([failing, last])).to.deep.equal(["failed", "last"]);
  });

  it("does not let one in that was interrupted before it came", async () => {
    const queue = new ReleaseQueue();
    const signal = AbortSignal.abort(new Error("gone"));
    const left = await queue.run(place("1", { signal }), async () => "never").catch(String);
    expect(left).to.equal("Error: gone");
    expect(await queue.run(place("2"), async () => "next")).to.equal("next");
  });

  it("keeps a waiting rollback though others wait for no branch too", async () => {
    const queue = new ReleaseQueue();
    const first = deferred<undefined>();
    const running = queue.run(place("1"), async () => first.promise);
    const rollbacks = ["2", "3"].map(async (commit) =>
      queue.run(place(commit, { branch: "none" }), async () => commit),
    );
    first.resolve(undefined);
    await running;
    expect(await Promise.all(rollbacks)).to.deep.equal(["2", "3"]);
  });

  it("never runs two of an app at once, and runs or refuses each, whatever comes and leaves", async () => {
    const push = fc.record({
      app: fc.constantFrom("a", "b"),
      branch: fc.constantFrom("master", "x", "none"),
      steps: fc.nat({ max: 5 }),
      fails: fc.boolean(),
      leavesAfter: fc.option(fc.nat({ max: 12 }), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(push, { maxLength: 12 }), async (pushes) => {
        const queue = new ReleaseQueue();
        const running = new Map<string, number>();
        const turns = async (count: number): Promise<void> => {
          for (let turn = 0; turn < count; turn++) await Promise.resolve();
        };
        const all = pushes.map(async ({ app, branch, steps, fails, leavesAfter }, index) => {
          const abort = new AbortController();
          if (leavesAfter !== undefined) void turns(leavesAfter).then(() => abort.abort(new Error("gone")));
          return queue.run(place(String(index), { app, branch, signal: abort.signal }), async () => {
            running.set(app, (running.get(app) ?? 0) + 1);
            expect(running.get(app)).to.equal(1);
            await turns(steps);
            running.set(app, 0);
            if (fails) throw new Error("failed");
          });
        });
        const results = await Promise.allSettled(all);
        for (const result of results)
          if (result.status === "rejected")
            expect(String(result.reason)).to.match(/gone|failed|replaced this one/);
        await queue.run(place("last"), async () => undefined);
      }),
    );
  });
});
