import { quote } from "../../../core/exec/quote.js";
import { AppError } from "../../../core/errors/app-error.js";
import type { RemoteHost } from "../../ssh/remote-host.js";
import type { HostPlan, PlannedFile, VirtualAddressPlan } from "../host-plan.js";
import { HOME } from "../sluice/sluice-settings.js";
import { DEADLINE_MS, type Task } from "../task.js";

const UNIT = "sluice-address";
const UNIT_FILE = `/etc/systemd/system/${UNIT}.service`;
const CONFIGURATION = "/etc/sluice/keepalived.conf";
const ANSWERS = "/etc/sluice/proxy-answers";
const FOLLOWS = "/etc/sluice/proxy-follows";
/** proxy/haproxy/config/paths.ts */
const FOLLOWING = `${HOME}/haproxy/following`;
/** Three of these without a word from who has the address, and another takes it. */
const ADVERT_SECONDS = 0.5;
/** Any; it tells apart those who share a network, and ours are told apart by their addresses. */
const ROUTER = 83;
const STALE_SECONDS = 30;

/** A keepalived of its own: Debian's, and what it may be configured for, stays as it is. It is started again after a kill, since its address would stay. */
const UNIT_TEXT = `# Written by Sluice; changes made by hand are lost.
[Unit]
Description=Virtual address of Sluice's proxies
Wants=network-online.target
After=network-online.target

[Service]
RuntimeDirectory=${UNIT}
ExecStart=/usr/sbin/keepalived --dont-fork --log-console --vrrp --use-file ${CONFIGURATION} --pid /run/${UNIT}/keepalived.pid --vrrp_pid /run/${UNIT}/vrrp.pid
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
`;

/** keepalived gives the address that the proxies share to one that works (VRRP, RFC 5798). */
export const virtualAddress: Task = {
  name: "virtual address",
  deadlineMs: DEADLINE_MS.quick,
  check: async (host, plan) => {
    const hasUnit = (await host.read(UNIT_FILE)) !== undefined;
    if (plan.virtualAddress === undefined) return hasUnit ? ["this host is not to have one"] : [];
    const differing = await differingFiles(host, await filesOf(host, plan, plan.virtualAddress));
    const { stdout } = await host.run(`systemctl is-active ${UNIT}; systemctl is-enabled ${UNIT}`);
    return [
      ...differing.map(({ path }) => `${path} differs`),
      ...(stdout === "active\nenabled\n" ? [] : ["keepalived does not run, or not from the start"]),
    ];
  },
  apply: async (host, plan) => {
    if (plan.virtualAddress === undefined) {
      await host.output(
        `systemctl disable --quiet --now ${UNIT}; rm -f ${UNIT_FILE}; systemctl daemon-reload`,
      );
      return;
    }
    const differing = await differingFiles(host, await filesOf(host, plan, plan.virtualAddress));
    for (const { path, text } of differing)
      await host.write(path, text, path === ANSWERS || path === FOLLOWS ? "755" : "644");
    // A reload leaves the address where it is.
    const isNew = differing.some(({ path }) => path === UNIT_FILE);
    await host.output(
      `systemctl daemon-reload; systemctl enable --quiet ${UNIT}; systemctl ${isNew ? "restart" : "reload-or-restart"} ${UNIT}`,
    );
  },
};

async function differingFiles(host: RemoteHost, files: readonly PlannedFile[]): Promise<PlannedFile[]> {
  const found: PlannedFile[] = [];
  for (const file of files) if ((await host.read(file.path)) !== file.text) found.push(file);
  return found;
}

async function filesOf(
  host: RemoteHost,
  plan: HostPlan,
  virtual: VirtualAddressPlan,
): Promise<readonly PlannedFile[]> {
  const links = await linksOf(host, plan, virtual.address);
  return [
    { path: UNIT_FILE, text: UNIT_TEXT },
    { path: ANSWERS, text: answersText(virtual.httpPort) },
    { path: FOLLOWS, text: FOLLOWS_TEXT },
    { path: CONFIGURATION, text: keepalivedText(plan, virtual, links) },
  ];
}

interface Links {
  /** Of the private address, over which the proxies talk. */
  readonly own: string;
  /** Of the network that the virtual address belongs to. */
  readonly ofAddress: string;
}

/** Throws `host-unfit`. */
async function linksOf(
  host: RemoteHost,
  { name, privateAddress }: HostPlan,
  address: string,
): Promise<Links> {
  const addresses = await host.output(`ip -4 -o address show to ${quote(privateAddress)}`);
  const routes = await host.output(`ip -4 -o route show match ${quote(address)} scope link`);
  const own = /^\d+: ([^\s@]+)/.exec(addresses)?.[1];
  const ofAddress = / dev (\S+)/.exec(routes)?.[1];
  if (own !== undefined && ofAddress !== undefined) return { own, ofAddress };
  throw new AppError("host-unfit", {
    host: name,
    problem: `the virtual address ${address} belongs to none of the networks that it is in`,
    fix: "Choose one of a network that all proxies share, or share one address by other means (docs/hosts.md).",
  });
}

/** For keepalived.conf(5). All are equal, so that the address stays where it is as long as that works. Pure. */
export function keepalivedText(
  { name, privateAddress }: Pick<HostPlan, "name" | "privateAddress">,
  { address, proxies }: VirtualAddressPlan,
  { own, ofAddress }: Links,
): string {
  const others = proxies.filter((each) => each !== privateAddress);
  return `# Written by Sluice; changes made by hand are lost.
global_defs {
  router_id ${name}
  script_user root
  enable_script_security
  vrrp_version 3
}
vrrp_script answers {
  script ${ANSWERS}
  interval 1
  timeout 2
  fall 2
  rise 2
}
vrrp_script follows {
  script ${FOLLOWS}
  interval 5
  timeout 2
  weight -50
}
vrrp_instance proxies {
  state BACKUP
  interface ${own}
  virtual_router_id ${ROUTER}
  priority 100
  advert_int ${ADVERT_SECONDS}
  unicast_src_ip ${privateAddress}
  unicast_peer {
${others.map((each) => `    ${each}\n`).join("")}  }
  virtual_ipaddress {
    ${address}/32 dev ${ofAddress}
  }
  track_script {
    answers
    follows
  }
}
`;
}

/** No app has that name: HAProxy answers by itself. */
function answersText(httpPort: number): string {
  return `#!/bin/bash
# Written by Sluice. Whether HAProxy answers on this host; if not, another one gets the address.
exec 3<>/dev/tcp/127.0.0.1/${httpPort} || exit 1
printf 'HEAD / HTTP/1.1\\r\\nHost: answers.invalid\\r\\nConnection: close\\r\\n\\r\\n' >&3
read -r -t 1 line <&3 && [[ $line == HTTP/* ]]
`;
}

const FOLLOWS_TEXT = `#!/bin/bash
# Written by Sluice. Whether HAProxy has the current routes, as far as Sluice could tell lately; if not, another one that has is preferred.
(( $(date +%s) - $(stat --format %Y ${FOLLOWING} || echo 0) < ${STALE_SECONDS} ))
`;
