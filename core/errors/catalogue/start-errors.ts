import { entry, printable } from "../catalogue-entry.js";

/** Starting Sluice, and this machine. */
export const startErrors = {
  "settings-invalid": entry<{ file: string; problems: readonly string[] }>(
    400,
    ({ file, problems }) => `${file} cannot be used:\n${problems.map((line) => `  - ${line}`).join("\n")}`,
    () => "Fix the lines above; docs/sluice-yml.md lists every setting with its default.",
  ),
  "control-insecure": entry<{ setting: string; address: string }>(
    400,
    ({ setting, address }) =>
      `${setting} is ${address}, which other machines can reach. Without TLS, tokens would cross the network unencrypted.`,
    () =>
      "Give it a name, by which it gets TLS: `control: {domain: sluice.example.com}` in sluice.yml (docs/https.md). Or keep it at 127.0.0.1 and use an SSH tunnel: ssh -L 8081:127.0.0.1:8081 HOST. On a network that you trust, set `insecureControl: true`.",
  ),
  "token-weak": entry<{ where: string; least: number; different: number }>(
    400,
    ({ where, least, different }) =>
      `The admin token in ${where} is too easy to guess. It needs at least ${least} characters, ${different} of them different.`,
    ({ where }) => `Put a random one there: openssl rand -hex 32. Or remove ${where}: Sluice makes one.`,
  ),
  "home-unwritable": entry<{ home: string; reason: string }>(
    500,
    ({ home, reason }) => `The state folder ${home} is not writable (${reason}).`,
    ({ home }) =>
      `Run \`sudo chown "$USER" ${home}\`, or choose another folder: SLUICE_HOME=~/sluice sluice up.`,
  ),
  "home-unreachable": entry<{ home: string; folder: string }>(
    500,
    ({ home, folder }) => `Apps run as separate users, who cannot enter ${folder} to reach ${home}.`,
    ({ folder }) =>
      `Run \`chmod o+x ${folder}\`, or choose another folder: SLUICE_HOME=/var/lib/sluice sluice up.`,
  ),
  "sandbox-unavailable": entry<{ isRoot: boolean; reason: string }>(
    500,
    ({ reason }) => `This machine does not let Sluice run apps in a sandbox: ${reason}`,
    ({ isRoot }) =>
      isRoot
        ? "In a container, start that with the right to mount (CAP_SYS_ADMIN); on a machine, look for a security module that forbids namespaces."
        : "Run Sluice as root, or allow user namespaces: sudo sysctl -w kernel.unprivileged_userns_clone=1 (Ubuntu 24.04: kernel.apparmor_restrict_unprivileged_userns=0).",
  ),
  "networks-unavailable": entry<{ reason: string }>(
    500,
    ({ reason }) => `Apps cannot get networks of their own on this machine: ${reason}`,
    () =>
      "Load the kernel's modules veth and nf_tables. Or let apps share the machine's network, where they can take each other's ports: `instances: {network: host}` in sluice.yml.",
  ),
  "home-path-too-long": entry<{ home: string; limit: number }>(
    500,
    ({ home, limit }) =>
      `The path of the state folder is longer than ${limit} characters, too long for Unix sockets: ${home}`,
    () => "Choose a shorter one: SLUICE_HOME=/var/lib/sluice sluice up.",
  ),
  "already-running": entry<{ home: string; pid: number }>(
    409,
    ({ home, pid }) => `Sluice is already running with the state folder ${home} (process ${pid}).`,
    ({ home }) =>
      `Stop it first (SLUICE_HOME=${home} sluice down), or give this one its own folder and ports.`,
  ),
  "not-running": entry<{ home: string }>(
    503,
    ({ home }) => `No Sluice server answers for the state folder ${home}.`,
    () => "Start it: sluice up --detach. If it runs with another folder, set SLUICE_HOME to it.",
    true,
  ),
  "redis-unprotected": entry<{ address: string }>(
    500,
    ({ address }) =>
      `The Redis at ${address} needs no password: whoever reaches it, an app too, is an admin of Sluice.`,
    () =>
      "Set a password (requirepass, or an ACL user with the default user off) and put it in redis.url. On a machine where you trust everybody: redis: {allowNoPassword: true} in sluice.yml.",
  ),
  "port-taken": entry<{ port: number; what: string; setting: string; another: number }>(
    409,
    ({ port, what, setting }) => `Port ${port} (${what}, ${setting}) is in use by another program.`,
    ({ port, setting, another }) =>
      `Find that program: ss -ltnp 'sport = :${port}'. Stop it, or choose another port: ${setting}=${another} sluice up.`,
  ),
  "port-forbidden": entry<{
    port: number;
    what: string;
    setting: string;
    another: number;
    file: string | undefined;
  }>(
    403,
    ({ port, what, setting }) =>
      `Only root may listen at ports below 1024, such as ${port} (${what}, ${setting}), and Sluice does not run as root.`,
    ({ port, setting, another, file }) =>
      `Allow it once: ${file === undefined ? "run Sluice as root" : `sudo setcap cap_net_bind_service=+ep ${file}`}. Or lead the port on, sudo iptables -t nat -A PREROUTING -p tcp --dport ${port} -j REDIRECT --to-ports ${another}, and start with ${setting}=${another} sluice up.`,
  ),
  "port-unusable": entry<{ port: number; what: string; bind: string; reason: string }>(
    500,
    ({ port, what, bind, reason }) => `Nobody can listen at ${bind}, port ${port} (${what}): ${reason}.`,
    () => "Choose an address of this machine: SLUICE_BIND, SLUICE_CONTROL_BIND.",
  ),
  "program-missing": entry<{ programs: readonly string[]; packages: readonly string[] }>(
    500,
    ({ programs }) => `Not installed on this machine: ${programs.join(", ")}.`,
    ({ packages }) => `Run: sudo apt-get install -y ${packages.join(" ")}`,
  ),
  "packages-not-installed": entry<{ packages: readonly string[]; output: string }>(
    500,
    ({ output }) => `apt-get has failed:\n${printable(output)}`,
    ({ packages }) =>
      `Fix that and run the command again. By hand: sudo apt-get install -y ${packages.join(" ")}`,
  ),
  "program-closed": entry<{ file: string; folder: string }>(
    500,
    ({ file, folder }) => `The apps' users cannot run ${file}: they cannot enter ${folder}.`,
    ({ folder }) =>
      `Install it where every user can run it (for example, Node.js in /usr/local), or run: chmod o+x ${folder}`,
  ),
  "host-key-invalid": entry<{ file: string; reason: string }>(
    500,
    ({ file, reason }) => `The SSH host key ${file} cannot be read (${reason}).`,
    ({ file }) =>
      `Restore it from a backup. Or run \`rm ${file}\` and start again: Sluice creates a new one, and SSH warns everyone who pushes that the host key has changed.`,
  ),
  "service-failed": entry<{ service: string; log: string }>(
    500,
    ({ service, log }) => `${service} did not start. Its last lines:\n${log}`,
    ({ service }) =>
      `Fix the problem that ${service} reports above and run the command again; \`sluice doctor\` checks everything.`,
  ),
  "start-failed": entry<{ output: string }>(
    500,
    ({ output }) => `Sluice did not start:\n${output}`,
    () => "Fix the problem and run the command again. `sluice up` without --detach prints more.",
  ),
  "machine-unfit": entry<{ count: number }>(
    500,
    ({ count }) => `${count} of the checks above failed.`,
    () => "Each failed check shows how to fix it.",
  ),
  "redis-authority-unreadable": entry<{ file: string; reason: string }>(
    500,
    ({ file, reason }) => `redis.caFile ${printable(file)} cannot be read: ${reason}`,
    () => "Name the certificate (PEM) of the authority that signed your Redis' certificate.",
  ),
} as const;
