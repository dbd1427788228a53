import type { ReleaseTraffic } from "../../../core/records/traffic/traffic-series.js";
import { noTraffic } from "../../../core/records/traffic/traffic.js";
import { canarySettingsSchema } from "../../../core/records/releases/canary-settings.js";
import { newCanary } from "../../../server/canary/canary-record.js";
import { withTraffic } from "../../../server/canary/judging/observe.js";
import { verdictOn } from "../../../server/canary/judging/verdict-on.js";
import { SECONDS, type Recording } from "../traffic/recording.js";
import { seenIn } from "./seen.js";
import { VisitorCounter } from "./visitor-counter.js";

const SETTINGS = canarySettingsSchema.parse({ stepSeconds: SECONDS });

/**
 * The second in which the server's own code fails the canary: records, verdicts and sentences, from what a proxy would write. It
 * takes forty times as long as `sluice`, which must come to the same; infinite: never.
 */
export function sluiceItself(recording: Recording): number {
  const counter = new VisitorCounter(recording);
  let record = newCanary("shop", 2, 0);
  for (let second = 0; second < SECONDS; second++) {
    const { chance, now } = { chance: recording.share, now: (second + 1) * 1000 };
    record = withTraffic(record, trafficIn(recording, counter, second), {
      ...{ against: "production", cursor: "0-0", isHeld: false, chance, now },
      stepSeconds: SETTINGS.stepSeconds,
    });
    if (verdictOn(record, SETTINGS).word === "fail") return second;
  }
  return Infinity;
}

function trafficIn(recording: Recording, counter: VisitorCounter, second: number): ReleaseTraffic[] {
  const look = counter.look(second);
  const seen = seenIn(recording, second);
  const sides = [
    { side: "canary", release: "v2" },
    { side: "production", release: "v1" },
  ] as const;
  return sides.map(({ side, release }) => ({
    ...noTraffic(),
    ...{ release, track: side },
    requests: seen[side].requests,
    answersOk: seen[side].requests - seen[side].errors,
    answers5xx: seen[side].errors,
    visitors: look.visitors[side],
    visitorsWithErrors: look.withErrors[side],
    visitorsWithManyErrors: look.withManyErrors[side],
    visitorsOverP90: look.overP90[side],
    visitorsOverP99: look.overP99[side],
    latencies: Object.fromEntries([...seen[side].histogram.entries()].filter(([, answers]) => answers > 0)),
  }));
}
