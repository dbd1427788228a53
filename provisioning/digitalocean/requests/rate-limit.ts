import { parseRetryAfter } from "../../../core/network/send-request.js";
import type { ApiAnswer } from "./exchange.js";

const TOO_MANY = 429;
/** After a 429 without `retry-after`. */
const DEFAULT_PAUSE_MS = 5000;

/** How long to pause, by the headers of the responses so far (docs.digitalocean.com/reference/api, "Rate Limit"). */
export class RateLimit {
  private blockedUntil = 0;

  note({ status, headers }: Pick<ApiAnswer, "status" | "headers">, now: number): void {
    const resetAt = Number(headers.get("ratelimit-reset") ?? 0) * 1000;
    const isUsedUp = headers.get("ratelimit-remaining") === "0" && resetAt > now;
    if (status === TOO_MANY) {
      const retryAfterMs = parseRetryAfter(headers.get("retry-after") ?? undefined, now);
      this.blockedUntil = now + (retryAfterMs ?? (isUsedUp ? resetAt - now : DEFAULT_PAUSE_MS));
    } else if (isUsedUp) this.blockedUntil = resetAt;
  }

  /** 0 when the next request may be sent. */
  pauseMs(now: number): number {
    return Math.max(0, this.blockedUntil - now);
  }
}
