import { AppError, isAppError } from "../errors/app-error.js";

/** Answers that end by themselves: Redis is loading, runs a long script, has no room on its disk, or follows another one. */
const PASSING = /^(LOADING|BUSY|MISCONF|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|UNKILLABLE) /;

/** Redis' own word for a failed command, such as `BUSY` or `OOM`; undefined when it has not answered. */
export function replyCode(error: unknown): string | undefined {
  const reply = isAppError(error) ? error.cause : error;
  if (!(reply instanceof Error) || reply.name !== "ReplyError") return undefined;
  return /^[A-Z]+/.exec(reply.message)?.[0];
}

/**
 * What a failed command means: `redis-refused` when Redis has answered with a no that it will repeat, `redis-unavailable`
 * when it has not answered or cannot do anything just now.
 */
export function redisError(error: unknown, command = "a command"): AppError {
  if (isAppError(error)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const isRefusal = error instanceof Error && error.name === "ReplyError" && !PASSING.test(reason);
  return isRefusal
    ? new AppError("redis-refused", { command, reason }, { cause: error })
    : new AppError("redis-unavailable", { reason }, { cause: error });
}
