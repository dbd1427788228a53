import type { Database } from "../../core/redis/database.js";
import { AppError, toAppError } from "../../core/errors/app-error.js";
import { parseAppName } from "../../core/names.js";
import type { AppKeys } from "../../core/records/apps/app-keys.js";
import { appRecordSchema, type AppRecord } from "../../core/records/apps/app-record.js";
import { actorOf, type Actor } from "../../core/records/events/actor.js";
import { ADD_EVENTS, eventsArgument } from "../../core/records/events/add-events.js";
import { keys } from "../../core/redis/keys.js";
import { HOLDS, type HeldLock } from "../../core/redis/lock.js";
import { parseSigned, signRecord } from "../../core/redis/signed-record.js";
import { makeSecret, type SecretBox } from "../../core/secrets.js";

/** Beyond the numbers that every system takes, some of which wrap around to 0. */
const LAST_UID = 2 ** 31 - 1;

/** The apps' records. */
export class AppStore {
  constructor(
    private readonly redis: Database,
    private readonly box: SecretBox,
    private readonly firstUid: number,
    /** What is removed with an app. */
    private readonly appKeys: readonly AppKeys[],
    private readonly token = "",
  ) {}

  /** The same, for who removes an app only while holding its lock: after that it fails with `release-lock-lost`. */
  under({ token }: Pick<HeldLock, "token">): AppStore {
    return new AppStore(this.redis, this.box, this.firstUid, this.appKeys, token);
  }

  /** The app, made now if this is the first that is heard of it. */
  async ensure(name: string, actor: Actor): Promise<AppRecord> {
    const known = await this.find(parseAppName(name));
    if (known !== undefined) return known;
    const uid = Number(await this.redis.eval(RESERVE_UID, 2, keys.apps, keys.lastUid, this.firstUid));
    const record: AppRecord = {
      v: 1,
      name,
      createdAt: new Date().toISOString(),
      uid,
      redisPassword: this.box.seal(makeSecret(), redisContext(name)),
      postdeployed: false,
    };
    const events = eventsArgument([{ ...actorOf(actor), app: name, type: "app.created", data: {} }]);
    await this.redis.eval(CREATE, 2, keys.apps, keys.events, name, this.textOf(record), events);
    return this.read(name);
  }

  /** Throws `app-unknown`. */
  async read(name: string): Promise<AppRecord> {
    const app = await this.find(name);
    if (app === undefined)
      throw new AppError("app-unknown", { app: name, known: (await this.list()).map((known) => known.name) });
    return app;
  }

  /** Throws `record-unreadable`, `record-forged`, `uid-refused`. */
  async find(name: string): Promise<AppRecord | undefined> {
    const text = await this.redis.hget(keys.apps, name);
    return text === null ? undefined : this.parse(name, text);
  }

  /** By name; without those whose records cannot be read. */
  async list(): Promise<AppRecord[]> {
    return (await this.listAll()).apps;
  }

  /** By name. `unreadable`: the errors of those whose records cannot be read. */
  async listAll(): Promise<{ apps: AppRecord[]; unreadable: ReadonlyMap<string, AppError> }> {
    const apps: AppRecord[] = [];
    const unreadable = new Map<string, AppError>();
    for (const [name, text] of Object.entries(await this.redis.hgetall(keys.apps))) {
      try {
        apps.push(this.parse(name, text));
      } catch (error) {
        unreadable.set(name, toAppError(error));
      }
    }
    return { apps: apps.sort((a, b) => a.name.localeCompare(b.name)), unreadable };
  }

  async markPostdeployed(app: AppRecord): Promise<void> {
    await this.redis.hset(keys.apps, app.name, this.textOf({ ...app, postdeployed: true }));
  }

  private textOf(record: AppRecord): string {
    return signRecord(this.box, record, placeOf(record.name));
  }

  /** Whatever a record says, nothing runs as a user of the system. */
  private parse(name: string, text: string): AppRecord {
    const app = parseSigned(this.box, appRecordSchema, text, placeOf(name));
    if (app.uid < this.firstUid || app.uid > LAST_UID)
      throw new AppError("uid-refused", { app: name, uid: app.uid, firstUid: this.firstUid });
    return app;
  }

  redisPassword(app: AppRecord): string {
    return this.box.open(app.redisPassword, redisContext(app.name));
  }

  /** What reads the app's flags and nothing else. An app that is made again under the same name has another. */
  flagsToken(app: Pick<AppRecord, "name" | "createdAt">): string {
    return this.box.derive(`flags:${app.name}:${app.createdAt}`);
  }

  /** For a variable that app.json wants to be generated, where it is not kept; `scope` sets some apart from others. */
  generatedSecret(app: AppRecord, scope: string, variable: string): string {
    return this.box.derive(`generated:${app.name}:${app.createdAt}:${scope}:${variable}`);
  }

  /**
   * Removes every record of an app but its route table, which the proxies follow. `keepsNumbers`: an app that is made under
   * this name goes on counting its releases.
   */
  async remove(
    app: string,
    { keepsNumbers, ...actor }: Actor & { readonly keepsNumbers: boolean },
  ): Promise<void> {
    const all = <T>(which: (room: AppKeys) => readonly T[] | undefined): T[] =>
      this.appKeys.flatMap((room) => which(room) ?? []);
    const own = [...all((room) => room.own), ...(keepsNumbers ? [] : all((room) => room.counters))];
    const hashes = [keys.apps, ...all((room) => room.hashes)];
    const sets = all((room) => room.sets);
    const changed = [keys.lock(app), keys.events, ...hashes, ...sets, ...own.map((keyOf) => keyOf(app))];
    const events = eventsArgument([{ ...actorOf(actor), app, type: "app.destroyed", data: {} }]);
    const args = [app, this.token, events, hashes.length, sets.length];
    const isRemoved = await this.redis.eval(REMOVE, changed.length, ...changed, ...args);
    if (isRemoved !== 1) throw new AppError("release-lock-lost", { app });
  }
}

/**
 * KEYS: lock, events stream, the apps hash and other hashes, sets, then what is the app's alone. ARGV: app, the lock's token
 * ("" without), the events, which are added if the app was there, how many hashes, how many sets. Answer: 1, or 0 when the
 * lock is not held.
 */
const REMOVE = `${HOLDS}${ADD_EVENTS}
if not holds(KEYS[1], ARGV[2]) then return 0 end
if redis.call('HEXISTS', KEYS[3], ARGV[1]) == 1 then addEvents(KEYS[2], ARGV[3]) end
local sets = 3 + tonumber(ARGV[4])
local own = sets + tonumber(ARGV[5])
for i = 3, sets - 1 do redis.call('HDEL', KEYS[i], ARGV[1]) end
for i = sets, own - 1 do redis.call('SREM', KEYS[i], ARGV[1]) end
for i = own, #KEYS do redis.call('DEL', KEYS[i]) end
return 1`;

/**
 * KEYS: apps hash, the last uid. ARGV: lowest uid. Answer: a uid that no app had before, and that none gets again: of one that
 * was destroyed something may still run.
 */
const RESERVE_UID = `
local taken = {}
for _, text in ipairs(redis.call('HVALS', KEYS[1])) do
  local isReadable, app = pcall(cjson.decode, text)
  if isReadable and type(app) == 'table' and app.uid then taken[app.uid] = true end
end
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local uid = math.max(tonumber(ARGV[1]), last + 1)
while taken[uid] do uid = uid + 1 end
redis.call('SET', KEYS[2], uid)
return uid`;

/** KEYS: apps hash, events stream. ARGV: name, record, the events. Answer: 1 made, 0 it was there. */
const CREATE = `${ADD_EVENTS}
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
addEvents(KEYS[2], ARGV[3])
return 1`;

function placeOf(name: string): string {
  return `${name} of ${keys.apps}`;
}

function redisContext(app: string): string {
  return `redis:${app}`;
}
