import { AppError, isAppError } from "../../core/errors/app-error.js";
import { hasApplied, type ProxyMember } from "../../core/records/routes/proxy-reports.js";
import type { RoutesNeeds } from "./needs.js";

const POLL_MS = 5;
const TIMEOUT_MS = 10_000;

type WaitTools = Pick<RoutesNeeds, "proxyReports" | "clock">;

/**
 * Resolves when every proxy routes the app by `revision` or a later one: for what stops something that visitors may still
 * be led to. With no proxy there is nobody to wait for: the next one begins with what is written. Throws `proxy-silent`
 * after a while, or as soon as only those are left that were silent before; `redis-unavailable`.
 */
export async function waitForProxies(tools: WaitTools, revision: number, app: string): Promise<void> {
  await waitUntil(tools, revision, (member) => hasApplied(member, revision, app));
}

/** The same for certificates and answers to challenges. */
export async function waitForCertificates(tools: WaitTools, revision: number): Promise<void> {
  await waitUntil(tools, revision, ({ report }) => report.certificates >= revision);
}

async function waitUntil(
  { proxyReports, clock }: WaitTools,
  revision: number,
  isThere: (member: ProxyMember) => boolean,
): Promise<void> {
  // Not by the clock: that may be set meanwhile.
  const deadline = performance.now() + TIMEOUT_MS;
  for (;;) {
    const behind = (await proxyReports.members()).filter((member) => !isThere(member));
    if (behind.length === 0) return;
    const silent = behind.filter(({ isSilent }) => isSilent);
    if (silent.length === behind.length || performance.now() >= deadline) {
      const named = silent.length > 0 ? silent : behind;
      throw new AppError("proxy-silent", {
        revision,
        proxies: named.map(({ id }) => id).join(", "),
        seconds: TIMEOUT_MS / 1000,
        since: silent[0] && new Date(silent[0].seenAt).toISOString(),
      });
    }
    await clock.sleep(POLL_MS);
  }
}

/**
 * As `waitForProxies`, for what stops nothing: a proxy that does not follow holds it up for a while, and no longer. Returns the
 * error that tells of that proxy, if there is one.
 */
export async function waitForProxiesIfPossible(
  tools: WaitTools & Pick<RoutesNeeds, "log">,
  revision: number,
  app: string,
): Promise<AppError | undefined> {
  try {
    await waitForProxies(tools, revision, app);
    return undefined;
  } catch (error) {
    if (!isAppError(error, "proxy-silent")) throw error;
    tools.log.error({ err: error, app }, "a proxy does not follow");
    return error;
  }
}
