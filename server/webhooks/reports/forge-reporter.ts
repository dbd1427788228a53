import { z } from "zod";
import type { AppKeys } from "../../../core/records/apps/app-keys.js";
import type { Database } from "../../../core/redis/database.js";
import type { Handlers } from "../../../core/outbox/outbox-loop.js";
import type { Outbox } from "../../../core/outbox/outbox.js";
import { parseReleaseName, releaseName } from "../../../core/names.js";
import type { EventRecord, EventType } from "../../../core/records/events/event-record.js";
import type { ReleaseRecord } from "../../../core/records/releases/release-record.js";
import { keys } from "../../../core/redis/keys.js";
import type { AddressPolicy } from "../../../core/network/address-policy.js";
import { sendRequest, type RequestAnswer } from "../../../core/network/send-request.js";
import type { LogLinks } from "../../releases/log-links.js";
import { urlOfRelease } from "../../releases/what-serves.js";
import type { WebhooksNeeds } from "../needs.js";
import { apiOf } from "./api-of.js";
import type { CommitReport } from "./commit-report.js";
import { deploymentIdOf } from "./github-deployment.js";
import { reportRequests } from "./report-requests.js";
import type { ForgeRequest } from "./forge-request.js";
import type { Webhook, WebhookStore } from "../webhook-store.js";

export const REPORT_KEYS: AppKeys = { own: [keys.hostDeployments] };

export interface ForgeReporterOptions {
  readonly tools: Pick<WebhooksNeeds, "releases" | "settings">;
  readonly webhooks: WebhookStore;
  readonly outbox: Outbox;
  readonly logLinks: LogLinks;
  readonly redis: Database;
  readonly addresses: AddressPolicy;
}

const KIND = "commit-status";
const TIMEOUT_MS = 10_000;
const DEPLOYMENT_SECONDS = 7 * 24 * 3600;
const KEPT_DEPLOYMENTS = 200;

const payloadSchema = z.object({
  app: z.string(),
  release: z.number().int(),
  state: z.enum(["pending", "success", "failure"]),
  description: z.string(),
});

type Payload = z.infer<typeof payloadSchema>;

/** Tells the forge that a commit was delivered from what became of it. From a queue: one that is down is notified later. */
export class ForgeReporter {
  constructor(private readonly options: ForgeReporterOptions) {}

  /** Of a release that has begun, is live, or has failed; nothing of any other event. Throws `redis-unavailable`. */
  async tell({ type, app, release: name = "" }: EventRecord): Promise<void> {
    const [state, number] = [STATES[type], parseReleaseName(name)];
    if (state === undefined || number === undefined) return;
    const release = await this.options.tools.releases.find(app, number);
    if (release?.source !== "webhook") return;
    if (reportable(await this.options.webhooks.find(app)) === undefined) return;
    const payload: Payload = { app, release: number, state, description: descriptionOf(release, state) };
    // Of a release the last word counts.
    const [lane, key] = [`${app}/commit-status`, `${app}/${number}`];
    await this.options.outbox.add(KIND, payload, { lane, key, once: `${key}/${state}` });
  }

  handlers(): Handlers {
    return { [KIND]: async (payload, signal) => this.send(payloadSchema.parse(payload), signal) };
  }

  private async send(
    { app, release: number, state, description }: Payload,
    signal: AbortSignal,
  ): Promise<void> {
    const { webhooks, tools, logLinks, redis, addresses } = this.options;
    const post = async (request: ForgeRequest): Promise<RequestAnswer> =>
      sendRequest(request, { addresses, signal, timeoutMs: TIMEOUT_MS });
    const host = reportable(await webhooks.find(app));
    const release = await tools.releases.find(app, number);
    if (host === undefined || release === undefined) return;
    const report: CommitReport = {
      ...host,
      commit: release.commit,
      state,
      description,
      targetUrl: logLinks.urlOf(app, number),
      environmentUrl: urlOfRelease(tools.settings, release),
      context: `sluice/${app}`,
      environment: release.track,
    };
    const known = Number((await redis.hget(keys.hostDeployments(app), String(number))) ?? NaN);
    for (const { request, next } of reportRequests(report, Number.isNaN(known) ? undefined : known)) {
      const answer = parsed(await post(request));
      const id = next === undefined ? undefined : deploymentIdOf(answer);
      if (id !== undefined) await this.keepDeployment(app, number, id);
      const following = next?.(answer);
      if (following !== undefined) await post(following);
    }
  }

  private async keepDeployment(app: string, release: number, id: number): Promise<void> {
    const key = keys.hostDeployments(app);
    await this.options.redis
      .multi()
      .hset(key, String(release), id)
      .hdel(key, String(release - KEPT_DEPLOYMENTS))
      .expire(key, DEPLOYMENT_SECONDS)
      .exec();
  }
}

/** Rollbacks and promotions are not of the commit. */
const STATES: Readonly<Partial<Record<EventType, Payload["state"]>>> = {
  "release.queued": "pending",
  "release.live": "success",
  "canary.live": "success",
  "release.failed": "failure",
};

function descriptionOf({ number, track, error }: ReleaseRecord, state: Payload["state"]): string {
  if (state === "pending") return `${releaseName(number)} is being released`;
  if (state === "success") return `${releaseName(number)} is live (${track})`;
  return error?.message.split("\n")[0] ?? `${releaseName(number)} failed`;
}

type Reportable = Pick<CommitReport, "host" | "apiUrl" | "repositoryPath" | "token">;

/** Undefined: nobody can be told, since there is no token, or no host that takes reports. */
function reportable(webhook: Webhook | undefined): Reportable | undefined {
  if (webhook?.statusToken === undefined || webhook.host === undefined || webhook.source === undefined)
    return undefined;
  const api = apiOf(webhook.source, webhook.host);
  return api === undefined || !isPrivate(api.apiUrl)
    ? undefined
    : { host: webhook.host, token: webhook.statusToken, ...api };
}

/** A token goes over an open network encrypted or not at all. */
function isPrivate(apiUrl: string): boolean {
  const { protocol, hostname } = new URL(apiUrl);
  return protocol === "https:" || ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
}

function parsed({ text }: RequestAnswer): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
