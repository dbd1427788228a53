import { Router } from "express";
import { domainRequestSchema, type DomainSummary } from "../../../core/api/apps/domains.js";
import { actorOf } from "../../../core/records/events/actor.js";
import type { RoutedDomain } from "../../../core/records/routes/route-table.js";
import { domainDns, expectedAddresses } from "../../routes/domain-dns.js";
import { OwnDomains } from "../../routes/own-domains.js";
import { needs } from "../guards/needs.js";
import { holderOf } from "../guards/require-token.js";
import type { ApiNeeds } from "../needs.js";
import { parseBody } from "../requests/parse-body.js";

/** Name servers are asked for so many. */
const CHECKED = 50;

/** `/apps/APP/domains`: list, add and remove. */
export function domainsApi({ apps, routes, settings }: ApiNeeds): Router {
  const router = Router();
  const domains = new OwnDomains({ routes, domain: settings.domain, control: settings.control.domain });
  const summary = async (
    { name, redirectTo }: RoutedDomain,
    expected: readonly string[] | undefined,
  ): Promise<DomainSummary> => ({
    domain: name,
    redirectTo: redirectTo ?? null,
    dns: expected === undefined ? null : await domainDns(name, expected, settings),
  });
  router.get("/apps/:app/domains", needs.app("read"), async (request, response) => {
    const app = await apps.read(request.params.app);
    const all = await domains.list(app.name);
    const expected = all.length === 0 ? [] : await expectedAddresses(settings);
    const summaries = all.map(async (domain, index) =>
      summary(domain, index < CHECKED ? expected : undefined),
    );
    response.json(await Promise.all(summaries));
  });
  router.post("/apps/:app/domains", needs.app("admin"), async (request, response) => {
    const wanted = parseBody(domainRequestSchema, request);
    const app = await apps.read(request.params.app);
    const added = await domains.add(app.name, wanted, actorOf(holderOf(response)));
    response.json(await summary(added, await expectedAddresses(settings)));
  });
  router.delete("/apps/:app/domains/:domain", needs.app("admin"), async (request, response) => {
    const app = await apps.read(request.params.app);
    await domains.remove(app.name, request.params.domain, actorOf(holderOf(response)));
    response.status(204).end();
  });
  return router;
}
