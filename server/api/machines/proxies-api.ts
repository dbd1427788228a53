import { Router } from "express";
import type { ProxySummary } from "../../../core/api/machines/proxies.js";
import { AppError } from "../../../core/errors/app-error.js";
import { needs } from "../guards/needs.js";
import type { ApiNeeds } from "../needs.js";
import { holderOf } from "../guards/require-token.js";
import { proxySummary } from "../summaries/proxy-summary.js";

/** `GET /proxies`, `DELETE /proxies/ID` for one that is gone for good: nothing waits for it any more. */
export function proxiesApi({
  proxyReports,
  traffic,
  log,
}: Pick<ApiNeeds, "proxyReports" | "traffic" | "log">): Router {
  const router = Router();
  router.get("/proxies", needs.all("read"), async (_request, response) =>
    response.json((await proxyReports.members()).map(proxySummary) satisfies ProxySummary[]),
  );
  router.delete("/proxies/:proxy", needs.all("admin"), async (request, response) => {
    const { proxy } = request.params;
    const members = await proxyReports.members();
    const known = members.map(({ id }) => id);
    const member = members.find(({ id }) => id === proxy);
    if (member === undefined) throw new AppError("proxy-unknown", { proxy, known });
    if (!member.isSilent || !(await proxyReports.remove(member, holderOf(response))))
      throw new AppError("proxy-alive", { proxy });
    await traffic.removeProxy(proxy);
    log.info({ proxy, by: holderOf(response).by }, "a proxy was removed");
    response.status(204).end();
  });
  return router;
}
