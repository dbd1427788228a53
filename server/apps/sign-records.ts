import { writeFileAtomically } from "../../core/files/atomic-file.js";
import { exists } from "../../core/files/exists.js";
import type { Home } from "../../core/home.js";
import type { Log } from "../../core/log.js";
import type { Database } from "../../core/redis/database.js";
import { keys } from "../../core/redis/keys.js";
import { isSigned, signRecord } from "../../core/redis/signed-record.js";
import type { SecretBox } from "../../core/secrets.js";

export interface SignOptions {
  readonly home: Home;
  readonly redis: Database;
  readonly box: SecretBox;
  /** Whether the state folder has just been made: then nothing in Redis is from an earlier version of it. */
  readonly isNew: boolean;
  readonly log: Log;
}

/** Hashes of the records that decide what somebody may do. */
const SIGNED_HASHES = [keys.apps, keys.tokens, keys.sshKeys];

/**
 * Earlier versions wrote these records without a signature: signs them, once in the life of a state folder. A file
 * there notes that it is done, and nothing in Redis, so that nobody who can write to Redis gets a forged one signed.
 */
export async function signRecords(options: SignOptions): Promise<void> {
  const { home, redis, box, isNew, log } = options;
  if (await exists(home.recordsSigned())) return;
  let signed = 0;
  for (const hash of isNew ? [] : SIGNED_HASHES)
    for (const [field, text] of Object.entries(await redis.hgetall(hash))) {
      const record = isSigned(text) ? undefined : parse(text);
      if (record === undefined) continue;
      const changed = signRecord(box, record, `${field} of ${hash}`);
      if ((await redis.eval(REPLACE, 1, hash, field, text, changed)) === 1) signed++;
    }
  await writeFileAtomically(home.recordsSigned(), "Records in Redis without a signature are refused.\n");
  if (signed > 0) log.info({ records: signed }, "signed the records of an earlier version");
}

/** KEYS: hash. ARGV: field, the text that was read, the new text. Answer: 1, or 0 when it is another text by now. */
const REPLACE = `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1`;

/** undefined for a damaged one, which stays as it is. */
function parse(text: string): object | undefined {
  try {
    const record: unknown = JSON.parse(text);
    return typeof record === "object" && record !== null ? record : undefined;
  } catch {
    return undefined;
  }
}
