import type { Response } from "express";
import { ADMIN } from "../../access/credential.js";
import type { Holder } from "../../access/holder.js";
import type { TokenStore } from "../../access/token-store.js";

const LOOK_EVERY_MS = 5000;

/**
 * Ends a long response, such as a stream of events, soon after its token was removed or has expired. Work that it started
 * continues.
 */
export function endWhenRevoked(
  tokens: Pick<TokenStore, "isOver">,
  { id }: Pick<Holder, "id">,
  response: Response,
  everyMs = LOOK_EVERY_MS,
): void {
  if (id === ADMIN.id) return;
  const look = async (): Promise<void> => {
    // Unknown while Redis is away.
    if (await tokens.isOver(id).catch(() => false)) response.destroy();
  };
  const timer = setInterval(() => void look(), everyMs).unref();
  response.once("close", () => clearInterval(timer));
}
