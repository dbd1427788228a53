import type { Database } from "../../core/redis/database.js";
import type { AlertRecord } from "../../core/records/alerts/alert-record.js";
import { drainSchema, type Drain } from "../../core/records/alerts/drain.js";
import { keys } from "../../core/redis/keys.js";
import type { Action } from "./actions.js";

/** The keys end so long after the last monitor. */
export const DRAIN_LIFE_MS = 10_000;

/**
 * KEYS: alert, drain. ARGV: `Drain` as JSON, life in ms. Answer: `ours`; or `theirs`: a person's `yes` stands already, or a person
 * has changed the key since we set it, and is obeyed while this lasts. Only ours has an end.
 */
const HOLD = `
local alert = redis.call('GET', KEYS[1])
local drain = redis.call('GET', KEYS[2])
if not drain and alert == 'yes' then return 'theirs' end
if drain and (alert ~= 'yes' or redis.call('PTTL', KEYS[1]) < 0) then
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
  return 'theirs'
end
redis.call('SET', KEYS[1], 'yes', 'PX', ARGV[2])
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return 'ours'`;

/** KEYS: alert, drain. Answer: 1 the alert is taken back, 0 it was not ours. */
const RELEASE = `
if redis.call('DEL', KEYS[2]) == 0 then return 0 end
if redis.call('GET', KEYS[1]) ~= 'yes' or redis.call('PTTL', KEYS[1]) < 0 then return 0 end
redis.call('SET', KEYS[1], 'no')
return 1`;

/**
 * Keeps `sluice:alert` at `yes` while an alert asks for it, which takes every canary out of the traffic. The key is set for some
 * seconds only, again and again: it never outlives the monitors. Beside it stands who set it, since when and why.
 */
export class DrainCanary implements Action {
  private isHeld = true;

  constructor(
    private readonly redis: Database,
    private readonly who: string,
  ) {}

  async keep(alerts: readonly AlertRecord[]): Promise<void> {
    const [first] = alerts;
    if (first !== undefined) await this.hold(first, alerts);
    // Also at the first look: an alert that ended while no monitor ran.
    else if (this.isHeld) await this.release();
  }

  private async hold(first: AlertRecord, alerts: readonly AlertRecord[]): Promise<void> {
    const drain: Drain = {
      v: 1,
      who: this.who,
      since: new Date(first.raisedAt).toISOString(),
      why: alerts.map(({ text }) => text).join(" "),
    };
    this.isHeld = true;
    const value = JSON.stringify(drainSchema.parse(drain));
    await this.redis.eval(HOLD, 2, keys.alert, keys.monitorDrain, value, DRAIN_LIFE_MS);
  }

  private async release(): Promise<void> {
    await this.redis.eval(RELEASE, 2, keys.alert, keys.monitorDrain);
    this.isHeld = false;
  }
}
