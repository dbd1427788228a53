import type { RequestHandler } from "express";
import { AppError } from "../../../core/errors/app-error.js";

/** Of one delivery; forges send at most that. */
export const LARGEST_BODY_BYTES = 25 * 1024 * 1024;

/**
 * How many bodies are received at once, by their size: 32 MB of small ones, 32 MB of medium ones and 100 MB of large ones.
 * Nearly every push event is small: large bodies take no room from them.
 */
export const BODIES_AT_ONCE = [
  { upToBytes: 64 * 1024, most: 512 },
  { upToBytes: 1024 * 1024, most: 32 },
  { upToBytes: LARGEST_BODY_BYTES, most: 4 },
] as const;

/** However slowly it arrives. */
const DEADLINE_MS = 60_000;
const RETRY_AFTER_SECONDS = "5";

/** A body stands in memory before anybody has proved anything: only so many do at once. Throws `webhook-busy`. */
export function bodiesInMemory<Params>(): RequestHandler<Params> {
  const underWay = new Map<number, number>();
  return (request, response, next) => {
    const { "content-length": length, "transfer-encoding": encoding } = request.headers;
    // Node hands on no more than was announced; what is not announced may be as long as any.
    const bytes = encoding === undefined ? Number(length ?? 0) : LARGEST_BODY_BYTES;
    const { upToBytes, most } = BODIES_AT_ONCE.find((size) => bytes <= size.upToBytes) ?? BODIES_AT_ONCE[2];
    const count = underWay.get(upToBytes) ?? 0;
    if (count >= most) {
      response.set("Retry-After", RETRY_AFTER_SECONDS);
      throw new AppError("webhook-busy", { most, kilobytes: upToBytes / 1024 });
    }
    underWay.set(upToBytes, count + 1);
    const deadline = setTimeout(() => request.destroy(), DEADLINE_MS);
    response.once("close", () => {
      underWay.set(upToBytes, (underWay.get(upToBytes) ?? 1) - 1);
      clearTimeout(deadline);
    });
    next();
  };
}
