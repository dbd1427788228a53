import type { Pending } from "../../../core/api/pending.js";
import type { AppError } from "../../../core/errors/app-error.js";

/** Why what was asked for is not everywhere yet. */
export function pendingOf({ message, hint }: AppError): Pending {
  return { message, hint };
}
