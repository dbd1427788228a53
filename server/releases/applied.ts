import { AppError } from "../../core/app-error.js";
import type { Tools } from "../tools.js";

const POLL_MS = 5;
const TIMEOUT_MS = 10_000;

/**
 * Resolves when every proxy that is alive routes by `revision` or a later one. With no proxy alive there is nobody to
 * wait for: the next one begins with what is written. Throws `proxy-silent`,
 * `redis-unavailable`.
 */
export async function applied(
  { proxyReports, clock }: Pick<Tools, "proxyReports" | "clock">,
  revision: number,
): Promise<void> {
  const deadline = clock.now() + TIMEOUT_MS;
  for (;;) {
    const reports = await proxyReports.alive(clock.now());
    const behind = [...reports].filter(([, report]) => report.revision < revision);
    if (behind.length === 0) return;
    if (clock.now() >= deadline) {
      throw new AppError("proxy-silent", {
        revision,
        proxies: behind.map(([id]) => id).join(", "),
        seconds: TIMEOUT_MS / 1000,
      });
    }
    await clock.sleep(POLL_MS);
  }
}
