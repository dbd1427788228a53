import { readFile } from "node:fs/promises";
import { AppError } from "../../../core/errors/app-error.js";
import type { Settings } from "../../../core/settings/settings.js";

/** The certificate of `redis.caFile`; undefined without one. Throws `redis-authority-unreadable`. */
export async function redisAuthority({ redis }: Pick<Settings, "redis">): Promise<string | undefined> {
  const { caFile: file } = redis;
  if (file === undefined) return undefined;
  return readFile(file, "utf8").catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError("redis-authority-unreadable", { file, reason }, { cause: error });
  });
}
