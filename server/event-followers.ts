import type { Database } from "../core/redis/database.js";
import type { ServerParts } from "./assemble.js";
import { beginCanaryOf } from "./canary/judging/begin-canary.js";
import { Followers } from "./events/followers.js";
import { noticeOf } from "./notify/notice-of.js";

/**
 * What follows from an event: the app's receivers are notified, the result of a commit is reported to its forge, and a
 * canary's record is created. Redis keeps how far each has come under its name.
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
