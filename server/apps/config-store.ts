import type { Database } from "../../core/redis/database.js";
import { AppError } from "../../core/errors/app-error.js";
import { isEnvName } from "../../core/names.js";
import { keys } from "../../core/redis/keys.js";
import { redisError } from "../../core/redis/connection.js";
import type { SecretBox } from "../../core/secrets.js";

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

  async read(app: string): Promise<Record<string, string>> {
    try {
      const sealed = await this.redis.hgetall(keys.config(app));
      return Object.fromEntries(
        Object.entries(sealed).map(([name, text]) => [name, this.box.open(text, context(app, name))]),
      );
    } catch (error) {
      throw redisError(error);
    }
  }

  /** Sets and removes together. Throws `config-name-invalid` before anything is changed. */
  async change(app: string, set: Readonly<Record<string, string>>, unset: readonly string[]): Promise<void> {
    for (const name of [...Object.keys(set), ...unset]) {
      if (!isEnvName(name) || RESERVED.has(name)) throw new AppError("config-name-invalid", { name });
    }
    const batch = this.redis.multi();
    for (const [name, value] of Object.entries(set)) {
      batch.hset(keys.config(app), name, this.box.seal(value, context(app, name)));
    }
    if (unset.length > 0) batch.hdel(keys.config(app), ...unset);
    try {
      await batch.exec();
    } catch (error) {
      throw redisError(error);
    }
  }
}

function context(app: string, name: string): string {
  return `config:${app}:${name}`;
}
