import { DEADLINE_MS, type Task } from "../task.js";

/** Read before the files of clouds, which begin with 50: of two lines the first one counts (sshd_config(5)). */
const FILE = "/etc/ssh/sshd_config.d/10-sluice.conf";
const TEXT = `# Written by Sluice; changes made by hand are lost.
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
`;
/** As `sshd -T` shows them. */
const EFFECTIVE = new Map([
  ["passwordauthentication", ["no"]],
  ["kbdinteractiveauthentication", ["no"]],
  ["permitrootlogin", ["without-password", "prohibit-password"]],
]);

/** Only keys log in over SSH. Whoever is logged in stays so. */
export const sshServer: Task = {
  name: "SSH server",
  deadlineMs: DEADLINE_MS.quick,
  check: async (host) => {
    const differs = (await host.read(FILE)) === TEXT ? [] : [`${FILE} differs`];
    const effective = await host.output("PATH=$PATH:/usr/sbin:/sbin; mkdir -p /run/sshd; sshd -T");
    const lines = effective.split("\n").map((line) => line.split(" "));
    const wrong = [...EFFECTIVE].flatMap(([key, allowed]) => {
      const [, value = "?"] = lines.find(([name]) => name === key) ?? [];
      return allowed.includes(value) ? [] : [`${key} is ${value}`];
    });
    return [...differs, ...wrong];
  },
  apply: async (host) => {
    await host.write(FILE, TEXT);
    await host.output("PATH=$PATH:/usr/sbin:/sbin; mkdir -p /run/sshd; sshd -t && systemctl reload ssh");
  },
};
