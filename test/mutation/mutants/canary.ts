import type { Mutant } from "../mutant.js";

const VERDICT = ["test/unit/server/canary/statistics/verdict.test.ts"];
const EVIDENCE = ["test/unit/server/canary/statistics/evidence.test.ts"];
const OBSERVE = ["test/unit/server/canary/judging/observe.test.ts"];
const NEXT_MOVE = ["test/unit/server/canary/judging/next-move.test.ts"];
const PROMOTION = ["test/unit/server/canary/judging/promotion.test.ts"];

/** When a canary is judged, and what may follow from it. */
export const canary: readonly Mutant[] = [
  {
    guard: "a canary without requests is never judged good, whatever the settings say",
    file: "server/canary/statistics/verdict.ts",
    text: "Math.max(1, minRequests)",
    by: "minRequests",
    tests: VERDICT,
  },
  {
    guard: "each step needs its minimum of requests",
    file: "server/canary/statistics/verdict.ts",
    text: "requestsInStep.canary < needed",
    by: "requestsInStep.canary < 0",
    tests: VERDICT,
  },
  {
    guard: "nothing is decided while production has no requests",
    file: "server/canary/statistics/verdict.ts",
    text: "requestsInStep.production === 0",
    by: "requestsInStep.production < 0",
    tests: VERDICT,
  },
  {
    guard: "each step needs its minimum of visitors",
    file: "server/canary/statistics/verdict.ts",
    text: "visitorsInStep.canary < LEAST_VISITORS",
    by: "visitorsInStep.canary < 0",
    tests: VERDICT,
  },
  {
    guard: "nothing is decided while production has no visitors that chance has sent",
    file: "server/canary/statistics/verdict.ts",
    text: "visitorsInStep.production === 0",
    by: "visitorsInStep.production < 0",
    tests: VERDICT,
  },
  {
    guard: "the hard limit of errors needs twenty visitors",
    file: "server/canary/statistics/verdict.ts",
    text: "maxErrorShare === undefined || canary.visitors < LIMIT_VISITORS",
    by: "maxErrorShare === undefined",
    tests: VERDICT,
  },
  {
    guard: "a single visitor does not reach the hard limit of errors, however often they fail",
    file: "server/canary/statistics/verdict.ts",
    text: "if (canary.visitorsWithErrors < LEAST_VISITORS) return undefined;",
    by: "",
    tests: VERDICT,
  },
  {
    guard: "the hard limit of errors is one of visitors, too",
    file: "server/canary/statistics/verdict.ts",
    text: "[errorShare, shareWithErrors]",
    by: "[errorShare]",
    tests: VERDICT,
  },
  {
    guard: "a canary is not blamed for errors that production has as well",
    file: "server/canary/statistics/verdict.ts",
    text: "Math.max(maxErrorShare, shareOf(production))",
    by: "maxErrorShare",
    tests: VERDICT,
  },
  {
    guard: "a single visitor does not reach the hard limit of p99",
    file: "server/canary/statistics/verdict.ts",
    text: "if (canary.visitorsOverP99 < LEAST_VISITORS) return undefined;",
    by: "",
    tests: VERDICT,
  },
  {
    guard: "a p99 needs a hundred answers on both sides",
    file: "server/canary/statistics/verdict.ts",
    text: "if (canary.answers < P99_ANSWERS || production.answers < P99_ANSWERS) return undefined;",
    by: "",
    tests: VERDICT,
  },
  {
    guard: "a step lasts at least its seconds",
    file: "server/canary/statistics/verdict.ts",
    text: "if (secondsInStep >= stepSeconds) return undefined;",
    by: "return undefined;",
    tests: VERDICT,
  },
  {
    guard: "a crash or a stall is one event, however many visitors it met",
    file: "server/canary/statistics/evidence.ts",
    text: "Math.min(Math.log(MOST_PER_BLOCK), blockLogE)",
    by: "blockLogE",
    tests: EVIDENCE,
  },
  {
    guard: "where chance divides nobody, nothing is compared",
    file: "server/canary/statistics/evidence.ts",
    text: "(isDivided(chance) ? raise : 0)",
    by: "raise",
    tests: EVIDENCE,
  },
  {
    guard: "visitors who came while the share changed are not compared",
    file: "server/canary/judging/observe.ts",
    text: "isHeld || chance !== (record.chance ?? chance)",
    by: "isHeld",
    tests: OBSERVE,
  },
  {
    guard: "who asked for a release is not counted among the visitors whom chance has divided",
    file: "server/canary/judging/observe.ts",
    text: ".filter(({ asked }) => asked !== true)",
    by: "",
    tests: OBSERVE,
  },
  {
    guard: "a share that an admin chose is not raised",
    file: "server/canary/judging/next-move.ts",
    text: 'if (routed.isManual) return { action: "none" };',
    by: "",
    tests: NEXT_MOVE,
  },
  {
    guard: "an A/B test is decided by people",
    file: "server/canary/judging/next-move.ts",
    text: " || settings.goal !== undefined",
    by: "",
    tests: NEXT_MOVE,
  },
  {
    guard: "a failed canary stays where onFail is hold",
    file: "server/canary/judging/next-move.ts",
    text: 'settings.onFail === "abort" ? { action: "abort" } : { action: "none" }',
    by: '{ action: "abort" }',
    tests: NEXT_MOVE,
  },
  {
    guard: "a canary that passed waits for a person where onPass is hold",
    file: "server/canary/judging/next-move.ts",
    text: 'settings.onPass === "promote" ? { action: "promote" } : { action: "none" }',
    by: '{ action: "promote" }',
    tests: NEXT_MOVE,
  },
  {
    guard: "a canary does not replace a production that it did not begin beside",
    file: "server/canary/judging/promotion.ts",
    text: "beside !== undefined && beside !== (production ?? null)",
    by: "beside === 0",
    tests: PROMOTION,
  },
  {
    guard: "a failed promotion is tried again only after its pause",
    file: "server/canary/judging/promotion.ts",
    text: "failedPromotion !== undefined && now < failedPromotion.retryAt",
    by: "failedPromotion !== undefined && now < 0",
    tests: PROMOTION,
  },
  {
    guard: "a verdict that comes late does not raise the share of another canary, or one set by hand",
    file: "server/canary/judging/share.ts",
    text: "isRaised = table.tracks[CANARY] === release && table.canary?.isManual === false;",
    by: "isRaised = true;",
    tests: ["test/rooms/server/canary/canary-share.test.ts"],
  },
  {
    guard: "an abort takes its own canary, not one that came meanwhile",
    file: "server/canary/judging/share.ts",
    text: "table.tracks[CANARY] === number ? withoutCanary(table, tools.clock.now()) : table",
    by: "withoutCanary(table, tools.clock.now())",
    tests: ["test/rooms/server/canary/canary-share.test.ts"],
  },
];
