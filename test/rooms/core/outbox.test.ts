import { expect } from "chai";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import type { Database } from "../../../core/redis/database.js";
import { isAppError } from "../../../core/errors/app-error.js";
import { deferred } from "../../../core/async/deferred.js";
import { silentLog } from "../../../core/log.js";
import { DeliveryError } from "../../../core/outbox/delivery-error.js";
import { JobQueue, type TakenJob } from "../../../core/outbox/job-queue.js";
import { outboxJobSchema, type OutboxJob } from "../../../core/outbox/outbox-job.js";
import { LEASE_MS, type Handlers } from "../../../core/outbox/outbox-loop.js";
import { Outbox, type OutboxOptions } from "../../../core/outbox/outbox.js";
import { keys } from "../../../core/redis/keys.js";
import { eventually } from "../../support/eventually.js";
import { FakeClock } from "../../support/fakes/fake-clock.js";
import { TestRedis } from "../../support/redis/test-redis.js";

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe("an outbox", function () {
  this.timeout(30_000);
  let server: TestRedis;
  let redis: Database;
  let clock: FakeClock;
  let outbox: Outbox;
  const loops: { stop(): Promise<void> }[] = [];

  before(async () => (server = await TestRedis.start()));
  beforeEach(async () => {
    redis = await server.connect();
    await redis.flushall();
    clock = new FakeClock();
    outbox = make();
  });
  afterEach(async () => {
    await Promise.all(loops.splice(0).map(async (loop) => stopped(loop)));
    redis.disconnect();
  });
  after(async () => server.dispose());

  it("delivers what was added, once, and forgets it", async () => {
    const sent = recorder();
    start({ letter: sent.handler });
    await outbox.add("letter", { to: "a", list: [] });
    await outbox.add("letter", "b");
    await eventually("both are gone", async () => (await outbox.size()) === 0);
    expect(sent.payloads).to.deep.equal([{ to: "a", list: [] }, "b"]);
    expect(await redis.keys("*")).to.deep.equal([]);
  });

  it("tries again after 1 s, 5 s, 30 s, 2 min, 10 min and then every hour, and gives up within a day", async () => {
    const tries: number[] = [];
    const began = clock.now();
    start({
      letter: async () => {
        tries.push(clock.now() - began);
        throw new Error("nobody there");
      },
    });
    await outbox.add("letter", "x");
    let known = 0;
    while ((await outbox.givenUp()).length === 0) {
      await eventually("a try is over", async () => {
        const { attempts = -1 } = (await jobs())[0] ?? {};
        return attempts > known || (await outbox.givenUp()).length > 0;
      });
      known++;
      const [job] = await jobs();
      if (job !== undefined) clock.advance(job.dueAt - clock.now());
    }
    expect(pausesOf(tries).slice(0, 7)).to.deep.equal(
      [1, 5, 30, 120, 600, 3600, 3600].map((s) => s * SECOND_MS),
    );
    expect(tries.at(-1)).to.be.within(DAY_MS - HOUR_MS, DAY_MS);
    const [givenUp] = await outbox.givenUp();
    expect(givenUp).to.include({ at: clock.now(), reason: "nobody there" });
    expect(givenUp?.job).to.include({ kind: "letter", payload: "x", firstAt: began });
    expect(await outbox.size()).to.equal(0);
  });

  it("does not try before it is time", async () => {
    const sent = recorder(async () => {
      throw new Error("no");
    });
    start({ letter: sent.handler });
    await outbox.add("letter", "x");
    await eventually("the first try failed", async () => (await jobs())[0]?.attempts === 1);
    clock.advance(SECOND_MS - 1);
    await outbox.add("letter", "y", { lane: "other" });
    await eventually("another was tried meanwhile", () => sent.payloads.includes("y"));
    expect(sent.payloads).to.deep.equal(["x", "y"]);
    clock.advance(1);
    await eventually(
      "it was tried again",
      () => sent.payloads.filter((payload) => payload === "x").length === 2,
    );
  });

  it("obeys a receiver that asks for a pause, for all that goes there", async () => {
    let isBusy = true;
    const sent = recorder(async () => {
      if (isBusy) throw new DeliveryError("too many", { retryAfterMs: 90 * SECOND_MS });
    });
    start({ letter: sent.handler });
    await outbox.add("letter", "x", { lane: "busy" });
    await eventually("it was refused", async () => (await jobs())[0]?.lastError === "too many");
    isBusy = false;
    await outbox.add("letter", "y", { lane: "busy" });
    clock.advance(90 * SECOND_MS - 1);
    await outbox.add("letter", "z", { lane: "other" });
    await eventually("another lane goes on", () => sent.payloads.includes("z"));
    expect(sent.payloads).to.deep.equal(["x", "z"]);
    clock.advance(1);
    await eventually("all is delivered", async () => (await outbox.size()) === 0);
    expect(sent.payloads).to.have.members(["x", "z", "x", "y"]);
  });

  it("gives up at once what is refused for good, and remembers the last hundred", async () => {
    start({
      letter: async (payload) => {
        throw new DeliveryError(`no such door: ${String(payload)}`, { isFinal: true });
      },
    });
    for (let index = 0; index < 103; index++) await outbox.add("letter", index);
    await eventually("all are given up", async () => (await outbox.size()) === 0);
    const givenUp = await outbox.givenUp();
    expect(givenUp).to.have.length(100);
    expect(givenUp[0]).to.include({ reason: "no such door: 102" });
    expect(givenUp.map(({ job }) => job.payload)).to.deep.equal([...Array(100).keys()].map((n) => 102 - n));
  });

  it("replaces one that waits by a newer one with the same key", async () => {
    await outbox.add("letter", "pending", { key: "commit", lane: "host" });
    await outbox.add("letter", "other", { key: "another", lane: "host" });
    await outbox.add("letter", "success", { key: "commit", lane: "host" });
    const sent = recorder();
    start({ letter: sent.handler });
    await eventually("all is delivered", async () => (await outbox.size()) === 0);
    expect(sent.payloads).to.deep.equal(["other", "success"]);
  });

  it("lets one in work end before a newer one with its key goes, and does not try it again", async () => {
    const [entered, gate] = [deferred<undefined>(), deferred<undefined>()];
    const sent = recorder(async (payload) => {
      if (payload !== "pending") return;
      entered.resolve(undefined);
      await gate.promise;
      throw new Error("lost on the way");
    });
    start({ letter: sent.handler });
    await outbox.add("letter", "pending", { key: "commit" });
    await entered.promise;
    await outbox.add("letter", "success", { key: "commit" });
    await outbox.add("letter", "elsewhere", { lane: "other" });
    await eventually("another lane goes on", () => sent.payloads.includes("elsewhere"));
    expect(sent.payloads).to.deep.equal(["pending", "elsewhere"]);
    gate.resolve(undefined);
    await eventually("all is gone", async () => (await outbox.size()) === 0);
    expect(sent.payloads).to.deep.equal(["pending", "elsewhere", "success"]);
    expect(await redis.keys("*")).to.deep.equal([]);
  });

  it("is sent by another when a process was killed in the middle, after its lease and not before", async () => {
    await make({ clock: new FakeClock(Date.now()) }).add("letter", "x");
    const child = spawn(
      process.execPath,
      [
        "--import",
        "tsx",
        new URL("../../support/fakes/hanging-outbox.js", import.meta.url).pathname,
        server.socket,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    expect(line.toString()).to.equal('"x"\n');
    child.kill("SIGKILL");
    await once(child, "exit");
    clock = new FakeClock(Date.now());
    outbox = make();
    const sent = recorder();
    start({ letter: sent.handler });
    await outbox.add("letter", "y", { lane: "other" });
    await eventually("another lane goes on", () => sent.payloads.includes("y"));
    expect(sent.payloads).to.deep.equal(["y"]);
    clock.advance(LEASE_MS);
    await eventually("it is sent again", async () => (await outbox.size()) === 0);
    expect(sent.payloads).to.deep.equal(["y", "x"]);
  });

  it("keeps a job that takes longer than a lease, and lets nobody else have it", async () => {
    const [entered, gate] = [deferred<undefined>(), deferred<undefined>()];
    const first = recorder(async () => {
      entered.resolve(undefined);
      await gate.promise;
    });
    const second = recorder();
    outbox = make({ deadlineMs: HOUR_MS });
    start({ letter: first.handler });
    await outbox.add("letter", "x");
    await entered.promise;
    start({ letter: second.handler });
    for (let third = 0; third < 6; third++) {
      const before = await leaseEnd();
      clock.advance(LEASE_MS / 3);
      await eventually("the lease is renewed", async () => (await leaseEnd()) > before);
    }
    await outbox.add("letter", "y", { lane: "other" });
    await eventually("both look for jobs", () => first.payloads.length + second.payloads.length === 2);
    gate.resolve(undefined);
    await eventually("all is delivered", async () => (await outbox.size()) === 0);
    expect([...first.payloads, ...second.payloads].sort()).to.deep.equal(["x", "y"]);
  });

  it("is worked on by two at once without a job done twice, each lane one by one and in its order", async () => {
    const other = await server.connect();
    const sent = recorder(async () => setImmediate());
    const busy = new Set<string>();
    const collisions: string[] = [];
    const handler = async (payload: unknown): Promise<void> => {
      const [lane = ""] = String(payload).split(" ");
      if (busy.has(lane)) collisions.push(lane);
      busy.add(lane);
      await sent.handler(payload);
      busy.delete(lane);
    };
    for (let index = 0; index < 200; index++)
      await outbox.add("letter", `lane${index % 7} ${index}`, { lane: `lane${index % 7}` });
    start({ letter: handler });
    loops.push(make({}, other).start({ letter: handler }));
    await eventually("all is delivered", async () => (await outbox.size()) === 0);
    expect(collisions).to.deep.equal([]);
    expect(new Set(sent.payloads).size).to.equal(200);
    expect(sent.payloads).to.have.length(200);
    for (const lane of [...Array(7).keys()]) {
      const order = sent.payloads.map((payload) => Number(String(payload).split(" ")[1]));
      const own = order.filter((index) => index % 7 === lane);
      expect(own).to.deep.equal([...own].sort((a, b) => a - b));
    }
  });

  it("lets a slow lane hold up nobody else", async () => {
    const gate = deferred<undefined>();
    const sent = recorder(async (payload) => {
      if (String(payload).startsWith("slow")) await gate.promise;
    });
    outbox = make({ atOnce: 2 });
    start({ letter: sent.handler });
    for (let index = 0; index < 20; index++) await outbox.add("letter", `slow ${index}`, { lane: "slow" });
    for (let index = 0; index < 20; index++) await outbox.add("letter", `fast ${index}`, { lane: "fast" });
    await eventually("the fast lane is through", () => sent.payloads.includes("fast 19"));
    expect(sent.payloads.filter((payload) => String(payload).startsWith("slow"))).to.deep.equal(["slow 0"]);
    gate.resolve(undefined);
    await eventually("all is delivered", async () => (await outbox.size()) === 0);
  });

  it("breaks off a try at its deadline, and tries again", async () => {
    const signals: AbortSignal[] = [];
    outbox = make({ deadlineMs: 10 * SECOND_MS });
    start({
      letter: async (_payload, signal) => {
        signals.push(signal);
        if (signals.length === 1) await new Promise(() => undefined);
      },
    });
    await outbox.add("letter", "x");
    await eventually("it has begun", () => signals.length === 1);
    clock.advance(10 * SECOND_MS);
    await eventually("it was broken off", async () => (await jobs())[0]?.attempts === 1);
    expect(signals[0]?.aborted).to.equal(true);
    expect((await jobs())[0]?.lastError).to.equal("it took longer than 10 s");
    clock.advance(SECOND_MS);
    await eventually("the second try was well", async () => (await outbox.size()) === 0);
  });

  it("breaks off a try whose lease another has now, and leaves the job to the other", async () => {
    const signals: AbortSignal[] = [];
    const loop = outbox.start({
      letter: async (_payload, signal) => {
        signals.push(signal);
        await new Promise(() => undefined);
      },
    });
    const id = await outbox.add("letter", "x");
    await eventually("it has begun", () => signals.length === 1);
    const before = await jobs();
    await redis.hset(keys.outbox("test").leases, id, "the other's");
    const lane = await leaseEnd();
    clock.advance(LEASE_MS / 3);
    await eventually("it was broken off", () => signals[0]?.aborted);
    expect(signals[0]?.reason).to.have.property("message", "the lease was lost");
    await stopped(loop);
    expect(await jobs()).to.deep.equal(before);
    expect(await redis.hgetall(keys.outbox("test").leases)).to.deep.equal({ [id]: "the other's" });
    expect(await leaseEnd()).to.equal(lane);
  });

  it("breaks off a try when Redis was away for as long as the lease lasts, and not before", async () => {
    const signals: AbortSignal[] = [];
    start({
      letter: async (_payload, signal) => {
        signals.push(signal);
        if (signals.length === 1) await new Promise(() => undefined);
      },
    });
    await outbox.add("letter", "x");
    await eventually("it has begun", () => signals.length === 1);
    const began = clock.now();
    await server.down();
    try {
      await eventually("it was broken off", () => {
        if (signals[0]?.aborted) return true;
        clock.advance(SECOND_MS);
        return false;
      });
      expect(signals[0]?.reason).to.have.property("message", "the lease was lost");
      expect(clock.now() - began).to.be.greaterThan((2 / 3) * LEASE_MS);
    } finally {
      await server.up();
    }
    await eventually("it was tried again", async () => {
      clock.advance(SECOND_MS);
      return (await outbox.size()) === 0;
    });
  });

  it("lets nobody renew or settle a job with a token of before", async () => {
    await outbox.add("letter", "x");
    const queue = new JobQueue(redis, "test");
    const now = clock.now();
    const first = await taken(queue, now, "first");
    const second = await taken(queue, now + LEASE_MS, "second");
    expect(await queue.renew(first, now + 9 * LEASE_MS)).to.equal(false);
    expect(await leaseEnd()).to.equal(now + 2 * LEASE_MS);
    await queue.settle(first, { kind: "again", job: { ...first.job, attempts: 7, dueAt: now } });
    await queue.settle(first, { kind: "given-up", at: now, reason: "late" });
    await queue.settle(first, { kind: "done" });
    expect(await jobs()).to.deep.equal([second.job]);
    expect(await outbox.givenUp()).to.deep.equal([]);
    expect(await queue.renew(second, now + 3 * LEASE_MS)).to.equal(true);
    await queue.settle(second, { kind: "done" });
    expect(await redis.keys("*")).to.deep.equal([]);
  });

  it("gives back what is under way when it is stopped: the next start goes on with it at once", async () => {
    const entered = deferred<undefined>();
    const loop = outbox.start({
      letter: async (_payload, signal) => {
        entered.resolve(undefined);
        await new Promise((_resolve, reject) => signal.addEventListener("abort", reject));
      },
    });
    await outbox.add("letter", "x");
    await entered.promise;
    await stopped(loop);
    expect((await jobs())[0]).to.include({ attempts: 0, payload: "x" });
    const sent = recorder();
    start({ letter: sent.handler });
    await eventually("it is delivered", async () => (await outbox.size()) === 0);
    expect(sent.payloads).to.deep.equal(["x"]);
  });

  it("waits while Redis is away and goes on when it is back; nothing can be added meanwhile", async () => {
    const gate = deferred<undefined>();
    const entered = deferred<undefined>();
    const sent = recorder(async (payload) => {
      if (payload !== "under way") return;
      entered.resolve(undefined);
      await gate.promise;
    });
    await outbox.add("letter", "under way");
    await outbox.add("letter", "waiting");
    start({ letter: sent.handler });
    await entered.promise;
    await server.down();
    gate.resolve(undefined);
    await eventually("the connection is lost", () => redis.status !== "ready");
    const refused: unknown = await outbox.add("letter", "x").catch((error: unknown) => error);
    expect(isAppError(refused, "redis-unavailable")).to.equal(true);
    clock.advance(SECOND_MS);
    await server.up();
    await eventually("all is delivered", async () => {
      clock.advance(SECOND_MS / 20);
      return (await outbox.size()) === 0;
    });
    expect(sent.payloads).to.deep.equal(["under way", "waiting"]);
  });

  it("gives up the oldest when too many wait", async () => {
    outbox = make({ mostWaiting: 3 });
    for (const payload of ["a", "b", "c", "d", "e"]) {
      await outbox.add("letter", payload, { lane: payload });
      clock.advance(1);
    }
    expect(await outbox.size()).to.equal(3);
    expect((await outbox.givenUp()).map(({ job, reason }) => [job.payload, reason])).to.deep.equal([
      ["b", "more than 3 were waiting"],
      ["a", "more than 3 were waiting"],
    ]);
    const sent = recorder();
    start({ letter: sent.handler });
    await eventually("the rest is delivered", async () => (await outbox.size()) === 0);
    expect(sent.payloads).to.deep.equal(["c", "d", "e"]);
  });

  it("says of a job that nobody sends why it waits", async () => {
    start({});
    await outbox.add("carrier-pigeon", "x");
    await eventually("it was looked at", async () => (await jobs())[0]?.attempts === 1);
    expect((await jobs())[0]?.lastError).to.equal("no handler for carrier-pigeon");
  });

  function make(options: Partial<OutboxOptions> = {}, connection = redis): Outbox {
    return new Outbox(connection, "test", { clock, log: silentLog, random: () => 0.5, ...options });
  }

  function start(handlers: Handlers): void {
    loops.push(outbox.start(handlers));
  }

  /** What a stop waits for happens in simulated time. */
  async function stopped(loop: { stop(): Promise<void> }): Promise<void> {
    let isOver = false;
    const stopping = loop.stop().finally(() => (isOver = true));
    await eventually("it has stopped", () => {
      clock.advance(SECOND_MS / 4);
      return isOver;
    });
    await stopping;
  }

  async function taken(queue: JobQueue, now: number, token: string): Promise<TakenJob> {
    const found = await queue.take(now, now + LEASE_MS, token);
    if (found.job === undefined) throw new Error("nothing is due");
    return found;
  }

  async function jobs(): Promise<OutboxJob[]> {
    const texts = await redis.hvals(keys.outbox("test").jobs);
    return texts.map((text) => outboxJobSchema.parse(JSON.parse(text)));
  }

  async function leaseEnd(): Promise<number> {
    return Number(await redis.hget(keys.outbox("test").closed, "letter"));
  }
});

/** A handler that keeps what it was given, and then does `more`. */
function recorder(more: (payload: unknown) => Promise<void> = async () => undefined): {
  readonly payloads: unknown[];
  readonly handler: (payload: unknown) => Promise<void>;
} {
  const payloads: unknown[] = [];
  const handler = async (payload: unknown): Promise<void> => {
    payloads.push(payload);
    await more(payload);
  };
  return { payloads, handler };
}

function pausesOf(times: readonly number[]): number[] {
  return times.slice(1).map((time, index) => time - (times[index] ?? 0));
}
