import type { AlertAction } from "../../core/settings/monitor-settings.js";
import type { AlertRecord, AlertTurn } from "../../core/records/alerts/alert-record.js";

/** What a rule can ask for. An action has either part, or both. */
export interface Action {
  /**
   * Tells of a turn of an alert: once each, and again after it threw, or when the monitor was killed before it could be written
   * down that it was told. Alert id and turn together are the same then.
   */
  tell?(turn: AlertTurn, alert: AlertRecord): Promise<void>;
  /** At each look: the alerts that last and ask for it, also when there are none. */
  keep?(alerts: readonly AlertRecord[]): Promise<void>;
}

/** One that is missing is not done, and nothing is pending to it. */
export type Actions = Readonly<Partial<Record<AlertAction, Action>>>;
