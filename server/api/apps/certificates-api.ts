import { Router } from "express";
import {
  certificateRequestSchema,
  type CertificatesAnswer,
  type CertificateSummary,
  type Uncertified,
} from "../../../core/api/apps/certificates.js";
import { AppError, isAppError } from "../../../core/errors/app-error.js";
import { covers, type Certificate } from "../../../core/records/certificates/certificate.js";
import { servedNames } from "../../../core/records/certificates/served-names.js";
import { actorOf } from "../../../core/records/events/actor.js";
import type { RouteTable } from "../../../core/records/routes/route-table.js";
import { coversApp } from "../../../core/api/access/scope.js";
import type { CertificateCare } from "../../certificates/certificate-care.js";
import { parseCertificate } from "../../certificates/parse-certificate.js";
import type { Trouble } from "../../certificates/troubles.js";
import { wantedNames } from "../../certificates/wanted-names.js";
import { waitForCertificates } from "../../routes/wait-for-proxies.js";
import { needs } from "../guards/needs.js";
import { holderOf } from "../guards/require-token.js";
import type { ApiNeeds } from "../needs.js";
import { parseBody } from "../requests/parse-body.js";

const SOON_MS = 14 * 86_400_000;

/** `/certificates`, `/apps/APP/certificates`: list, add, remove, and try again. */
export function certificatesApi(tools: ApiNeeds, care: CertificateCare): Router {
  const { apps, routes, settings, clock, proxyReports } = tools;
  const { certificates: store, loop } = care;
  const router = Router();

  const answerFor = async (tables: readonly RouteTable[]): Promise<CertificatesAnswer> => {
    const [{ certificates }, troubles, refused] = await Promise.all([
      store.read(),
      loop.reasons(),
      refusals(),
    ]);
    const byApp = new Map(tables.map((table) => [table.app, table]));
    return {
      certificates: certificates.flatMap((certificate) => {
        const table = byApp.get(certificate.app ?? "");
        return table === undefined ? [] : [summary(certificate, table, refused)];
      }),
      uncertified: tables.flatMap((table) =>
        uncertified(table, certificates, troubles, wantedNames(table, settings), clock.now()),
      ),
    };
  };
  const refusals = async (): Promise<ReadonlyMap<string, readonly string[]>> => {
    const found = new Map<string, string[]>();
    for (const { id, report } of await proxyReports.members())
      for (const refused of report.refused) found.set(refused, [...(found.get(refused) ?? []), id]);
    return found;
  };
  const summary = (
    certificate: Certificate,
    table: RouteTable,
    refused: ReadonlyMap<string, readonly string[]>,
  ): CertificateSummary => {
    const { id, app, names, source, issuer, notBefore, notAfter } = certificate;
    const now = clock.now();
    return {
      ...{ id, app: app ?? "", names, source, issuer },
      served: servedNames(certificate, table, settings.domain),
      notBefore: new Date(notBefore).toISOString(),
      notAfter: new Date(notAfter).toISOString(),
      state: stateOf(certificate, now),
      refusedBy: refused.get(id) ?? [],
    };
  };

  router.get("/certificates", needs.any("read"), async (_request, response) => {
    const { scope } = holderOf(response);
    const names = (await apps.list()).map(({ name }) => name).filter((name) => coversApp(scope, name));
    response.json(await answerFor(await routes.readMany(names)));
  });
  router.get("/apps/:app/certificates", needs.app("read"), async (request, response) => {
    const app = await apps.read(request.params.app);
    response.json(await answerFor([await routes.read(app.name)]));
  });
  router.post("/apps/:app/certificates", needs.app("admin"), async (request, response) => {
    const { certificate: text, key } = parseBody(certificateRequestSchema, request);
    const app = (await apps.read(request.params.app)).name;
    const table = await routes.read(app);
    const now = clock.now();
    const { certificate: parsed, warnings } = parseCertificate(text, key, now);
    const served = servedNames(parsed, table, settings.domain);
    if (served.length === 0)
      throw new AppError("certificate-for-others", {
        ...{ app, names: parsed.names },
        own: [`${app}.${settings.domain}`, ...table.domains.map(({ name }) => name)],
      });
    const before = (await store.read()).certificates.filter((one) => one.app === app);
    const added: Certificate = {
      ...{ v: 1, app, source: "own", ...parsed },
      since: Math.min(now, ...before.map(({ since }) => since)),
    };
    // One for the same names takes the place of the one before.
    const replaced = before.filter(
      ({ source, names }) => source === "own" && [...names].sort().join() === [...added.names].sort().join(),
    );
    const revision = await store.put(
      added,
      replaced.map(({ id }) => id),
      [
        {
          ...actorOf(holderOf(response)),
          ...{ app, type: "certificate.added", data: { subject: added.names[0] ?? "" } },
        },
      ],
    );
    // It is there, whoever does not follow.
    const silent = await waitForCertificates(tools, revision).then(
      () => undefined,
      (error: unknown) => {
        if (isAppError(error, "proxy-silent")) return error.message;
        throw error;
      },
    );
    const unserved = added.names.filter((name) => !served.includes(name) && !name.startsWith("*."));
    const refused = await refusals();
    response.json({
      ...summary(added, table, refused),
      warnings: [
        ...warnings,
        ...(silent === undefined ? [] : [silent]),
        ...(unserved.length === 0
          ? []
          : [`${app} does not have ${unserved.join(", ")}: it is not served there`]),
      ],
    });
  });
  router.delete("/apps/:app/certificates/:id", needs.app("admin"), async (request, response) => {
    const app = (await apps.read(request.params.app)).name;
    const { id } = request.params;
    const { certificates } = await store.read();
    const [found, another] = certificates.filter((one) => one.app === app && one.id.startsWith(id));
    if (found === undefined || another !== undefined) throw new AppError("certificate-unknown", { app, id });
    const revision = await store.remove(
      [found.id],
      [
        {
          ...actorOf(holderOf(response)),
          ...{ app, type: "certificate.removed", data: { subject: found.names[0] ?? "" } },
        },
      ],
    );
    await waitForCertificates(tools, revision);
    response.status(204).end();
  });
  router.post("/apps/:app/certificates/retry", needs.app("admin"), async (request, response) => {
    const app = (await apps.read(request.params.app)).name;
    await loop.tryAgain(wantedNames(await routes.read(app), settings));
    response.status(204).end();
  });
  return router;
}

function stateOf({ notAfter, notBefore }: Certificate, now: number): CertificateSummary["state"] {
  if (notAfter <= now) return "expired";
  // Short-lived ones are renewed when a third is left.
  return notAfter - now < Math.min(SOON_MS, (notAfter - notBefore) / 6) ? "expiring" : "valid";
}

function uncertified(
  { app }: RouteTable,
  certificates: readonly Certificate[],
  reasons: { readonly byName: ReadonlyMap<string, Trouble>; readonly general: string | undefined },
  wanted: readonly string[],
  now: number,
): Uncertified[] {
  const valid = certificates.filter((one) => one.app === app && one.notAfter > now);
  return wanted.flatMap((name) => {
    const trouble = reasons.byName.get(name);
    const isCovered = valid.some(({ names }) => names.some((other) => covers(other, name)));
    if (isCovered && trouble === undefined) return [];
    return [
      {
        ...{ app, name },
        reason: trouble?.reason ?? reasons.general ?? "it is being ordered",
        triedAt: trouble === undefined ? null : new Date(trouble.triedAt).toISOString(),
        nextTryAt: trouble?.nextTryAt === undefined ? null : new Date(trouble.nextTryAt).toISOString(),
      },
    ];
  });
}
