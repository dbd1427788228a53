import { Router } from "express";
import { AppError } from "../../core/errors/app-error.js";
import type { ProxyMember } from "../../core/records/routes/proxy-reports.js";
import type { Tools } from "../tools.js";

/** A proxy as `GET /proxies` shows it. */
export interface ProxySummary {
  readonly proxy: string;
  /** Whether it has reported lately. One that has not may serve on by the routes that it had. */
  readonly reports: boolean;
  /** ISO 8601, by Redis' clock. */
  readonly seenAt: string;
  /** The revision of the route tables that it follows. */
  readonly revision: number;
  /** Apps that it serves by an earlier table, which it could not apply. */
  readonly failing: readonly string[];
}

/** `GET /proxies`, `DELETE /proxies/ID` for one that is gone for good: nothing waits for it any more. */
export function proxiesApi({ proxyReports, traffic, log }: Tools): Router {
  const router = Router();
  router.get("/proxies", async (_request, response) =>
    response.json((await proxyReports.members()).map(proxySummary)),
  );
  router.delete("/proxies/:proxy", async (request, response) => {
    const { proxy } = request.params;
    const members = await proxyReports.members();
    const known = members.map(({ id }) => id);
    const member = members.find(({ id }) => id === proxy);
    if (member === undefined) throw new AppError("proxy-unknown", { proxy, known });
    if (!member.isSilent || !(await proxyReports.remove(member)))
      throw new AppError("proxy-alive", { proxy });
    await traffic.removeProxy(proxy);
    log.info({ proxy, by: String(response.locals["holder"]) }, "a proxy was removed");
    response.status(204).end();
  });
  return router;
}

export function proxySummary({ id, report, seenAt, isSilent }: ProxyMember): ProxySummary {
  const { revision, failing } = report;
  return { proxy: id, reports: !isSilent, seenAt: new Date(seenAt).toISOString(), revision, failing };
}
