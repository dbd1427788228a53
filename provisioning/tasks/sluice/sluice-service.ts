import { createHash } from "node:crypto";
import type { RemoteHost } from "../../ssh/remote-host.js";
import type { HostPlan } from "../host-plan.js";
import { NODE } from "./node-runtime.js";
import { CURRENT } from "./sluice-release.js";
import { HOME } from "./sluice-settings.js";
import { DEADLINE_MS, type Task } from "../task.js";

const UNIT = "/etc/systemd/system/sluice.service";
/** What the process that runs was started with. */
const STARTED_WITH = "/etc/sluice/started-with";
const START_TIMEOUT_SECONDS = 50;

/** Sluice from the machine's start on. A restart leaves HAProxy and instances alone, and so does the end of a process. */
export const sluiceService: Task = {
  name: "Sluice's service",
  deadlineMs: DEADLINE_MS.quick,
  check: async (host, plan) => {
    const unit = await host.read(UNIT);
    const { stdout } = await host.run("systemctl is-active sluice; systemctl is-enabled sluice");
    const startedWith = (await host.read(STARTED_WITH))?.trim();
    return [
      ...(unit === unitText(plan) ? [] : [`${UNIT} differs`]),
      ...(stdout === "active\nenabled\n" ? [] : ["it does not run, or not from the start"]),
      ...(startedWith === markOf(plan) ? [] : ["it was started with another version, or other settings"]),
    ];
  },
  apply: async (host, plan) => {
    await host.write(UNIT, unitText(plan));
    await host.output("systemctl daemon-reload; systemctl enable --quiet sluice; systemctl restart sluice");
    await waitUntilUp(host);
    await host.write(STARTED_WITH, `${markOf(plan)}\n`);
  },
};

/** Throws `host-command-failed` with what it said instead. */
async function waitUntilUp(host: RemoteHost): Promise<void> {
  await host.output(untilUp("sluice"), { timeoutMs: (START_TIMEOUT_SECONDS + 8) * 1000 });
}

/** For sh(1): waits until everything of a unit that was just started answers, as `sluice up` says. Prints what it said instead, and fails. */
export function untilUp(unit: string): string {
  return `since=$(systemctl show --property ActiveEnterTimestamp --value ${unit})
    for i in $(seq ${START_TIMEOUT_SECONDS * 5}); do
      journalctl --unit ${unit} --since "$since" --no-pager --output cat | grep -q 'Sluice is up' && exit 0
      sleep 0.2
    done
    journalctl --unit ${unit} --lines 8 --no-pager --output cat; exit 1`;
}

function unitText({ upRoles }: HostPlan): string {
  return `# Written by Sluice; changes made by hand are lost.
[Unit]
Description=Sluice
Wants=network-online.target
After=network-online.target docker.service

[Service]
Environment=SLUICE_HOME=${HOME}
ExecStart=${NODE} --max-semi-space-size=2 ${CURRENT}/bin/sluice up --roles ${upRoles.join(",")}
Restart=always
RestartSec=2
KillMode=process
TimeoutStopSec=70
LimitNOFILE=131072

[Install]
WantedBy=multi-user.target
`;
}

function markOf({ release, settings, files, upRoles }: HostPlan): string {
  const parts = JSON.stringify([release.id, settings, files, upRoles]);
  return createHash("sha256").update(parts).digest("hex");
}
