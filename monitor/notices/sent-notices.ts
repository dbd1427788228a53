import type { Database } from "../../core/redis/database.js";
import type { SenderKind } from "../../core/records/alerts/alert-notice.js";
import { keys } from "../../core/redis/keys.js";

/** Longer than a notice is tried. */
const LIFE_SECONDS = 2 * 86_400;

/**
 * What was sent already. A turn may be told again after a crash, and one that went out by then would go out twice: only the moment
 * between the server's yes and this note is left for that.
 */
export class SentNotices {
  constructor(private readonly redis: Database) {}

  async has(kind: SenderKind, noticeId: string, to: string): Promise<boolean> {
    const found = await this.redis.exists(keys.monitorSent(kind, noticeId, to));
    return found === 1;
  }

  /** With Redis away it is not noted: what was sent must not be taken for failed. */
  async add(kind: SenderKind, noticeId: string, to: string): Promise<void> {
    await this.redis.set(keys.monitorSent(kind, noticeId, to), "1", "EX", LIFE_SECONDS).catch(() => null);
  }
}
