import type { Database } from "../../redis/database.js";
import { AppError } from "../../errors/app-error.js";
import { actorOf, type Actor } from "../events/actor.js";
import { setField } from "../events/change-field.js";
import type { NewEvent } from "../events/event-record.js";
import { keys } from "../../redis/keys.js";
import {
  acknowledgementSchema,
  alertRecordSchema,
  silenceSchema,
  subjectOf,
  type Acknowledgement,
  type AlertRecord,
  type Silence,
} from "./alert-record.js";

export interface AlertChanges {
  /** `RULE@HOST` → its state's text; undefined: all is well again. */
  readonly states: ReadonlyMap<string, string | undefined>;
  readonly alerts: readonly AlertRecord[];
}

const HISTORY_KEPT = 500;

/**
 * KEYS: lead, states, alerts, history, acknowledged. ARGV: the lead's token, changes as JSON ({gone: [state], states: [[state, text]],
 * alerts: [[id, text]], over: [[id, text]]}), how many that are over are kept. Answer: 1, or 0 when another monitor leads.
 */
const COMMIT = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local changes = cjson.decode(ARGV[2])
for _, state in ipairs(changes.gone) do redis.call('HDEL', KEYS[2], state) end
for _, pair in ipairs(changes.states) do redis.call('HSET', KEYS[2], pair[1], pair[2]) end
for _, pair in ipairs(changes.alerts) do redis.call('HSET', KEYS[3], pair[1], pair[2]) end
for _, pair in ipairs(changes.over) do
  redis.call('HDEL', KEYS[3], pair[1])
  redis.call('HDEL', KEYS[5], pair[1])
  redis.call('LPUSH', KEYS[4], pair[2])
end
if #changes.over > 0 then redis.call('LTRIM', KEYS[4], 0, tonumber(ARGV[3]) - 1) end
return 1`;

/** Alerts, and what persons say about them. Only the monitor that leads writes alerts; anybody may acknowledge and silence. */
export class AlertRecords {
  constructor(private readonly redis: Database) {}

  /** Active alerts, and resolved ones that some action has not handled yet; oldest first. */
  async current(): Promise<AlertRecord[]> {
    const texts = await this.redis.hvals(keys.monitorAlerts);
    return texts.map(parse).sort((a, b) => a.raisedAt - b.raisedAt);
  }

  /** Those that are over, newest first. */
  async past(most: number): Promise<AlertRecord[]> {
    return (await this.redis.lrange(keys.monitorHistory, 0, most - 1)).map(parse);
  }

  /** State's texts by `RULE@HOST`. */
  async states(): Promise<Map<string, string>> {
    return new Map(Object.entries(await this.redis.hgetall(keys.monitorStates)));
  }

  /** False when another monitor leads now: nothing was written then. */
  async commit(token: string, { states, alerts }: AlertChanges): Promise<boolean> {
    const pairOf = (alert: AlertRecord): [string, string] => [alert.id, JSON.stringify(alert)];
    const isDone = ({ phase, pending }: AlertRecord): boolean => phase === "resolved" && pending.length === 0;
    const changes = {
      gone: [...states].filter(([, text]) => text === undefined).map(([key]) => key),
      states: [...states].filter(([, text]) => text !== undefined),
      alerts: alerts.filter((alert) => !isDone(alert)).map(pairOf),
      over: alerts.filter(isDone).map(pairOf),
    };
    const answer = await this.redis.eval(
      COMMIT,
      5,
      keys.monitorLead,
      keys.monitorStates,
      keys.monitorAlerts,
      keys.monitorHistory,
      keys.monitorAcknowledged,
      token,
      JSON.stringify(changes),
      HISTORY_KEPT,
    );
    return answer === 1;
  }

  /** Throws `alert-unknown`. */
  async acknowledge(id: string, by: string, now: number, from?: string): Promise<AlertRecord> {
    const alert = await this.find(id);
    const acknowledged: Acknowledgement = { by, at: now };
    const event = eventOf("alert.acknowledged", alert, { by, from });
    await setField(this.redis, keys.monitorAcknowledged, id, JSON.stringify(acknowledged), event);
    return { ...alert, acknowledged };
  }

  /** No news of the alert's rule on its host until then. Throws `alert-unknown`. */
  async silence(id: string, silence: Silence, from?: string): Promise<AlertRecord> {
    const alert = await this.find(id);
    const event = eventOf("alert.silenced", alert, { by: silence.by, from });
    await setField(this.redis, keys.monitorSilences, subjectOf(alert), JSON.stringify(silence), event);
    return alert;
  }

  /** By alert id. */
  async acknowledgements(): Promise<Map<string, Acknowledgement>> {
    const all = await this.redis.hgetall(keys.monitorAcknowledged);
    return parseAll(all, (value) => acknowledgementSchema.parse(value));
  }

  /** By `RULE@HOST`; those that have ended are forgotten. */
  async silences(now: number): Promise<Map<string, Silence>> {
    const all = await this.redis.hgetall(keys.monitorSilences);
    const silences = parseAll(all, (value) => silenceSchema.parse(value));
    for (const [subject, { until }] of silences) {
      if (until > now) continue;
      silences.delete(subject);
      await this.redis.hdel(keys.monitorSilences, subject);
    }
    return silences;
  }

  private async find(id: string): Promise<AlertRecord> {
    const text = await this.redis.hget(keys.monitorAlerts, id);
    if (text === null)
      throw new AppError("alert-unknown", { id, known: (await this.current()).map((alert) => alert.id) });
    return parse(text);
  }
}

function eventOf(type: "alert.acknowledged" | "alert.silenced", alert: AlertRecord, actor: Actor): NewEvent {
  return { ...actorOf(actor), app: "", type, data: { subject: `${subjectOf(alert)} (${alert.id})` } };
}

function parse(text: string): AlertRecord {
  return alertRecordSchema.parse(JSON.parse(text));
}

function parseAll<T>(all: Record<string, string>, parseOne: (value: unknown) => T): Map<string, T> {
  return new Map(Object.entries(all).map(([key, text]) => [key, parseOne(JSON.parse(text))]));
}
