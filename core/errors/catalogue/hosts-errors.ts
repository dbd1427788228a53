import { entry, printable } from "../catalogue-entry.js";

/** Hosts, proxies and alerts. */
export const hostsErrors = {
  "host-unknown": entry<{ host: string; known: readonly string[] }>(
    404,
    ({ host }) => `There is no host "${printable(host)}".`,
    ({ known }) =>
      known.length === 0
        ? "No monitor has reported yet; `sluice up` starts one."
        : `Known hosts: ${known.join(", ")}.`,
  ),
  "host-alive": entry<{ host: string; seconds: number }>(
    409,
    ({ host, seconds }) => `${printable(host)} is still running: its monitor reported ${seconds} s ago.`,
    () => "Run `sluice down` on that host first, then forget it.",
  ),
  "host-in-use": entry<{ host: string; manages: boolean; instances: number }>(
    409,
    ({ host, manages, instances }) =>
      manages
        ? `${printable(host)} manages the Swarm.`
        : `${printable(host)} still runs ${instances === 1 ? "an instance" : `${instances} instances`}.`,
    ({ host, manages }) =>
      manages
        ? "Only other hosts can be removed."
        : `Run \`sluice hosts drain ${printable(host)}\` first; it ends when nothing runs there.`,
  ),
  "host-no-room": entry<{ host: string; role: string }>(
    409,
    ({ host, role }) => `${printable(host)} drains, and no other host takes instances for ${role} now.`,
    ({ role }) =>
      `What runs there stays until one does. Add a host (sluice provision ${role}) or end the drain of another one (sluice hosts undrain HOST).`,
    true,
  ),
  "host-drain-stuck": entry<{ host: string; problems: readonly string[] }>(
    409,
    ({ host, problems }) =>
      `${printable(host)} cannot be drained now. It still runs:\n${problems.map(printable).join("\n")}`,
    ({ host }) =>
      `These instances keep serving and are tried again. Watch with \`sluice hosts\`, or end the drain: sluice hosts undrain ${printable(host)}.`,
    true,
  ),
  "proxy-unknown": entry<{ proxy: string; known: readonly string[] }>(
    404,
    ({ proxy }) => `There is no proxy "${printable(proxy)}".`,
    ({ known }) =>
      known.length === 0 ? "No proxy has ever reported." : `Known proxies: ${known.join(", ")}.`,
  ),
  "proxy-alive": entry<{ proxy: string }>(
    409,
    ({ proxy }) => `The proxy ${printable(proxy)} is still running: it has just reported.`,
    () =>
      "Run `sluice down` on its host first; this stops its traffic. If you have just stopped it, try again in 10 seconds.",
    true,
  ),
  "alert-unknown": entry<{ id: string; known: readonly string[] }>(
    404,
    ({ id }) => `There is no active alert "${printable(id)}".`,
    ({ known }) => (known.length === 0 ? "No alert is active." : `Active alerts: ${known.join(", ")}.`),
  ),
  "senders-none": entry<{ file: string }>(
    409,
    ({ file }) =>
      `Nobody is notified of alerts: ${file} sets none of monitor.email, monitor.webhook and monitor.slack.`,
    () => "docs/alert-recipients.md shows how to set them. Then run the command again.",
  ),
  "alert-test-failed": entry<{ problems: readonly string[] }>(
    502,
    ({ problems }) => `The test alert did not reach every recipient:\n${problems.join("\n")}`,
    () =>
      "Fix this in `monitor` of sluice.yml and run the command again. Sluice would retry a real alert for a day.",
    true,
  ),
} as const;
