import { z } from "zod";

/** Who may connect to which ports. */
export interface InboundRule {
  readonly protocol: "tcp" | "udp" | "icmp";
  /** `22`, `8000-9000` or `all`. Not for icmp. */
  readonly ports?: string;
  /** Addresses and CIDRs; `0.0.0.0/0` and `::/0` mean everybody. */
  readonly addresses?: readonly string[];
  /** Droplets with one of these tags. */
  readonly tags?: readonly string[];
}

/** The API returns `all` as `0`, also for icmp. */
const ALL_PORTS = "0";
const ANYWHERE = { addresses: ["0.0.0.0/0", "::/0"] };

const endsSchema = z.object({
  addresses: z.array(z.string()).nullish(),
  tags: z.array(z.string()).nullish(),
});
const ruleSchema = z.object({ protocol: z.string(), ports: z.string().default(ALL_PORTS) });
export const rulesSchema = z.object({
  inbound_rules: z
    .array(ruleSchema.extend({ sources: endsSchema }))
    .nullish()
    .transform((rules) => rules ?? []),
  outbound_rules: z
    .array(ruleSchema.extend({ destinations: endsSchema }))
    .nullish()
    .transform((rules) => rules ?? []),
});
export type ApiRules = z.infer<typeof rulesSchema>;

/** Rules that allow this inbound traffic, and all outbound traffic. */
export function apiRulesOf(inbound: readonly InboundRule[]): ApiRules {
  return {
    inbound_rules: inbound.map(({ protocol, ports, addresses, tags }) => ({
      protocol,
      ports: portsOf(ports),
      sources: {
        ...(addresses === undefined ? {} : { addresses: [...addresses] }),
        ...(tags === undefined ? {} : { tags: [...tags] }),
      },
    })),
    outbound_rules: ["tcp", "udp", "icmp"].map((protocol) => ({
      protocol,
      ports: ALL_PORTS,
      destinations: ANYWHERE,
    })),
  };
}

/** Whether both allow the same traffic. The order does not matter. */
export function sameRules(a: ApiRules, b: ApiRules): boolean {
  return textOf(a) === textOf(b);
}

function textOf({ inbound_rules, outbound_rules }: ApiRules): string {
  return [
    ...inbound_rules.map(({ sources, ...rule }) => lineOf("in", rule, sources)),
    ...outbound_rules.map(({ destinations, ...rule }) => lineOf("out", rule, destinations)),
  ]
    .sort()
    .join("\n");
}

function lineOf(
  direction: string,
  { protocol, ports }: { protocol: string; ports: string },
  { addresses, tags }: z.infer<typeof endsSchema>,
): string {
  return JSON.stringify([
    ...[direction, protocol, portsOf(ports)],
    [...(addresses ?? [])].sort(),
    [...(tags ?? [])].sort(),
  ]);
}

function portsOf(ports: string | undefined): string {
  return ports === undefined || ports === "all" || ports === "" ? ALL_PORTS : ports;
}
