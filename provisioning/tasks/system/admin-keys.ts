import { quote } from "../../../core/exec/quote.js";
import { isSameKey } from "../../ssh/host-key.js";
import type { RemoteHost } from "../../ssh/remote-host.js";
import type { HostPlan } from "../host-plan.js";
import { DEADLINE_MS, type Task } from "../task.js";

/** Of who has logged in, also behind sudo(8). */
const FILE = '"$(getent passwd "${SUDO_USER:-root}" | cut -d: -f6)/.ssh/authorized_keys"';

/** The SSH keys by which Sluice logs in. Keys of others stay. */
export const adminKeys: Task = {
  name: "SSH keys",
  deadlineMs: DEADLINE_MS.quick,
  check: async (host, plan) => {
    const missing = await missingOf(host, plan);
    return missing.length === 0 ? [] : [`${missing.length} of Sluice's keys cannot log in`];
  },
  apply: async (host, plan) => {
    const lines = (await missingOf(host, plan)).map((key) => `${key}\n`).join("");
    const own = 'chown "${SUDO_USER:-root}:"';
    await host.output(
      `file=${FILE}; folder=\${file%/*}; mkdir -p "$folder" && chmod 700 "$folder" && ${own} "$folder" &&
       { [ ! -s "$file" ] || [ -z "$(tail -c 1 "$file")" ] || echo >>"$file"; } &&
       printf %s ${quote(lines)} >>"$file" && chmod 600 "$file" && ${own} "$file"`,
    );
  },
};

async function missingOf(host: RemoteHost, { adminKeys: wanted }: HostPlan): Promise<string[]> {
  const text = await host.output(`cat ${FILE} 2>/dev/null || true`);
  const known = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return wanted.filter((key) => !known.some((line) => isSameKey(line, key)));
}
