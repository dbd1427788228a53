import { isAppError } from "../../../core/errors/app-error.js";
import type { ReleaseWork } from "../step.js";

/** Gives the app its Redis user. While the apps' Redis is away the release goes on and says so: not every app uses it. */
export async function ensureRedisUser({ app, tools, out }: ReleaseWork): Promise<void> {
  try {
    await tools.redisUsers.ensure(app, tools.apps.redisPassword(app));
  } catch (error) {
    if (!isAppError(error, "apps-redis-unavailable")) throw error;
    out.problem(error);
  }
}
