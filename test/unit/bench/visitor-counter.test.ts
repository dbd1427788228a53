import { expect } from "chai";
import { VisitorCounter, type Look } from "../../../bench/canary/judges/visitor-counter.js";
import { Recorder, SECONDS } from "../../../bench/canary/traffic/recording.js";
import { bucketOf } from "../../../core/records/traffic/latency-buckets.js";

const FAST = bucketOf(10_000);
const SLOW = bucketOf(1_000_000);
const NOBODY = { canary: 0, production: 0 };
const ONE = { canary: 1, production: 0 };

/** Of a visitor of the canary: in which second, whether it failed, how long it took. */
type Visit = readonly [second: number, isError: boolean, bucket: number];

describe("the counter of simulated visitors counts as the proxy does", () => {
  it("a visitor once, when they come first", () => {
    const [first, second] = looksAt([
      [0, false, FAST],
      [0, false, FAST],
      [1, false, FAST],
    ]);
    expect(first).to.include({ requests: 2 }).and.deep.include({ visitors: ONE, withErrors: NOBODY });
    expect(second).to.include({ requests: 1 }).and.deep.include({ visitors: NOBODY });
  });

  it("a visitor at the first error, and once more at the third", () => {
    const failing = Array.from({ length: 5 }, (_, second): Visit => [second, true, FAST]);
    const looks = looksAt(failing).slice(0, 5);
    expect(looks.map(({ withErrors }) => withErrors)).to.deep.equal([ONE, NOBODY, NOBODY, NOBODY, NOBODY]);
    expect(looks.map(({ withManyErrors }) => withManyErrors)).to.deep.equal([
      ...[NOBODY, NOBODY, ONE, NOBODY, NOBODY],
    ]);
    const [atOnce] = looksAt([0, 0, 0].map((second): Visit => [second, true, FAST]));
    expect(atOnce).to.deep.include({ withErrors: ONE, withManyErrors: ONE });
  });

  it("a visitor once for an answer over each limit, as soon as production has set limits", () => {
    const looks = looksAt([
      [0, false, SLOW],
      [900, false, SLOW],
      [901, false, SLOW],
    ]);
    for (const figure of ["overP90", "overP99"] as const)
      expect([0, 900, 901].map((second) => looks[second]?.[figure])).to.deep.equal([NOBODY, ONE, NOBODY]);
  });
});

/** Beside them, production has ten fast answers in each second, by one visitor. */
function looksAt(visits: readonly Visit[]): Look[] {
  const recorder = new Recorder();
  recorder.begin();
  const canary = recorder.addVisitor(0, 1, () => 0.5);
  for (const [second, isError, bucket] of visits) recorder.addRequest(second, canary, isError, bucket);
  const other = recorder.addVisitor(0, 0, () => 0.5);
  for (let second = 100; second < SECONDS; second++)
    for (let request = 0; request < 10; request++) recorder.addRequest(second, other, false, FAST);
  const counter = new VisitorCounter(recorder.end(0.3));
  return Array.from({ length: SECONDS }, (_, second) => counter.look(second));
}
