import type { RequestHandler } from "express";
import { AppError } from "../../../core/errors/app-error.js";

/** As good as every push event is smaller. */
const LARGE_BYTES = 1024 ** 2;
const MOST_AT_ONCE = 4;
const DEADLINE_MS = 60_000;

/** A body stands in memory before anybody has proved anything: of large ones only a few at once. Throws `webhook-busy`. */
export function fewLargeBodies<Params>(): RequestHandler<Params> {
  let underWay = 0;
  return (request, response, next) => {
    const { "content-length": length, "transfer-encoding": encoding } = request.headers;
    if (encoding === undefined && Number(length ?? 0) <= LARGE_BYTES) {
      next();
      return;
    }
    if (underWay >= MOST_AT_ONCE) throw new AppError("webhook-busy", { most: MOST_AT_ONCE });
    underWay++;
    // However slowly it goes on coming.
    const deadline = setTimeout(() => request.destroy(), DEADLINE_MS);
    response.once("close", () => {
      underWay--;
      clearTimeout(deadline);
    });
    next();
  };
}
