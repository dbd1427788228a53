import { z } from "zod";
import type { AppKeys } from "../../core/records/apps/app-keys.js";
import { flagChangeSchema, type FlagChange } from "../../core/api/apps/flags.js";
import type { Database } from "../../core/redis/database.js";
import { AppError } from "../../core/errors/app-error.js";
import type { Clock } from "../../core/clock.js";
import { parseFlagName } from "../../core/names.js";
import { actorOf, type Actor } from "../../core/records/events/actor.js";
import { ADD_EVENTS, eventsArgument } from "../../core/records/events/add-events.js";
import { keys } from "../../core/redis/keys.js";
import { readFlag } from "./flag.js";

export const FLAG_KEYS: AppKeys = { own: [keys.flags, keys.flagChanges] };

const CHANGES_KEPT = 200;
const MOST_CHARACTERS = 65_536;

const changeSchema = flagChangeSchema
  .extend({ v: z.literal(1) })
  .transform(({ at, who, flag, before, after }): FlagChange => ({ at, who, flag, before, after }));

/** The apps' flags, as the texts that stand in Redis, where an admin may write too (that is obeyed, not recorded). */
export class FlagStore {
  constructor(
    private readonly redis: Database,
    private readonly clock: Clock,
  ) {}

  async find(app: string, flag: string): Promise<string | undefined> {
    return (await this.redis.hget(keys.flags(app), flag)) ?? undefined;
  }

  /** Name → text, by name. */
  async list(app: string): Promise<ReadonlyMap<string, string>> {
    const all = Object.entries(await this.redis.hgetall(keys.flags(app)));
    return new Map(all.sort(([a], [b]) => a.localeCompare(b)));
  }

  /** Gives the text of before. Throws `flag-name-invalid`, `flag-value-invalid`. */
  async set(app: string, flag: string, text: string, who: Actor): Promise<string | undefined> {
    const read = readFlag(text);
    const name = parseFlagName(flag);
    if (read.kind === "invalid")
      throw new AppError("flag-value-invalid", { flag: name, problem: read.problem });
    if (text.length > MOST_CHARACTERS)
      throw new AppError("flag-value-invalid", {
        flag: name,
        problem: `it is longer than ${MOST_CHARACTERS} characters`,
      });
    return this.change(app, name, who, text);
  }

  /** Gives the text of before. Throws `flag-unknown`. */
  async unset(app: string, flag: string, who: Actor): Promise<string> {
    const before = await this.change(app, flag, who);
    if (before === undefined)
      throw new AppError("flag-unknown", { app, flag, known: [...(await this.list(app)).keys()] });
    return before;
  }

  /** The last 200, newest first. */
  async changes(app: string): Promise<FlagChange[]> {
    const texts = await this.redis.lrange(keys.flagChanges(app), 0, -1);
    return texts.map((text) => changeSchema.parse(JSON.parse(text)));
  }

  private async change(
    app: string,
    flag: string,
    who: Actor,
    ...after: string[]
  ): Promise<string | undefined> {
    const at = new Date(this.clock.now()).toISOString();
    const answer = await this.redis.eval(
      CHANGE,
      3,
      keys.flags(app),
      keys.flagChanges(app),
      keys.events,
      flag,
      at,
      who.by,
      CHANGES_KEPT,
      eventsArgument([{ ...actorOf(who), app, type: "flag.changed", data: { names: [flag] } }]),
      ...after,
    );
    return typeof answer === "string" ? answer : undefined;
  }
}

/**
 * Writes a flag, records the change and announces it on the channel named as the hash. What changes nothing is neither
 * recorded nor announced. KEYS: flags, changes, events stream. ARGV: flag, time, who, changes to keep, the events, the new
 * text (none: remove it). Answer: the text of before, or nothing.
 */
const CHANGE = `${ADD_EVENTS}
local before = redis.call('HGET', KEYS[1], ARGV[1])
local after = ARGV[6]
if before == (after or false) then return before end
if after then redis.call('HSET', KEYS[1], ARGV[1], after) else redis.call('HDEL', KEYS[1], ARGV[1]) end
local change = {v = 1, flag = ARGV[1], at = ARGV[2], who = ARGV[3], before = before or cjson.null, after = after or cjson.null}
redis.call('LPUSH', KEYS[2], cjson.encode(change))
redis.call('LTRIM', KEYS[2], 0, ARGV[4] - 1)
redis.call('PUBLISH', KEYS[1], ARGV[1])
addEvents(KEYS[3], ARGV[5])
return before`;
