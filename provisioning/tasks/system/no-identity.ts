import { quote } from "../../../core/exec/quote.js";
import { DEADLINE_MS, type Task } from "../task.js";

/** What makes a machine one of its own, or was given to it alone. All of it is made again at the next start. */
const OWN_FILES = [
  "/etc/ssh/ssh_host_*",
  "/var/lib/dbus/machine-id",
  "/etc/docker/key.json",
  ...["swarm", "engine-id", "network"].map((name) => `/var/lib/docker/${name}`),
  // cloud-init's data of this droplet: its host key is in it.
  "/var/lib/cloud/*",
  "/var/log/cloud-init*",
  "/var/log/journal/*",
  "/root/.bash_history",
  "/home/*/.ssh",
].join(" ");
const KEYS = "/root/.ssh/authorized_keys";
const MACHINE_ID = "/etc/machine-id";

/**
 * A machine whose disk can be copied for others. It must be shut down then: nobody can log in any more, because it has no SSH
 * host key.
 */
export const noIdentity: Task = {
  name: "identity",
  deadlineMs: DEADLINE_MS.slow,
  check: async (host, { adminKeys }) => {
    const left = await host.output(
      `ls -d ${OWN_FILES} 2>/dev/null; [ ! -s ${MACHINE_ID} ] || echo ${MACHINE_ID}`,
    );
    const others = (await host.read(KEYS)) === textOf(adminKeys) ? [] : [`${KEYS} has other keys`];
    return [...(left === "" ? [] : [`still there: ${left.split("\n").join(" ")}`]), ...others];
  },
  apply: async (host, { adminKeys }) => {
    await host.output(
      // What cloud-init still does would bring it back.
      `! command -v cloud-init >/dev/null || cloud-init status --wait >/dev/null 2>&1
       systemctl stop docker.socket docker containerd 2>/dev/null
       journalctl --rotate --vacuum-time=1s >/dev/null 2>&1
       apt-get clean
       mkdir -p -m 700 /root/.ssh && printf %s ${quote(textOf(adminKeys))} >${KEYS} && chmod 600 ${KEYS}
       rm -rf ${OWN_FILES}
       : >${MACHINE_ID} && sync`,
      { timeoutMs: DEADLINE_MS.slow },
    );
  },
};

function textOf(keys: readonly string[]): string {
  return keys.map((key) => `${key}\n`).join("");
}
