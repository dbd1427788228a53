import { AppError, isAppError } from "../../../core/errors/app-error.js";
import { systemClock } from "../../../core/clock.js";
import type { Home } from "../../../core/home.js";
import { lastLogLines, type Service } from "./service.js";

const START_TIMEOUT_MS = 15_000;
const POLL_MS = 20;

/** Waits until one of our programs answers. Throws `service-failed` with its last lines. */
export async function waitUntilUp(
  home: Home,
  name: Service["name"],
  ask: () => Promise<unknown>,
): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await ask();
      return;
    } catch (error) {
      if (!(error instanceof AppError) || isAppError(error, "internal")) throw error;
      if (Date.now() > deadline)
        throw new AppError(
          "service-failed",
          { service: name, log: await lastLogLines(home, name, 8) },
          { cause: error },
        );
    }
    await systemClock.sleep(POLL_MS);
  }
}
