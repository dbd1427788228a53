import type { Mutant } from "../mutant.js";

const CHANGES = ["test/unit/server/route-changes.test.ts"];
const RETIREMENT = ["test/unit/server/retirement.test.ts"];
const PLAN = ["test/unit/proxy/plan.test.ts"];
const ROUTES_OF = ["test/unit/proxy/routes-of.test.ts"];

/** Where visitors go, and when what they left may stop. */
export const routes: readonly Mutant[] = [
  {
    guard: "a release that serves is not taken out of the table by an undo",
    file: "server/releases/route-changes.ts",
    text: "return isVisited || Object.values(table.tracks).includes(number) ? table",
    by: "return isVisited ? table",
    tests: CHANGES,
  },
  {
    guard: "a release that still has visitors is not taken out of the table by an undo",
    file: "server/releases/route-changes.ts",
    text: "return isVisited || Object.values(table.tracks).includes(number) ? table",
    by: "return Object.values(table.tracks).includes(number) ? table",
    tests: CHANGES,
  },
  {
    guard: "an aborted canary's cookies bring nobody back to it",
    file: "server/releases/route-changes.ts",
    text: "withoutVisitors(withoutTrack(table, CANARY, now), number)",
    by: "withoutTrack(table, CANARY, now)",
    tests: CHANGES,
  },
  {
    guard: "a share that an admin chose stays over the next canary",
    file: "server/releases/route-changes.ts",
    text: "before?.isByHand ? before.share : firstShare(canary)",
    by: "firstShare(canary)",
    tests: CHANGES,
  },
  {
    guard: "a canary that takes production is no canary any more",
    file: "server/releases/route-changes.ts",
    text: ".filter(([, number]) => number !== record.number);\n  const tracks",
    by: ";\n  const tracks",
    tests: CHANGES,
  },
  {
    guard: "of too many previews one that is awake stays",
    file: "server/releases/route-changes.ts",
    text: "return release?.asleep ? release.since : now + (release?.since ?? 0);",
    by: "return release?.since ?? 0;",
    tests: CHANGES,
  },
  {
    guard: "of too many previews the one just pushed stays",
    file: "server/releases/route-changes.ts",
    text: "isPreview(track) && track !== kept",
    by: "isPreview(track)",
    tests: CHANGES,
  },
  {
    guard: "a release with something open is not retired",
    file: "server/reconcile/retirement.ts",
    text: "load.connections === 0 &&\n",
    by: "",
    tests: RETIREMENT,
  },
  {
    guard: "a sticky release waits until its visitors were idle",
    file: "server/reconcile/retirement.ts",
    text: "(!release.sticky || load.idleSeconds >= release.sessionIdleSeconds)",
    by: "load.idleSeconds >= 0",
    tests: RETIREMENT,
  },
  {
    guard: "the newest replaced release stays on standby",
    file: "server/reconcile/retirement.ts",
    text: "waitedSeconds < release.standbySeconds && isNewestReplaced(release, table)",
    by: "waitedSeconds < 0",
    tests: RETIREMENT,
  },
  {
    guard: "only the newest replaced release stays on standby",
    file: "server/reconcile/retirement.ts",
    text: "waitedSeconds < release.standbySeconds && isNewestReplaced(release, table)",
    by: "waitedSeconds < release.standbySeconds",
    tests: RETIREMENT,
  },
  {
    guard: "a drain ends",
    file: "server/reconcile/retirement.ts",
    text: "waitedSeconds >= release.drainSeconds ||",
    by: "",
    tests: RETIREMENT,
  },
  {
    guard: "a preview that somebody visits does not sleep",
    file: "server/reconcile/retirement.ts",
    text: "load.connections === 0 && load.idleSeconds >= sleepSeconds",
    by: "load.idleSeconds >= sleepSeconds",
    tests: RETIREMENT,
  },
  {
    guard: "a slot whose servers still have connections is given to no other release",
    file: "proxy/haproxy/plan.ts",
    text: " && !used.has(slot)",
    by: "",
    tests: PLAN,
  },
  {
    guard: "what is pointed to comes before what points",
    file: "proxy/haproxy/map-changes.ts",
    text: '["slots", "splits", "tracks", "visitors", "hosts"]',
    by: '["hosts", "visitors", "tracks", "splits", "slots"]',
    tests: PLAN,
  },
  {
    guard: "what points goes before what is pointed to",
    file: "proxy/haproxy/map-changes.ts",
    text: "changes.reverse()",
    by: "changes",
    tests: PLAN,
  },
  {
    guard: "an alert takes every canary's share",
    file: "proxy/routes-of.ts",
    text: "canaryShare(table, isAlert)",
    by: "canaryShare(table, false)",
    tests: ROUTES_OF,
  },
  {
    guard: "an instance at another port is another server",
    file: "proxy/routes-of.ts",
    text: '`${id}:${address.slice(address.lastIndexOf(":") + 1)}`',
    by: "id",
    tests: ROUTES_OF,
  },
  {
    guard: "an alert key of another type stops nothing",
    file: "core/records/is-alert.ts",
    text: "return false;",
    by: "throw error;",
    tests: ["test/contract/is-alert.test.ts"],
  },
];
