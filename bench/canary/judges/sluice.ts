import { ERRORS, LATENCY } from "../../../server/canary/statistics/leveled-evidence.js";
import {
  windowedFrom,
  windowedValue,
  withNext,
} from "../../../server/canary/statistics/windowed-evidence.js";
import { SECONDS, type Recording } from "../traffic/recording.js";
import { VisitorCounter } from "./visitor-counter.js";

const FALSE_ALARMS = 0.01;

/** The canary that failed. */
export interface Found {
  readonly second: number;
  readonly by: "errors" | "latency";
  /** Of the canary, until then. */
  readonly visitors: number;
}

/**
 * As Sluice judges: what the proxy counts each second makes the evidence of one look, as in `withTraffic`, and a verdict, as in
 * `verdictOn`, without hard limits. Records and sentences are left out: they would take most of the time.
 */
export function sluice(recording: Recording): Found | undefined {
  const counter = new VisitorCounter(recording);
  let [errors, latency] = [windowedFrom(ERRORS.none()), windowedFrom(LATENCY.none())];
  let visitors = 0;
  for (let second = 0; second < SECONDS; second++) {
    const look = counter.look(second);
    visitors += look.visitors.canary;
    const passed = { seconds: 1, requests: look.requests };
    const divided = { chance: recording.share, seconds: 1 };
    const [failing, slow] = [
      [look.withErrors, look.withManyErrors],
      [look.overP90, look.overP99],
    ];
    errors = withNext(errors, (before) => ERRORS.with(before, failing, divided), passed, ERRORS);
    latency = withNext(latency, (before) => LATENCY.with(before, slow, divided), passed, LATENCY);
    if (windowedValue(errors, ERRORS) >= 1 / FALSE_ALARMS) return { second, by: "errors", visitors };
    if (windowedValue(latency, LATENCY) >= 1 / FALSE_ALARMS) return { second, by: "latency", visitors };
  }
  return undefined;
}
