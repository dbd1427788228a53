export const MAX_KEY_CHARACTERS = 200;
export const MAX_VALUE_BYTES = 10_000;

export class StoreUnavailable extends Error {}

/**
 * Values in Redis, at `app:<app>:KEY`. The connection is opened by the first request that needs it and comes back by
 * itself; while it is gone every call fails at once with `StoreUnavailable`.
 */
export class Store {
  #url;
  #app;
  #client;

  constructor({ url, app }) {
    this.#url = url;
    this.#app = app;
  }

  get(key) {
    return this.#ask((redis) => redis.get(`app:${this.#app}:${key}`));
  }

  set(key, value) {
    return this.#ask((redis) => redis.set(`app:${this.#app}:${key}`, value));
  }

  close() {
    this.#client?.then((redis) => redis.disconnect()).catch(() => {});
  }

  async #ask(command) {
    if (!this.#url) throw new StoreUnavailable("This app has no Redis: REDIS_URL is not set.");
    const redis = await (this.#client ??= open(this.#url));
    try {
      return await command(redis);
    } catch (error) {
      // No cause and no text of the error: it may carry the address.
      throw new StoreUnavailable(
        isRefusal(error)
          ? "Redis refused the command. Is this app's Redis user allowed to use its keys?"
          : "Redis cannot be reached at the moment. Try again in a few seconds.",
      );
    }
  }
}

async function open(url) {
  const { Redis } = await import("ioredis");
  let redis;
  try {
    redis = new Redis(url, {
      lazyConnect: true,
      connectTimeout: 1_000,
      commandTimeout: 500,
      disconnectTimeout: 100,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      // Both send commands that an app's Redis user need not be allowed; each refusal would stand in Redis's ACL log.
      enableReadyCheck: false,
      disableClientInfo: true,
      retryStrategy: (attempt) => Math.min(attempt * 50, 1_000),
    });
  } catch {
    throw new StoreUnavailable("REDIS_URL cannot be read as the address of a Redis.");
  }
  // The caller gets the error; ioredis reconnects by itself.
  redis.on("error", () => {});
  await redis.connect().catch(() => {});
  return redis;
}

function isRefusal(error) {
  return error.name === "ReplyError";
}
