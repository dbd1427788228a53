import { z } from "zod";
import { AppError } from "../../../core/errors/app-error.js";
import type { ApiAnswer } from "./exchange.js";

/** The body of every error of DigitalOcean's. */
const problemSchema = z.object({ message: z.string() });

/** The error for a response other than 2xx. `pauseMs`: until the rate limit ends. */
export function refusalOf(
  { request, scopes }: { readonly request: string; readonly scopes: readonly string[] },
  { status, text }: Pick<ApiAnswer, "status" | "text">,
  pauseMs: number,
): AppError {
  const reason = reasonOf(text);
  switch (status) {
    case 401:
      return new AppError("digitalocean-token-refused", { request });
    case 403:
      return new AppError("digitalocean-scope-missing", { request, scopes, reason });
    case 404:
      return new AppError("digitalocean-not-found", { request });
    case 429: {
      const seconds = Math.ceil(pauseMs / 1000);
      const options = { retryAfterSeconds: seconds };
      return new AppError("digitalocean-rate-limited", { request, seconds }, options);
    }
  }
  if (status >= 500) return new AppError("digitalocean-server-error", { request, status, reason });
  if (status < 400)
    return new AppError("digitalocean-answer-invalid", { request, reason: `status ${status}, a redirect` });
  // Only the message distinguishes it from any other 422.
  if (status === 422 && /droplet limit/i.test(reason))
    return new AppError("digitalocean-droplet-limit", { reason });
  return new AppError("digitalocean-request-refused", { request, status, reason });
}

function reasonOf(text: string): string {
  try {
    return problemSchema.parse(JSON.parse(text)).message;
  } catch {
    // It comes from a proxy in between.
    return text.trim().slice(0, 200);
  }
}
