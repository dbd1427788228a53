import type { HostPlan } from "../host-plan.js";
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

/**
 * For nft(8). What Docker publishes is forwarded to its bridges, with another destination by then: these rules let nobody but
 * other hosts get there. Links of this machine itself (Docker's bridges, Sluice's own networks) lead to it freely.
 */
export function firewallText({ peers, openPorts, sshPort }: HostPlan): string {
  const ports = [...new Set([sshPort, ...openPorts])].sort((a, b) => a - b).join(", ");
  return `# Written by Sluice; changes made by hand are lost.
table inet sluice
delete table inet sluice
table inet sluice {
  set hosts {
    type ipv4_addr
    elements = { ${peers.join(", ")} }
  }
  chain input {
    type filter hook input priority filter; policy drop;
    iifname { "lo", "docker*", "br-*", "veth*" } accept
    iifname { "si*", "st*" } ip saddr ${SANDBOXES} accept
    ct state established,related accept
    meta l4proto { icmp, ipv6-icmp } accept
    udp dport { 68, 546 } accept
    tcp dport { ${ports} } accept
    ip saddr @hosts accept
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    oifname != { "docker*", "br-*" } accept
    iifname { "docker*", "br-*", "veth*" } accept
    ct state established,related accept
    ip saddr @hosts accept
    drop
  }
}
`;
}
