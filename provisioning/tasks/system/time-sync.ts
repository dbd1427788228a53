import { DEADLINE_MS, type Task } from "../task.js";

/** Whoever keeps the time already goes on with it. */
const KEEPERS = ["systemd-timesyncd", "chrony", "chronyd", "ntp", "ntpsec", "openntpd"];
const IS_KEPT = `systemctl is-active --quiet ${KEEPERS.join(" ")}`;

/** The right time, without which certificates and logs are wrong. A container has its machine's. */
export const timeSync: Task = {
  name: "time",
  deadlineMs: DEADLINE_MS.quick,
  check: async (host) => {
    const script = `systemd-detect-virt --quiet --container || ${IS_KEPT} || echo none`;
    return (await host.output(script)) === "none" ? ["nothing keeps it"] : [];
  },
  apply: async (host) => {
    await host.output(
      "systemctl unmask --quiet systemd-timesyncd; systemctl enable --quiet --now systemd-timesyncd",
    );
  },
};
