import {
  PROVISION_RULE,
  SILENT_RULE,
  type AlertAction,
  type MonitorSettings,
  type Rule,
} from "../../core/settings/monitor-settings.js";
import {
  subjectOf,
  type Acknowledgement,
  type AlertRecord,
  type Silence,
} from "../../core/records/alerts/alert-record.js";
import type { HostRecord } from "../../core/records/hosts/host-record.js";
import type { TimedSample } from "../../core/records/hosts/sample-series.js";
import { METRICS } from "../../core/records/hosts/sample.js";
import { lasting, raised, resolved, withValue, type Quiet } from "./alert-life.js";
import { alertText, silentText } from "./alert-text.js";
import { evaluateRule, type Measured, type RuleState, type Threshold } from "./evaluate-rule.js";

export interface Seen {
  /** ms since 1970, by Redis' clock. */
  readonly now: number;
  readonly hosts: readonly HostRecord[];
  readonly newest: ReadonlyMap<string, TimedSample>;
  readonly states: ReadonlyMap<string, RuleState>;
  readonly alerts: readonly AlertRecord[];
  readonly acknowledgements: ReadonlyMap<string, Acknowledgement>;
  readonly silences: ReadonlyMap<string, Silence>;
  /** Host → why it could not be provisioned. */
  readonly failures: ReadonlyMap<string, string>;
}

export interface Outcome {
  /** Those that changed; undefined: all is well again. */
  readonly states: ReadonlyMap<string, RuleState | undefined>;
  /** Those that are new or changed. */
  readonly alerts: readonly AlertRecord[];
}

type LookSettings = Pick<MonitorSettings, "rules" | "silentSeconds" | "remindSeconds">;

/** One rule on one host, as far as both are known now. */
interface Watch {
  readonly rule: string;
  readonly host: string;
  readonly actions: readonly AlertAction[];
  readonly threshold: Threshold;
  /** Undefined while the host tells nothing of it. */
  readonly measured: Measured | undefined;
  readonly text: (value: number) => string;
}

/** A host is on the way to be silent when it missed about this much. */
const LATE_SECONDS = 3;

/** What follows from the hosts' newest samples: for the rules' states and for the alerts. `newId` names a new alert. */
export function look(seen: Seen, settings: LookSettings, newId: () => string): Outcome {
  const states = new Map<string, RuleState | undefined>();
  const alerts: AlertRecord[] = [];
  const watches = watchesOf(seen, settings);
  for (const watch of watches) {
    const subject = subjectOf(watch);
    const open = seen.alerts.find((each) => each.phase !== "resolved" && subjectOf(each) === subject);
    const before = seen.states.get(subject);
    const quiet = quietOf(seen, subject, open);
    const state =
      watch.measured === undefined ? before : evaluateRule(before, watch.measured, watch.threshold).state;
    if (!isSame(before, state)) states.set(subject, state);
    const next = nextAlert(open, { watch, quiet, isRaised: state?.isRaised ?? false }, seen.now, {
      ...settings,
      newId,
    });
    if (next !== undefined && next !== open) alerts.push(next);
  }
  const watched = new Set(watches.map(subjectOf));
  for (const subject of seen.states.keys()) if (!watched.has(subject)) states.set(subject, undefined);
  for (const alert of seen.alerts)
    // The host was removed, or the rule is not in the settings any more.
    if (alert.phase !== "resolved" && !watched.has(subjectOf(alert)))
      alerts.push(resolved(alert, seen.now, quietOf(seen, subjectOf(alert), alert)));
  return { states, alerts };
}

function nextAlert(
  open: AlertRecord | undefined,
  { watch, quiet, isRaised }: { watch: Watch; quiet: Quiet; isRaised: boolean },
  now: number,
  { remindSeconds, newId }: { remindSeconds: number; newId: () => string },
): AlertRecord | undefined {
  const { rule, host, actions, measured, text, threshold } = watch;
  if (open === undefined) {
    if (!isRaised || measured === undefined) return undefined;
    const { value } = measured;
    return raised({ id: newId(), rule, host, actions, value, text: text(value) }, now, quiet);
  }
  if (!isRaised) return resolved(withValue(open, measured?.value ?? open.value, false), now, quiet);
  const isWorse =
    measured !== undefined &&
    (threshold.above === undefined ? measured.value < open.worst : measured.value > open.worst);
  const seen = isWorse ? withValue(open, measured.value, true) : open;
  return lasting(seen, now, remindSeconds, quiet);
}

function watchesOf(seen: Seen, { rules, silentSeconds }: LookSettings): Watch[] {
  const { hosts, newest, now, failures } = seen;
  const failed = [...failures].map(([host, text]) => failureWatch(host, text, now));
  const ofHosts = hosts.flatMap((record) => {
    const latest = newest.get(record.id);
    const concerned = rules.filter((rule) => concerns(rule, record));
    return [
      silence(record, latest, now, silentSeconds),
      ...concerned.map((rule) => ofRule(rule, record.id, latest)),
    ];
  });
  return [...ofHosts, ...failed];
}

/** It lasts until the host is provisioned, or removed. */
function failureWatch(host: string, text: string, now: number): Watch {
  return {
    ...{ rule: PROVISION_RULE, host, actions: ["notify"], text: () => text },
    threshold: { above: 0, forSeconds: 0, hysteresis: 0 },
    measured: { at: now, value: 1 },
  };
}

function ofRule(rule: Rule, host: string, latest: TimedSample | undefined): Watch {
  const value = latest && METRICS[rule.metric](latest.sample);
  return {
    rule: rule.name,
    host,
    actions: rule.actions,
    threshold: rule,
    measured: latest === undefined || value === undefined ? undefined : { at: latest.at, value },
    text: (now) => alertText(rule, host, now),
  };
}

/** Counted while it is watched: after an outage of Redis, or of all monitors, hosts get the time to report. */
function silence(
  { id, startedAt }: HostRecord,
  latest: TimedSample | undefined,
  now: number,
  silentSeconds: number,
): Watch {
  const value = Math.max(0, Math.round((now - (latest?.at ?? Date.parse(startedAt))) / 1000));
  return {
    rule: SILENT_RULE,
    host: id,
    actions: ["notify"],
    threshold: { above: LATE_SECONDS, forSeconds: silentSeconds - LATE_SECONDS, hysteresis: 0 },
    measured: { at: now, value },
    text: (seconds) => silentText(id, seconds),
  };
}

function concerns({ hosts }: Rule, { id, roles }: HostRecord): boolean {
  if (hosts === "all") return true;
  return "role" in hosts ? roles.includes(hosts.role) : hosts.host === id;
}

function quietOf(seen: Seen, subject: string, open: AlertRecord | undefined): Quiet {
  return {
    acknowledged: open && seen.acknowledgements.get(open.id),
    silence: seen.silences.get(subject),
  };
}

function isSame(before: RuleState | undefined, after: RuleState | undefined): boolean {
  return (
    before?.isRaised === after?.isRaised &&
    before?.pending?.heldMs === after?.pending?.heldMs &&
    before?.pending?.at === after?.pending?.at
  );
}
