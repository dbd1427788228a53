import type { Mutant } from "../mutant.js";

const HEALTH = ["test/rooms/server/pipeline/health.test.ts"];
const TURNS = ["test/unit/server/releases/release-turns.test.ts"];
const QUEUE = ["test/unit/server/pipeline/release-queue.test.ts"];
const PRUNE = ["test/rooms/server/pipeline/prune.test.ts", "test/unit/server/pipeline/prune.test.ts"];
const KEY = ["test/rooms/server/builds/dependency-key.test.ts"];
const PHASE = ["test/unit/core/records/releases/phase.test.ts"];

/** From a push to a release, and what is kept of it. */
export const release: readonly Mutant[] = [
  {
    guard: "every instance must be healthy, not only the first",
    file: "server/pipeline/bring-up/check-instances.ts",
    text: "instances.map(async (instance) => checkInstance",
    by: "instances.slice(0, 1).map(async (instance) => checkInstance",
    tests: HEALTH,
  },
  {
    guard: "without a check 500 fails",
    file: "server/pipeline/bring-up/check-instances.ts",
    text: "status < 500 ? undefined",
    by: "status < 501 ? undefined",
    tests: HEALTH,
  },
  {
    guard: "without a check 499 passes",
    file: "server/pipeline/bring-up/check-instances.ts",
    text: "status < 500 ? undefined",
    by: "status < 499 ? undefined",
    tests: HEALTH,
  },
  {
    guard: "with a check 400 fails",
    file: "server/pipeline/bring-up/check-instances.ts",
    text: "status < 200 || status >= 400",
    by: "status < 200 || status > 400",
    tests: HEALTH,
  },
  {
    guard: "every check must pass, not only the first",
    file: "server/pipeline/bring-up/check-instances.ts",
    text: "for (const check of checks) address",
    by: "for (const check of checks.slice(0, 1)) address",
    tests: HEALTH,
  },
  {
    guard: "a check has no more attempts than it says",
    file: "server/pipeline/bring-up/check-instances.ts",
    text: "attempt++ >= check.attempts",
    by: "attempt++ > check.attempts",
    tests: HEALTH,
  },
  {
    guard: "an instance that never listens is not waited for without end",
    file: "server/pipeline/bring-up/check-instances.ts",
    text: "if (clock.now() >= deadline) throw await failure",
    by: "if (deadline < 0) throw await failure",
    tests: HEALTH,
  },
  {
    guard: "an instance that has ended is not waited for",
    file: "server/pipeline/bring-up/check-instances.ts",
    text: "state === undefined || state.ends <= (endsBefore.get(instance.id) ?? 0)",
    by: "state === undefined || state.ends < Infinity",
    tests: HEALTH,
  },
  {
    guard: "somebody else's answer at the port is not taken for the instance's",
    file: "server/pipeline/bring-up/check-instances.ts",
    text: "  await refuseForeignListener(work, instance, parseAddress(address), signal);\n",
    by: "",
    tests: HEALTH,
  },
  {
    guard: "turns of a release come one after the other",
    file: "server/releases/release-turns.ts",
    text: "before === undefined ? job() : before.then(job)",
    by: "job()",
    tests: TURNS,
  },
  {
    guard: "the third waits for the second, though the first is through",
    file: "server/releases/release-turns.ts",
    text: "if (this.taken.get(release) === end) this.taken.delete(release);",
    by: "this.taken.delete(release);",
    tests: TURNS,
  },
  {
    guard: "the third waits for the second, not for the first alone",
    file: "server/releases/release-turns.ts",
    text: "this.taken.set(release, end);",
    by: "if (before === undefined) this.taken.set(release, end);",
    tests: TURNS,
  },
  {
    guard: "pushes enter in the order of their arrival",
    file: "server/pipeline/release-queue.ts",
    text: "line?.waiting.shift()",
    by: "line?.waiting.pop()",
    tests: QUEUE,
  },
  {
    guard: "a newer push takes the place of a waiting one of its branch",
    file: "server/pipeline/release-queue.ts",
    text: "push !== undefined && push.branch === place.push?.branch",
    by: "push !== undefined && push.commit === place.push?.commit",
    tests: QUEUE,
  },
  {
    guard: "a newer push takes the place, it does not come before all others",
    file: "server/pipeline/release-queue.ts",
    text: "line.waiting.splice(index, 1, { ...place, enter, refuse })",
    by: "line.waiting.splice(index, 1, ...[]); line.waiting.unshift({ ...place, enter, refuse })",
    tests: QUEUE,
  },
  {
    guard: "who is interrupted leaves the queue",
    file: "server/pipeline/release-queue.ts",
    text: 'place.signal.addEventListener("abort", onAbort, { once: true });',
    by: "void onAbort;",
    tests: QUEUE,
  },
  {
    guard: "a record with a hundred newer ones stays while its release is kept",
    file: "server/pipeline/prune.ts",
    text: "if (!kept.has(record.number)) await tools.releases.remove",
    by: "await tools.releases.remove",
    tests: PRUNE,
  },
  {
    guard: "an app keeps a hundred records",
    file: "server/pipeline/prune.ts",
    text: "records.slice(KEPT_RECORDS)",
    by: "records.slice(KEPT_RECORDS - 1)",
    tests: PRUNE,
  },
  {
    guard: "an app keeps no more than a hundred records",
    file: "server/pipeline/prune.ts",
    text: "records.slice(KEPT_RECORDS)",
    by: "records.slice(KEPT_RECORDS + 1)",
    tests: PRUNE,
  },
  {
    guard: "the tree of a kept release stays",
    file: "server/pipeline/prune.ts",
    text: "number === undefined || kept.has(number)",
    by: "number === undefined",
    tests: PRUNE,
  },
  {
    guard: "a release that is being made is not removed",
    file: "server/pipeline/prune.ts",
    text: "...canServe.slice(0, keep), ...unfinished,",
    by: "...canServe.slice(0, keep), ...unfinished.slice(0, 0),",
    tests: PRUNE,
  },
  ...(
    [
      ["lockfile", "    lock,\n"],
      [
        "list of packages",
        "    JSON.stringify([packageJson.dependencies, packageJson.devDependencies, packageJson.optionalDependencies]),\n",
      ],
      [".npmrc", '    (await readTreeFile(tree, ".npmrc")) ?? "",\n'],
      ["Node.js", "    await nodeVersionOf(work.record.artifact, work.tools.path),\n"],
      ["platform", "    process.platform,\n"],
      ["processor", "    process.arch,\n"],
    ] as const
  ).map(([part, text]) => ({
    guard: `dependencies of another ${part} are not taken`,
    file: "server/builds/node/node-dependencies.ts",
    text,
    by: "",
    tests: KEY,
  })),
  {
    guard: "dependencies of the release's own Node.js are not those of the machine's",
    file: "server/builds/node/node-dependencies.ts",
    text: "nodeVersionOf(work.record.artifact, work.tools.path)",
    by: "nodeVersionOf({ ...work.record.artifact, nodeFolder: undefined }, work.tools.path)",
    tests: KEY,
  },
  {
    guard: "an installation that runs scripts of the app's tree is not shared",
    file: "server/builds/node/node-dependencies.ts",
    text: 'install.startsWith("npm ci") && installsAlone(packageJson)',
    by: 'install.startsWith("npm ci")',
    tests: KEY,
  },
  {
    guard: "a live release cannot fail",
    file: "core/records/releases/phase.ts",
    text: 'live: ["settled", "retired"]',
    by: 'live: ["settled", "retired", "failed"]',
    tests: PHASE,
  },
  {
    guard: "a failed release has reached nothing",
    file: "core/records/releases/phase.ts",
    text: 'current !== "failed" && ',
    by: "",
    tests: PHASE,
  },
];
