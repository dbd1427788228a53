import type { Log } from "../../core/log.js";
import type { AlertRecord } from "../../core/records/alerts/alert-record.js";
import type { Actions } from "./actions.js";
import { told } from "../rules/alert-life.js";

/** A failed action is tried again after this long. */
const PAUSE_MS = 60_000;

type Owed = AlertRecord["pending"][number];

/** Tells actions what alerts owe them, beside the loop: a mail server may take its time. */
export class AlertDispatcher {
  private readonly running = new Map<string, Promise<void>>();
  private readonly done = new Set<string>();
  private readonly pausedUntil = new Map<string, number>();

  constructor(
    private readonly actions: Actions,
    private readonly log: Log,
  ) {}

  /** Removes from an alert the turns that have been handled. */
  settled(alert: AlertRecord): AlertRecord {
    return alert.pending
      .filter(
        (pending) =>
          this.actions[pending.action]?.tell === undefined || this.done.has(nameOf(alert, pending)),
      )
      .reduce((rest, { action, turn }) => told(rest, action, turn), alert);
  }

  /** Begins to tell what is pending: to each action its turns one after the other. */
  begin(alert: AlertRecord, now: number): void {
    const first = new Map(alert.pending.toReversed().map((pending) => [pending.action, pending]));
    for (const pending of first.values()) {
      const name = nameOf(alert, pending);
      if (this.done.has(name) || this.running.has(name) || now < (this.pausedUntil.get(name) ?? 0)) continue;
      const telling = this.tell(alert, pending, name, now).finally(() => this.running.delete(name));
      this.running.set(name, telling);
    }
  }

  /** Forgets what was written down as told. */
  written(alert: AlertRecord): void {
    const pending = new Set(alert.pending.map((each) => nameOf(alert, each)));
    for (const name of this.done)
      if (name.startsWith(`${alert.id} `) && !pending.has(name)) this.done.delete(name);
  }

  async idle(): Promise<void> {
    await Promise.all(this.running.values());
  }

  private async tell(alert: AlertRecord, { action, turn }: Owed, name: string, now: number): Promise<void> {
    try {
      await this.actions[action]?.tell?.(turn, alert);
      this.done.add(name);
      this.pausedUntil.delete(name);
    } catch (error) {
      this.pausedUntil.set(name, now + PAUSE_MS);
      this.log.error({ err: error, action, turn, alert: alert.id }, "an action for an alert failed");
    }
  }
}

function nameOf({ id }: AlertRecord, { action, turn }: Owed): string {
  return `${id} ${action} ${turn}`;
}
