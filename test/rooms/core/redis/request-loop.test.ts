import { expect } from "chai";
import { deferred, type Deferred } from "../../../../core/async/deferred.js";
import { RequestLoop, type RequestLoopOptions } from "../../../../core/loop/request-loop.js";
import type { Database } from "../../../../core/redis/database.js";
import { eventually } from "../../../support/eventually.js";
import { TestRedis } from "../../../support/redis/test-redis.js";

const CHANNEL = "requests";

describe("a loop over requests", () => {
  let server: TestRedis;
  let redis: Database;
  let loop: RequestLoop | undefined;
  let requested: string[];
  let handled: { readonly name: string; readonly signal: AbortSignal; readonly end: Deferred<undefined> }[];
  let problems: string[];

  before(async () => (server = await TestRedis.start()));
  after(async () => server.dispose());
  beforeEach(async () => {
    redis = await server.connect();
    requested = [];
    handled = [];
    problems = [];
  });
  afterEach(async () => {
    const stopped = loop?.stop();
    for (const { end } of handled) end.resolve(undefined);
    await stopped;
  });

  const start = async (options: Partial<RequestLoopOptions> = {}): Promise<void> => {
    loop = new RequestLoop({
      redis,
      channel: CHANNEL,
      pollMs: 60_000,
      waiting: async () => Promise.resolve(requested),
      handle: async (name, signal) => {
        const end = deferred<undefined>();
        handled.push({ name, signal, end });
        await end.promise;
      },
      handlesAgain: false,
      onError: (error, name) => problems.push(`${name}: ${String(error)}`),
      onPollError: (error) => problems.push(String(error)),
      ...options,
    });
    await loop.start();
  };
  const ask = async (name: string): Promise<unknown> => redis.publish(CHANNEL, name);
  const names = (): string[] => handled.map(({ name }) => name);
  const heardAll = async (): Promise<void> => {
    await ask("the last one");
    await eventually("the last message is heard", () => names().includes("the last one"));
  };

  it("handles what is requested already, and what the channel tells of, side by side", async () => {
    requested = ["a"];
    await start();
    expect(names()).to.deep.equal(["a"]);
    await ask("b");
    await eventually("it is handled", () => names().includes("b"));
  });

  it("finds by polling what it has not heard, also after a poll that failed", async () => {
    let polls = 0;
    const waiting = async (): Promise<string[]> => {
      if (polls++ === 0) throw new Error("no answer");
      return Promise.resolve(["a"]);
    };
    await start({ pollMs: 10, waiting });
    expect(problems).to.deep.equal(["Error: no answer"]);
    await eventually("it is handled", () => names().includes("a"));
  });

  it("handles a name once at a time, and again if that is asked for meanwhile and wanted", async () => {
    await start({ handlesAgain: true });
    await ask("a");
    await ask("a");
    await ask("a");
    await heardAll();
    expect(names()).to.deep.equal(["a", "the last one"]);
    handled[0]?.end.resolve(undefined);
    await eventually("it is handled once more", () => names().length === 3);
    handled[2]?.end.resolve(undefined);
  });

  it("leaves what is asked for meanwhile to the next poll otherwise", async () => {
    await start();
    await ask("a");
    await ask("a");
    await heardAll();
    handled[0]?.end.resolve(undefined);
    await ask("b");
    await eventually("the next one is handled", () => names().includes("b"));
    expect(names()).to.deep.equal(["a", "the last one", "b"]);
  });

  it("goes on after what failed, and tells of it", async () => {
    await start();
    await ask("a");
    await eventually("it is handled", () => names().length === 1);
    handled[0]?.end.reject(new Error("a failure"));
    await eventually("it is told", () => problems.length === 1);
    expect(problems).to.deep.equal(["a: Error: a failure"]);
    await ask("a");
    await eventually("it is handled again", () => names().length === 2);
  });

  it("breaks off what it handles when it stops, and waits for it", async () => {
    await start();
    await ask("a");
    await eventually("it is handled", () => names().length === 1);
    let isStopped = false;
    const stopped = loop?.stop().then(() => (isStopped = true));
    expect(handled[0]?.signal.aborted).to.equal(true);
    await redis.ping();
    expect(isStopped).to.equal(false);
    handled[0]?.end.resolve(undefined);
    await stopped;
    expect(isStopped).to.equal(true);
  });
});
