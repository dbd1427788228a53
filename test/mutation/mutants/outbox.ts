import type { Mutant } from "../mutant.js";

const OUTBOX = ["test/rooms/core/outbox.test.ts"];
const OUTCOME = ["test/unit/core/outbox/outcome.test.ts"];
const REQUEST = ["test/rooms/core/send-request.test.ts"];

/** What is sent to others, and how often. */
export const outbox: readonly Mutant[] = [
  {
    guard: "a failed delivery waits longer each time",
    file: "core/outbox/retry-pause.ts",
    text: "PAUSES_MS[Math.min(failures, PAUSES_MS.length) - 1]",
    by: "PAUSES_MS[0]",
    tests: ["test/unit/core/outbox/retry-pause.test.ts"],
  },
  {
    guard: "who asks for a pause gets it",
    file: "core/outbox/outcome.ts",
    text: "Math.max(retryPauseMs(attempts, random), retryAfterMs ?? 0)",
    by: "retryPauseMs(attempts, random)",
    tests: OUTCOME,
  },
  {
    guard: "after a day a delivery is given up",
    file: "core/outbox/outcome.ts",
    text: "isFinal || dueAt > job.firstAt + LONGEST_LIFE_MS",
    by: "isFinal",
    tests: OUTCOME,
  },
  {
    guard: "what was refused for good is not tried again",
    file: "core/outbox/outcome.ts",
    text: "isFinal || dueAt > job.firstAt + LONGEST_LIFE_MS",
    by: "dueAt > job.firstAt + LONGEST_LIFE_MS",
    tests: OUTCOME,
  },
  {
    guard: "of too many jobs the oldest is given up",
    file: "core/outbox/job-queue.ts",
    text: "redis.call('ZCARD', ages) > tonumber(most)",
    by: "redis.call('ZCARD', ages) < 0",
    tests: OUTBOX,
  },
  {
    guard: "of one lane one job at a time is worked on",
    file: "core/outbox/job-queue.ts",
    text: "redis.call('HSET', closed, lane, ARGV[2])",
    by: "redis.call('HSET', closed, lane, 0); redis.call('ZREM', queue .. lane, id)",
    tests: OUTBOX,
  },
  {
    guard: "a job whose key has a newer one is not tried again",
    file: "core/outbox/job-queue.ts",
    text: "return job.key and redis.call('HGET', newest, job.key) ~= id",
    by: "return false",
    tests: OUTBOX,
  },
  {
    guard: "a try that Sluice broke off itself does not count",
    file: "core/outbox/outbox-loop.ts",
    text: "const outcome = this.ended.signal.aborted",
    by: "const outcome = this.options.atOnce < 0",
    tests: OUTBOX,
  },
  {
    guard: "a refusal (4xx) is final, one for now (429) is not",
    file: "core/network/send-request.ts",
    text: "status >= 400 && status < 500 && !WORTH_ANOTHER_TRY.has(status)",
    by: "status >= 400 && status < 500",
    tests: REQUEST,
  },
  {
    guard: "of an answer only the first 64 KiB are read",
    file: "core/network/send-request.ts",
    text: "if (length >= LONGEST_ANSWER_BYTES) break;",
    by: "",
    tests: REQUEST,
  },
  {
    guard: "a lease that is lost is not renewed",
    file: "core/outbox/job-queue.ts",
    text: "if redis.call('HGET', leases, ARGV[1]) ~= ARGV[2] then return 0 end",
    by: "",
    tests: OUTBOX,
  },
  {
    guard: "a job is settled by whoever has it now",
    file: "core/outbox/job-queue.ts",
    text: "if redis.call('HGET', leases, id) ~= token then return 0 end",
    by: "",
    tests: OUTBOX,
  },
  {
    guard: "a try whose lease another has is broken off",
    file: "core/outbox/attempt.ts",
    text: "isOurs === false || clock.now() + renewMs > until",
    by: "clock.now() + renewMs > until",
    tests: OUTBOX,
  },
  {
    guard: "a try is broken off when its lease has run out unseen",
    file: "core/outbox/attempt.ts",
    text: "isOurs === false || clock.now() + renewMs > until",
    by: "isOurs === false",
    tests: OUTBOX,
  },
  {
    guard: "a lease is renewed in time",
    file: "core/outbox/attempt.ts",
    text: "const renewMs = leaseMs / 3;",
    by: "const renewMs = leaseMs * 2;",
    tests: OUTBOX,
  },
];
