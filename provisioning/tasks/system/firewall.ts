import type { HostPlan, InstanceReach } from "../host-plan.js";
import { isIPv6 } from "node:net";
import { PRIVATE_NETWORKS } from "../../../core/network/private-networks.js";
import { DEADLINE_MS, type Task } from "../task.js";
import type { RemoteHost } from "../../ssh/remote-host.js";

const FILE = "/etc/sluice/firewall.nft";
/** Of the rules as the kernel has them, after they were loaded: what changes them changes it. */
const SUM = "/etc/sluice/firewall.sum";
const UNIT = "/etc/systemd/system/sluice-firewall.service";
/** What runs in a sandbox on the server's machine (server/engines/runit/network). */
const SANDBOXES = "198.18.0.0/15";
const SUM_OF_LOADED = "nft --stateless list table inet sluice 2>/dev/null | sha256sum | cut -d ' ' -f 1";

const UNIT_TEXT = `# Written by Sluice; changes made by hand are lost.
[Unit]
Description=Firewall of Sluice
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target
After=local-fs.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f ${FILE}

[Install]
WantedBy=multi-user.target
`;

/**
 * Who reaches what, in a table of its own: other tables stay. Anybody reaches SSH and the open ports, other hosts reach
 * everything, and nobody else anything.
 */
export const firewall: Task = {
  name: "firewall",
  deadlineMs: DEADLINE_MS.quick,
  check: async (host, plan) => differences(host, plan),
  apply: async (host, plan) => {
    await host.write(FILE, firewallText(plan));
    await host.write(UNIT, UNIT_TEXT);
    await host.output(
      `nft -f ${FILE} && ${SUM_OF_LOADED} >${SUM} && systemctl daemon-reload && systemctl enable --quiet sluice-firewall`,
    );
  },
};

async function differences(host: RemoteHost, plan: HostPlan): Promise<string[]> {
  const [file, unit] = [await host.read(FILE), await host.read(UNIT)];
  const sums = await host.output(`${SUM_OF_LOADED}; cat ${SUM} 2>/dev/null || echo none`);
  const [loaded, wanted] = sums.split("\n");
  return [
    ...(file === firewallText(plan) ? [] : [file === undefined ? "there is none" : "its rules are others"]),
    ...(unit === UNIT_TEXT ? [] : ["it is not loaded at the start"]),
    ...(file === undefined || loaded === wanted ? [] : ["the rules that are loaded were changed"]),
  ];
}

/** To a name server: some hosts have one of their own, or one in their private network. */
const QUESTION = "meta l4proto { tcp, udp } th dport 53";

/**
 * For nft(8). What Docker publishes is forwarded to its bridges, with another destination by then: these rules let nobody but
 * other hosts get there. To other hosts an instance looks like its own host, so what it reaches is decided here.
 */
export function firewallText({
  peers,
  openPorts,
  sshPort,
  instanceReach,
}: Pick<HostPlan, "peers" | "openPorts" | "sshPort" | "instanceReach">): string {
  const ports = [...new Set([sshPort, ...openPorts])].sort((a, b) => a - b).join(", ");
  return `# Written by Sluice; changes made by hand are lost.
table inet sluice
delete table inet sluice
table inet sluice {
  set hosts {
    type ipv4_addr
    flags interval
    elements = { ${peers.join(", ")} }
  }
  chain input {
    type filter hook input priority filter; policy drop;
    iifname "lo" accept
    iifname { "si*", "st*" } ip saddr ${SANDBOXES} accept
    ct state established,related accept
    meta l4proto { icmp, ipv6-icmp } accept
    udp dport { 68, 546 } accept
    iifname { "docker*", "br-*" } ${QUESTION} accept
    tcp dport { ${ports} } accept
    ip saddr @hosts accept
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname { "docker*", "br-*" } jump from_instance
    oifname != { "docker*", "br-*" } accept
    ct state established,related accept
    ip saddr @hosts accept
    drop
  }
  chain from_instance {
    ct state established,related accept
    ${QUESTION} accept
${reachable(instanceReach)}    ip daddr { ${PRIVATE_NETWORKS.join(", ")} } reject
    meta nfproto ipv6 reject
  }
}
`;
}

function reachable({ offers, networks }: InstanceReach): string {
  return [
    ...offers.map(({ address, port }) => `ip daddr ${address} tcp dport ${port}`),
    ...networks.map((network) => `${isIPv6(network.split("/")[0] ?? "") ? "ip6" : "ip"} daddr ${network}`),
  ]
    .map((rule) => `    ${rule} accept\n`)
    .join("");
}
