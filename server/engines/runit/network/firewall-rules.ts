import { PRIVATE_NETWORKS } from "../../../../core/network/private-networks.js";
import { MACHINE_ADDRESS, SANDBOX_ADDRESSES, type NetworkNames } from "./network-plan.js";

export interface FirewallPlan {
  readonly names: NetworkNames;
  /** Ports of 127.0.0.1 that instances reach at `MACHINE_ADDRESS`: the apps' Redis, the flags. */
  readonly offered: readonly number[];
  readonly nameservers: readonly string[];
  /** A name server of this machine alone, at an address of 127.0.0.0/8, which is offered at `MACHINE_ADDRESS`. */
  readonly ownNameserver?: string | undefined;
  /** Private networks that apps may reach all the same. */
  readonly allowed: readonly string[];
}

/**
 * Rules for nft(8): what instances and tasks reach, and who reaches them. They are the same however many there are. Out goes
 * what is meant for the internet; in comes nothing but answers, and what this machine itself begins.
 */
export function firewallRules(plan: FirewallPlan): string {
  const { offered, nameservers, ownNameserver, allowed } = plan;
  const { table, instances, tasks } = plan.names;
  const sandboxes = `{ "${instances}*", "${tasks}*" }`;
  const set = (values: readonly (string | number)[]): string => `{ ${values.join(", ")} }`;
  const question = "meta l4proto { tcp, udp } th dport 53";
  const toNameserver = `iifname ${sandboxes} ip daddr ${ownNameserver ?? ""} ${question}`;
  const whereOwn = (...lines: string[]): string[] => (ownNameserver === undefined ? [] : lines);
  const redirects = offered.map(
    (port) =>
      `    iifname "${instances}*" ip daddr ${MACHINE_ADDRESS} tcp dport ${port} dnat ip to 127.0.0.1:${port}`,
  );
  return [
    `table inet ${table}`,
    `delete table inet ${table}`,
    `table inet ${table} {`,
    "  chain to_machine {",
    "    type filter hook input priority -10; policy accept;",
    `    iifname ${sandboxes} jump from_sandbox`,
    "  }",
    "  chain from_sandbox {",
    "    ct state established,related accept",
    ...(offered.length === 0
      ? []
      : [`    iifname "${instances}*" ip daddr 127.0.0.1 tcp dport ${set(offered)} ct status dnat accept`]),
    ...whereOwn(`    ${toNameserver} ct status dnat accept`),
    "    ip protocol tcp reject with tcp reset",
    "    drop",
    "  }",
    "  chain through {",
    "    type filter hook forward priority -10; policy accept;",
    `    oifname ${sandboxes} ct state established,related accept`,
    `    oifname ${sandboxes} drop`,
    `    iifname ${sandboxes} jump out`,
    "  }",
    "  chain out {",
    "    ct state established,related accept",
    ...(nameservers.length === 0 ? [] : [`    ip daddr ${set(nameservers)} ${question} accept`]),
    ...(allowed.length === 0 ? [] : [`    ip daddr ${set(allowed)} accept`]),
    `    ip daddr ${set(PRIVATE_NETWORKS)} reject`,
    "    meta nfproto ipv6 drop",
    "  }",
    "  chain offers {",
    "    type nat hook prerouting priority dstnat - 10; policy accept;",
    ...redirects,
    ...whereOwn(
      `    iifname ${sandboxes} ip daddr ${MACHINE_ADDRESS} ${question} dnat ip to ${ownNameserver ?? ""}:53`,
    ),
    "  }",
    // Such a name server answers this machine alone.
    ...whereOwn(
      "  chain asks {",
      "    type nat hook input priority 100; policy accept;",
      `    ${toNameserver} snat ip to 127.0.0.1`,
      "  }",
    ),
    "  chain outwards {",
    "    type nat hook postrouting priority srcnat + 10; policy accept;",
    `    ip saddr ${SANDBOX_ADDRESSES} oifname != ${sandboxes} oifname != "lo" masquerade`,
    "  }",
    "}",
    "",
  ].join("\n");
}

/** Rules inside a network: an app that listens on 127.0.0.1 alone is reached, too. */
export function insideRules({ device }: { readonly device: string }): string {
  return [
    "table ip sluice {",
    "  chain inwards {",
    "    type nat hook prerouting priority dstnat; policy accept;",
    `    iifname "${device}" dnat to 127.0.0.1`,
    "  }",
    "}",
    "",
  ].join("\n");
}
