import type { AppKeys } from "../../core/records/apps/app-keys.js";
import type { Database } from "../../core/redis/database.js";
import { AppError } from "../../core/errors/app-error.js";
import { isEnvName } from "../../core/names.js";
import { actorOf, type Actor } from "../../core/records/events/actor.js";
import { addEventsIn } from "../../core/records/events/change-field.js";
import type { NewEvent } from "../../core/records/events/event-record.js";
import { namesInEvent } from "../../core/records/events/names-in-event.js";
import { keys } from "../../core/redis/keys.js";
import type { SecretBox } from "../../core/secrets.js";

export const CONFIG_KEYS: AppKeys = { own: [keys.config] };

/** Names that Sluice gives to each process itself. */
const RESERVED = new Set([
  "PORT",
  "SOCKET",
  "RELEASE",
  "DYNO",
  "GIT_REV",
  "SLUICE_APP",
  "SLUICE_TRACK",
  "SLUICE_FLAGS_URL",
  "SLUICE_FLAGS_TOKEN",
]);

/** An app's settings (environment variables), sealed in Redis. A release reads them when it starts. */
export class ConfigStore {
  constructor(
    private readonly redis: Database,
    private readonly box: SecretBox,
  ) {}

  /** Names alone, by name. */
  async names(app: string): Promise<string[]> {
    return (await this.redis.hkeys(keys.config(app))).sort();
  }

  /** Of one variable. Throws `record-unreadable`. */
  async value(app: string, name: string): Promise<string | undefined> {
    const sealed = await this.redis.hget(keys.config(app), name);
    return sealed === null ? undefined : this.open(app, name, sealed);
  }

  /** Throws `record-unreadable`. */
  async read(app: string): Promise<Record<string, string>> {
    const sealed = await this.redis.hgetall(keys.config(app));
    return Object.fromEntries(
      Object.entries(sealed).map(([name, text]) => [name, this.open(app, name, text)]),
    );
  }

  /** Sets and removes together; an event names what is another value than before. Throws `config-name-invalid` before anything is changed. */
  async change(
    app: string,
    set: Readonly<Record<string, string>>,
    unset: readonly string[],
    actor: Actor,
  ): Promise<void> {
    for (const name of [...Object.keys(set), ...unset]) {
      if (!isEnvName(name) || RESERVED.has(name)) throw new AppError("config-name-invalid", { name });
    }
    const names = await this.changedNames(app, set, unset);
    const batch = this.redis.multi();
    for (const [name, value] of Object.entries(set)) {
      batch.hset(keys.config(app), name, this.box.seal(value, context(app, name)));
    }
    if (unset.length > 0) batch.hdel(keys.config(app), ...unset);
    const event: NewEvent = {
      ...actorOf(actor),
      ...{ app, type: "config.changed", data: { names: namesInEvent(names) } },
    };
    addEventsIn(batch, names.length === 0 ? [] : [event]);
    await batch.exec();
  }

  private async changedNames(
    app: string,
    set: Readonly<Record<string, string>>,
    unset: readonly string[],
  ): Promise<string[]> {
    const sealed = await this.redis.hgetall(keys.config(app));
    const isChanged = ([name, value]: [string, string]): boolean => {
      const text = sealed[name];
      // One that cannot be read is replaced by one that can.
      return text === undefined || !this.isSealed(app, name, text, value);
    };
    const changed = Object.entries(set).filter(isChanged);
    return [...changed.map(([name]) => name), ...unset.filter((name) => sealed[name] !== undefined)];
  }

  private isSealed(app: string, name: string, sealed: string, value: string): boolean {
    try {
      return this.open(app, name, sealed) === value;
    } catch {
      return false;
    }
  }

  private open(app: string, name: string, sealed: string): string {
    try {
      return this.box.open(sealed, context(app, name));
    } catch (error) {
      throw new AppError("record-unreadable", { key: `${name} of ${keys.config(app)}` }, { cause: error });
    }
  }
}

function context(app: string, name: string): string {
  return `config:${app}:${name}`;
}
