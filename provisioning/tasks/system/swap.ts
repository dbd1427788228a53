import { DEADLINE_MS, type Task } from "../task.js";

const FILE = "/swapfile";
const MEGABYTES = 1024;
/** Left free on the disk beside it. */
const ROOM_MEGABYTES = 4096;

/** Room for what is rarely used, where a machine has none. Not inside a container, which cannot have its own. */
export const swap: Task = {
  name: "swap",
  deadlineMs: DEADLINE_MS.quick,
  check: async (host) => {
    const script = `systemd-detect-virt --quiet --container && exit 0
      [ "$(grep -c . /proc/swaps)" -gt 1 ] && exit 0
      [ "$(df --output=avail -BM / | tail -n 1 | tr -dc 0-9)" -gt ${MEGABYTES + ROOM_MEGABYTES} ] || exit 0
      echo none`;
    return (await host.output(script)) === "none" ? ["there is none"] : [];
  },
  apply: async (host) => {
    await host.output(
      `swapoff ${FILE} 2>/dev/null; rm -f ${FILE}; set -e
      { fallocate -l ${MEGABYTES}M ${FILE} || dd if=/dev/zero of=${FILE} bs=1M count=${MEGABYTES}; } 2>/dev/null
      chmod 600 ${FILE}; mkswap ${FILE} >/dev/null; swapon ${FILE}
      grep -q '^${FILE} ' /etc/fstab || echo '${FILE} none swap sw 0 0' >>/etc/fstab`,
    );
  },
};
