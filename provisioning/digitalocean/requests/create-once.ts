import type { Clock } from "../../../core/clock.js";
import { isAppError } from "../../../core/errors/app-error.js";

export interface Creation<T> {
  /** Finds what an earlier call has made. */
  readonly find: () => Promise<T | undefined>;
  readonly create: () => Promise<T>;
}

const MOST_TRIES = 3;
/** Before each lookup after a lost response: it can take a while until DigitalOcean lists what it has created. */
const PAUSES_MS = [1000, 2000, 4000, 8000, 15_000] as const;

/**
 * Creates something unless it exists. When a response gets lost, it may have been created, so it is looked up several times
 * before the request is repeated. If DigitalOcean lists it even later than that, there are two; `find` must then always choose
 * the same one.
 */
export async function createOnce<T>(
  { find, create }: Creation<T>,
  clock: Clock,
  signal: AbortSignal,
): Promise<T> {
  const known = await find();
  if (known !== undefined) return known;
  for (let attempt = 1; ; attempt++) {
    try {
      const made = await create();
      return attempt === 1 ? made : ((await find()) ?? made);
    } catch (error) {
      if (!isOutcomeUnknown(error)) throw error;
      const made = await findLater(find, clock, signal);
      if (made !== undefined) return made;
      if (attempt === MOST_TRIES) throw error;
    }
  }
}

/** Whether a request that failed with this error may have been carried out. */
export function isOutcomeUnknown(error: unknown): boolean {
  return isAppError(
    error,
    "digitalocean-unreachable",
    "digitalocean-server-error",
    "digitalocean-answer-invalid",
  );
}

async function findLater<T>(
  find: () => Promise<T | undefined>,
  clock: Clock,
  signal: AbortSignal,
): Promise<T | undefined> {
  for (const pauseMs of PAUSES_MS) {
    await clock.sleep(pauseMs, signal);
    const found = await find();
    if (found !== undefined) return found;
  }
  return undefined;
}
