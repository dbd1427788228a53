import { AppError } from "../../../core/errors/app-error.js";
import { plainUrl, tlsOf } from "../../../core/redis/connection.js";
import { Database } from "../../../core/redis/database.js";
import { replyCode } from "../../../core/redis/redis-error.js";

const ANSWER_TIMEOUT_MS = 5000;
/** What a Redis says to a client without a password: protected mode's `DENIED` included. */
const REFUSALS = new Set(["NOAUTH", "NOPERM", "DENIED", "WRONGPASS"]);

/**
 * Throws `redis-unprotected` when a Redis answers without a password, whatever its URL contains. One that does not answer at
 * all is left to who connects to it.
 */
export async function refuseUnprotected(url: string, ca: string | undefined): Promise<void> {
  const bare = new URL(url);
  bare.username = "";
  bare.password = "";
  if (await answersStrangers(bare.toString(), ca))
    throw new AppError("redis-unprotected", { address: bare.host });
}

async function answersStrangers(url: string, ca: string | undefined): Promise<boolean> {
  const stranger = new Database(plainUrl(url), {
    ...tlsOf(url, ca),
    lazyConnect: true,
    enableReadyCheck: false,
    protocol: 2,
    commandTimeout: ANSWER_TIMEOUT_MS,
    connectTimeout: ANSWER_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  stranger.on("error", () => undefined);
  try {
    await stranger.connect();
    await stranger.get("sluice");
    return true;
  } catch (error) {
    const code = replyCode(error);
    // It asks for the password before it says anything else, such as that it is loading.
    return code !== undefined && !REFUSALS.has(code);
  } finally {
    stranger.disconnect();
  }
}
