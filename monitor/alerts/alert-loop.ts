import { randomBytes } from "node:crypto";
import type { Log } from "../../core/log.js";
import type { MonitorSettings } from "../../core/settings/monitor-settings.js";
import type { AlertRecord } from "../../core/records/alerts/alert-record.js";
import type { AlertRecords } from "../../core/records/alerts/alert-records.js";
import type { FleetHost } from "../../core/records/fleet/fleet-host.js";
import type { FleetHosts } from "../../core/records/fleet/fleet-hosts.js";
import type { HostRecords } from "../../core/records/hosts/host-records.js";
import type { SampleSeries } from "../../core/records/hosts/sample-series.js";
import type { Action, Actions } from "./actions.js";
import type { MonitorLead } from "../monitor-lead.js";
import { ruleStateSchema, type RuleState } from "../rules/evaluate-rule.js";
import { look, type Outcome, type Seen } from "../rules/look.js";
import { AlertDispatcher } from "./alert-dispatcher.js";

export interface AlertLoopOptions {
  readonly settings: MonitorSettings;
  readonly hosts: HostRecords;
  readonly fleet: Pick<FleetHosts, "list">;
  readonly series: SampleSeries;
  readonly alerts: AlertRecords;
  readonly lead: MonitorLead;
  readonly actions: Actions;
  /** ms since 1970, by the clock that gives samples their times. */
  readonly now: () => Promise<number>;
  readonly log: Log;
}

/**
 * One look at all hosts' newest samples: what follows for the alerts is written down first, then told. All it remembers is in
 * Redis, so it can end anywhere, here or on another host, and go on.
 */
export class AlertLoop {
  private readonly dispatcher: AlertDispatcher;

  constructor(private readonly options: AlertLoopOptions) {
    this.dispatcher = new AlertDispatcher(options.actions, options.log);
  }

  /** To be called once a second. Does nothing while another monitor leads. */
  async look(): Promise<void> {
    const { lead, settings, log } = this.options;
    if (!(await lead.hold())) return;
    const seen = await this.see();
    const outcome = look(seen, settings, newId);
    for (const { id, rule, host, phase, text } of outcome.alerts)
      // Its worst value may change with each look.
      if (seen.alerts.find((alert) => alert.id === id)?.phase !== phase)
        log.info({ rule, host, phase, text }, "alert");
    const now = await this.write(seen, outcome);
    if (now === undefined) return;
    for (const alert of now) this.dispatcher.begin(alert, seen.now);
    await this.keep(now);
  }

  /** Waits for actions in progress, so that none is repeated, and lets another monitor lead at once. */
  async stop(): Promise<void> {
    const { lead, alerts } = this.options;
    await this.dispatcher.idle();
    try {
      const current = await alerts.current();
      const settled = current.filter((alert) => this.dispatcher.settled(alert) !== alert);
      await alerts.commit(lead.token, {
        states: new Map(),
        alerts: settled.map((alert) => this.dispatcher.settled(alert)),
      });
    } finally {
      await lead.giveBack();
    }
  }

  private async see(): Promise<Seen> {
    const { hosts, fleet, series, alerts, now } = this.options;
    const [records, fleetHosts, at, states, current, acknowledgements] = await Promise.all([
      hosts.list(),
      fleet.list(),
      now(),
      alerts.states(),
      alerts.current(),
      alerts.acknowledgements(),
    ]);
    return {
      now: at,
      hosts: records,
      newest: await series.newest(records.map(({ id }) => id)),
      states: new Map([...states].map(([subject, text]) => [subject, parseState(text)])),
      alerts: current,
      acknowledgements,
      silences: await alerts.silences(at),
      failures: failuresOf(fleetHosts),
    };
  }

  /** Answers the alerts as they stand now; undefined when another monitor leads. */
  private async write(seen: Seen, outcome: Outcome): Promise<readonly AlertRecord[] | undefined> {
    const { alerts, lead } = this.options;
    const all = new Map([...seen.alerts, ...outcome.alerts].map((alert) => [alert.id, alert]));
    const before = new Map(seen.alerts.map((alert) => [alert.id, alert]));
    const settled = [...all.values()].map((alert) => this.dispatcher.settled(alert));
    const changed = settled.filter((alert) => before.get(alert.id) !== alert);
    const states = new Map(
      [...outcome.states].map(([subject, state]) => [subject, state && JSON.stringify(state)]),
    );
    if (changed.length > 0 || states.size > 0) {
      if (!(await alerts.commit(lead.token, { states, alerts: changed }))) return undefined;
      for (const alert of changed) this.dispatcher.written(alert);
    }
    return settled;
  }

  private async keep(alerts: readonly AlertRecord[]): Promise<void> {
    const { actions, log } = this.options;
    // The keys of a record lose their type.
    for (const [name, action] of Object.entries(actions) as [AlertRecord["actions"][number], Action][])
      await action
        .keep?.(alerts.filter((alert) => alert.phase !== "resolved" && alert.actions.includes(name)))
        .catch((error: unknown) => log.warn({ err: error, action: name }, "an alert's action"));
  }
}

/** A droplet that failed leaves at once; a host that leaves by itself has none. */
function failuresOf(hosts: readonly FleetHost[]): Map<string, string> {
  return new Map(
    hosts.flatMap(({ name, phase, failure }) =>
      failure === undefined || (phase !== "failed" && phase !== "leaving")
        ? []
        : [[name, `${name} could not be provisioned (${failure.step}): ${failure.message}`]],
    ),
  );
}

function parseState(text: string): RuleState {
  return ruleStateSchema.parse(JSON.parse(text));
}

/** Short enough to be typed. */
function newId(): string {
  return randomBytes(4).toString("hex");
}
