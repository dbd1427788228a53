import type { Database } from "../../../core/redis/database.js";
import { userOfClient } from "./app-clients.js";

/** How many of the last slow commands are looked at. */
const SLOWEST = 16;
/** Its clock is not ours. */
const SHARE = 0.9;

/**
 * Whose script has just been ended, by Redis' list of slow commands (redis.io, `SLOWLOG GET`); undefined when the app has
 * closed that connection and its script named no key.
 */
export async function appOfScript(redis: Database, scriptMs: number): Promise<string | undefined> {
  const answer: unknown = await redis.slowlog("GET", SLOWEST);
  const script = (Array.isArray(answer) ? answer.map(parseEntry) : []).find(
    ({ command, micros }) => /^EVAL/i.test(command[0] ?? "") && micros >= SHARE * scriptMs * 1000,
  );
  if (script === undefined) return undefined;
  const [, , keyCount = "0", firstKey = ""] = script.command;
  // Redis has checked that the keys are the app's; more arguments could be anything.
  const byKey = Number(keyCount) > 0 ? /^app:([^:]+):/.exec(firstKey)?.[1] : undefined;
  return byKey ?? (await userOfClient(redis, script.address));
}

/** An entry: id, time, microseconds, the command's words, the client's address, its name. */
function parseEntry(entry: unknown): { micros: number; command: string[]; address: string } {
  const [, , micros, command, address] = Array.isArray(entry) ? (entry as unknown[]) : [];
  return {
    micros: Number(micros),
    command: Array.isArray(command) ? command.map(String) : [],
    address: String(address),
  };
}
