import { z } from "zod";
import type { Clock } from "../../../core/clock.js";
import type { ApiRequests } from "../requests/api-requests.js";
import { createOnce } from "../requests/create-once.js";
import { apiRulesOf, rulesSchema, sameRules, type InboundRule } from "./firewall-rules.js";
import type { Tags } from "../tags.js";

export interface FirewallPlan {
  /** Letters, digits, dots and dashes. Unique in the account. */
  readonly name: string;
  /** It applies to the droplets with one of these. */
  readonly tags: readonly string[];
  /** All other inbound traffic is dropped. Outbound traffic is allowed. */
  readonly inbound: readonly InboundRule[];
}

const firewallSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    droplet_ids: z.array(z.number().int()).nullish(),
    tags: z.array(z.string()).nullish(),
  })
  .and(rulesSchema);
type ApiFirewall = z.infer<typeof firewallSchema>;

export class Firewalls {
  constructor(
    private readonly api: ApiRequests,
    private readonly tags: Tags,
    private readonly clock: Clock,
  ) {}

  /** Creates or updates the firewall of this name so that it matches the plan, and creates missing tags. */
  async ensure(plan: FirewallPlan, signal: AbortSignal): Promise<"created" | "updated" | "unchanged"> {
    const known = await this.find(plan.name, signal);
    if (known !== undefined && isAsPlanned(known, plan)) return "unchanged";
    for (const tag of tagsIn(plan)) await this.tags.ensure(tag, signal);
    if (known === undefined) {
      const find = async (): Promise<ApiFirewall | undefined> => this.find(plan.name, signal);
      await createOnce({ find, create: async () => this.create(plan, signal) }, this.clock, signal);
      return "created";
    }
    await this.update(known, plan, signal);
    return "updated";
  }

  private async find(name: string, signal: AbortSignal): Promise<ApiFirewall | undefined> {
    const call = { path: "/v2/firewalls", key: "firewalls", scopes: ["firewall:read"] };
    const all = await this.api.list({ ...call, schema: firewallSchema, signal });
    return all.find((firewall) => firewall.name === name);
  }

  private async create(plan: FirewallPlan, signal: AbortSignal): Promise<ApiFirewall> {
    const { firewall } = await this.api.send({
      method: "POST",
      path: "/v2/firewalls",
      scopes: ["firewall:create", "tag:read"],
      body: { name: plan.name, tags: plan.tags, ...apiRulesOf(plan.inbound) },
      schema: z.object({ firewall: firewallSchema }),
      signal,
    });
    return firewall;
  }

  /** The API replaces all fields, so droplets that were added by hand are kept explicitly. */
  private async update(known: ApiFirewall, plan: FirewallPlan, signal: AbortSignal): Promise<void> {
    await this.api.send({
      method: "PUT",
      path: `/v2/firewalls/${encodeURIComponent(known.id)}`,
      scopes: ["firewall:update", "tag:read"],
      body: {
        ...{ name: plan.name, tags: plan.tags, droplet_ids: known.droplet_ids ?? [] },
        ...apiRulesOf(plan.inbound),
      },
      schema: z.unknown(),
      signal,
    });
  }
}

function isAsPlanned(firewall: ApiFirewall, { tags, inbound }: FirewallPlan): boolean {
  const hasTags = JSON.stringify([...(firewall.tags ?? [])].sort()) === JSON.stringify([...tags].sort());
  return hasTags && sameRules(firewall, apiRulesOf(inbound));
}

function tagsIn({ tags, inbound }: FirewallPlan): ReadonlySet<string> {
  return new Set([...tags, ...inbound.flatMap((rule) => rule.tags ?? [])]);
}
