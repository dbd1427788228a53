import { quote } from "../../../core/exec/quote.js";
import { DEADLINE_MS, type Task } from "../task.js";

/** The machine's own name, by which its monitor and its Docker are known. */
export const hostName: Task = {
  name: "host name",
  deadlineMs: DEADLINE_MS.quick,
  check: async (host, { name }) => {
    const now = (await host.output("cat /etc/hostname; hostname")).split("\n");
    return now.every((one) => one.trim() === name) ? [] : [`it is ${String(now[0])}, not ${name}`];
  },
  apply: async (host, { name }) => {
    const known = `127.0.1.1 ${name}`;
    await host.output(
      `echo ${quote(name)} >/etc/hostname && hostname ${quote(name)} &&
       { grep -qxF ${quote(known)} /etc/hosts || echo ${quote(known)} >>/etc/hosts; }`,
    );
  },
};
