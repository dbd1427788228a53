import type { Database } from "../core/redis/database.js";
import type { ServerParts } from "./assemble.js";
import { beginCanaryOf } from "./canary/judging/begin-canary.js";
import { Followers } from "./events/followers.js";
import { noticeOf } from "./notify/notice-of.js";

/**
 * Who does something about what happens: the app's receivers of notifications are told, and the forge that a commit came
 * from, and a canary's record is begun. Their names stand in Redis.
 */
export function eventFollowers(
  { tools, events, notifier, reporter, canaries }: ServerParts,
  redis: Database,
): Followers {
  return new Followers(
    { redis, stream: events, log: tools.log },
    {
      notify: async (event) => {
        const notice = noticeOf(tools.settings, event);
        if (notice !== undefined) await notifier.tell(notice);
      },
      reports: async (event) => reporter.tell(event),
      canaries: async (event) => beginCanaryOf(tools, canaries, event),
    },
  );
}
