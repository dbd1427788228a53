import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Cloud } from "./cloud.js";
import type { ApiCall } from "./api-call.js";
import { notFound, page, problem, unprocessable, type Reply } from "./reply.js";
import { actionJson, reservedIpJson, vpcJson } from "./json.js";

const ends = z.looseObject({ tags: z.array(z.string()).nullish() });
const firewallBody = z.looseObject({
  name: z.string(),
  tags: z.array(z.string()).nullish(),
  inbound_rules: z.array(z.looseObject({ sources: ends })).nullish(),
});
const assignment = z.object({ type: z.string(), droplet_id: z.number().optional() });
const newVpc = z.object({ name: z.string(), region: z.string(), ip_range: z.string().optional() });

export const networkRoutes = {
  "GET /v2/vpcs": (call: ApiCall, cloud: Cloud): Reply =>
    page(call, "vpcs", [...cloud.vpcs.values()].map(vpcJson)),
  "POST /v2/vpcs": ({ body }: ApiCall, cloud: Cloud): Reply => {
    const { name, region, ip_range: range = "10.77.0.0/16" } = newVpc.parse(body);
    if ([...cloud.vpcs.values()].some((vpc) => vpc.name === name))
      return unprocessable("a VPC with this name already exists");
    const vpc = cloud.addVpc({ name, region, range, isDefault: false });
    return { status: 201, body: { vpc: vpcJson(vpc) } };
  },
  "GET /v2/firewalls": (call: ApiCall, cloud: Cloud): Reply =>
    page(call, "firewalls", [...cloud.firewalls.values()]),
  "POST /v2/firewalls": ({ body }: ApiCall, cloud: Cloud): Reply => {
    const { name } = firewallBody.parse(body);
    if ([...cloud.firewalls.values()].some((firewall) => firewall.name === name))
      return problem(409, "conflict", "duplicate name");
    return putFirewall(randomUUID(), 202, body, cloud);
  },
  "PUT /v2/firewalls/{firewall_id}": ({ params, body }: ApiCall, cloud: Cloud): Reply => {
    const id = params.firewall_id ?? "";
    return cloud.firewalls.has(id) ? putFirewall(id, 200, body, cloud) : notFound();
  },
  "GET /v2/reserved_ips": (call: ApiCall, cloud: Cloud): Reply =>
    page(call, "reserved_ips", [...cloud.reservedIps.values()].map(reservedIpJson)),
  "GET /v2/reserved_ips/{reserved_ip}": ({ params }: ApiCall, cloud: Cloud): Reply => {
    const ip = cloud.reservedIps.get(params.reserved_ip ?? "");
    return ip === undefined ? notFound() : { status: 200, body: { reserved_ip: reservedIpJson(ip) } };
  },
  "POST /v2/reserved_ips/{reserved_ip}/actions": ({ params, body }: ApiCall, cloud: Cloud): Reply => {
    const ip = cloud.reservedIps.get(params.reserved_ip ?? "");
    if (ip === undefined) return notFound();
    const { type, droplet_id: id } = assignment.parse(body);
    const droplet = cloud.droplets.get(id ?? 0);
    if (type === "assign" && droplet === undefined) return unprocessable("Droplet does not exist");
    const resource = { id: id ?? 0, type: "reserved_ip" };
    const action = cloud.doSoon(`${type}_ip`, resource, ip.region, async () =>
      cloud.assign(ip, type === "assign" ? droplet : undefined),
    );
    return { status: 201, body: { action: actionJson(action) } };
  },
};

function putFirewall(id: string, status: number, body: unknown, cloud: Cloud): Reply {
  const asked = firewallBody.parse(body);
  const named = [
    ...(asked.tags ?? []),
    ...(asked.inbound_rules ?? []).flatMap(({ sources }) => sources.tags ?? []),
  ];
  const missing = named.find((tag) => !cloud.tags.has(tag));
  if (missing !== undefined) return unprocessable(`tag ${missing} does not exist`);
  const firewall = {
    ...{ id, status: "succeeded", created_at: "2026-01-01T00:00:00Z", pending_changes: [] },
    ...{ droplet_ids: [], tags: [], inbound_rules: [], outbound_rules: [], ...asked },
  };
  cloud.firewalls.set(id, firewall);
  return { status, body: { firewall } };
}
