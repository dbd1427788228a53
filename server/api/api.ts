import { json, Router } from "express";
import type { Database } from "../../core/redis/database.js";
import type { ServerParts } from "../assemble.js";
import { keysApi } from "./access/keys-api.js";
import { tokensApi } from "./access/tokens-api.js";
import { whoamiApi } from "./access/whoami-api.js";
import { appsApi } from "./apps/apps-api.js";
import { certificatesApi } from "./apps/certificates-api.js";
import { canaryApi } from "./apps/canary-api.js";
import { configApi } from "./apps/config-api.js";
import { deliveriesApi } from "./apps/deliveries-api.js";
import { domainsApi } from "./apps/domains-api.js";
import { flagsApi } from "./apps/flags-api.js";
import { logsApi } from "./apps/logs-api.js";
import { notificationsApi } from "./apps/notifications-api.js";
import { releasesApi } from "./apps/releases-api.js";
import { scaleApi } from "./apps/scale-api.js";
import { trafficApi } from "./apps/traffic-api.js";
import { webhookApi } from "./apps/webhook-api.js";
import { eventsApi } from "./events-api.js";
import { alertsApi } from "./machines/alerts-api.js";
import { drainsApi } from "./machines/drains-api.js";
import type { HostFleet } from "./machines/host-fleet.js";
import { hostsApi } from "./machines/hosts-api.js";
import { provisionApi } from "./machines/provision-api.js";
import { proxiesApi } from "./machines/proxies-api.js";
import { statusApi } from "./machines/status-api.js";
import { refuseUndeclared } from "./guards/declared-routes.js";
import { hideOtherApps } from "./guards/hide-other-apps.js";
import { requireToken } from "./guards/require-token.js";

export interface ApiOptions extends Omit<ServerParts, "hooks" | "desk" | "reporter" | "outbox" | "logLinks"> {
  readonly redis: Database;
  readonly version: string;
  readonly fleet: HostFleet | undefined;
}

/**
 * `/api`: JSON with `Authorization: Bearer TOKEN`. `core/api` has the shapes; `docs/api.md` lists the routes, and
 * `docs/access.md` what each needs.
 */
export function api(options: ApiOptions): Router {
  const { tools, redis, pipeline, access, canaries, webhooks } = options;
  const router = Router();
  router.use(requireToken(access));
  router.use(json({ limit: "1mb" }));
  router.use(
    statusApi(tools, redis, options.version),
    appsApi(tools, pipeline),
    releasesApi(tools, pipeline),
    canaryApi({ tools, pipeline, canaries, redis }),
    logsApi(tools),
    configApi(tools),
    scaleApi(tools, pipeline),
    trafficApi(tools),
    webhookApi({ ...webhooks, apps: tools.apps, settings: tools.settings }),
    deliveriesApi(tools, webhooks.deliveries),
    domainsApi(tools),
    certificatesApi(tools, options.certificates),
    flagsApi(tools.apps, options.flags),
    notificationsApi(tools, options.receivers, options.notifier),
    eventsApi({ events: options.events, log: tools.log }),
    proxiesApi(tools),
    provisionApi(options.fleet, tools.home.settings()),
    hostsApi({ redis, clock: tools.clock, settings: tools.settings, hosts: options.hosts }),
    drainsApi({ hosts: options.hosts, redis, log: tools.log, settingsFile: tools.home.settings() }),
    alertsApi(redis),
    tokensApi(access.tokens),
    keysApi(options.keys),
    whoamiApi(),
  );
  refuseUndeclared(router);
  router.use(hideOtherApps);
  return router;
}
