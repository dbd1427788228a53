import { entry, printable } from "../catalogue-entry.js";

/** Hosts that Sluice makes, configures and removes. */
export const fleetErrors = {
  "fleet-needs-swarm": entry<{ file: string }>(
    409,
    () => "This Sluice runs instances on its own machine alone: other hosts need the engine swarm.",
    ({ file }) =>
      `Set \`engine: swarm\` and \`fleet: {address: …}\` in ${file} and restart Sluice. \`sluice provision\` does both on Sluice's own machine. docs/swarm.md says what changes.`,
  ),
  "fleet-host-exists": entry<{ host: string }>(
    409,
    ({ host }) => `There is a host ${printable(host)} already.`,
    ({ host }) =>
      `Choose another name with --name, or remove the host first: sluice hosts remove ${printable(host)}.`,
  ),
  "fleet-machine-known": entry<{ address: string; host: string; id: string }>(
    409,
    ({ address, host, id }) =>
      `The machine at ${printable(address)} is the host ${printable(host)} already: both have the machine id ${printable(id)}.`,
    () =>
      "If it is a copy of that host, give it an id of its own and reboot it: rm /etc/machine-id && systemd-machine-id-setup.",
  ),
  "fleet-host-unknown": entry<{ host: string; known: readonly string[] }>(
    404,
    ({ host }) => `Sluice configures no host "${printable(host)}".`,
    ({ known }) =>
      known.length === 0
        ? "It configures none yet; docs/hosts.md shows how one is added."
        : `It configures: ${known.join(", ")}.`,
  ),
  "fleet-host-busy": entry<{ host: string; phase: string }>(
    409,
    ({ host, phase }) => `${printable(host)} is ${phase}.`,
    () => "Wait until that is done; `sluice hosts` shows how far it is.",
    true,
  ),
  "fleet-host-last": entry<{ host: string; role: string }>(
    409,
    ({ host, role }) => `${printable(host)} is the last host for ${role}.`,
    ({ host }) =>
      `Its apps would have nowhere to run. Add another one first, or insist: sluice hosts remove ${printable(host)} --force.`,
  ),
  "fleet-name-invalid": entry<{ name: string }>(
    400,
    ({ name }) => `"${printable(name)}" cannot be the name of a host.`,
    () => "Use lower-case letters, digits and single hyphens, a letter first, at most 40 characters.",
  ),
  "fleet-region-missing": entry<{ role: string; file: string }>(
    409,
    ({ role }) => `Nothing says in which region a droplet for ${role} is to be.`,
    ({ role, file }) =>
      `Set fleet.${role}.region in ${file}, for example to fra1, and restart Sluice. To configure a machine that you have, name its address: sluice provision ${role} ADDRESS.`,
  ),
  "fleet-image-set": entry<{ role: string; image: string; file: string }>(
    409,
    ({ role, image }) =>
      `Droplets for ${role} are made of ${printable(image)}: a snapshot would not be used.`,
    ({ role, file }) => `Remove fleet.${role}.image from ${file} and restart Sluice, or leave it as it is.`,
  ),
  "snapshot-not-taken": entry<{ snapshot: string }>(
    500,
    ({ snapshot }) => `The snapshot ${printable(snapshot)} was not taken.`,
    () => "The lines above say what went wrong. Run the same command again after that.",
  ),
  "fleet-size-unknown": entry<{ role: string; size: string; region: string; known: readonly string[] }>(
    409,
    ({ size, region }) => `DigitalOcean offers no ${printable(size)} in ${printable(region)}.`,
    ({ role, known }) =>
      `Set fleet.${role}.size to another one${known.length === 0 ? ", or another region" : `: ${known.slice(0, 20).join(", ")}`}.`,
  ),
  "fleet-over-budget": entry<{ wouldBe: number; limit: number }>(
    409,
    ({ wouldBe, limit }) =>
      `With one droplet more, all of them would cost ${wouldBe} US dollars a month; fleet.monthlyLimit is ${limit}.`,
    () => "Raise fleet.monthlyLimit, or remove a host.",
  ),
  "digitalocean-token-missing": entry(
    409,
    () => "Sluice has no token for DigitalOcean's API.",
    () =>
      "Set SLUICE_DIGITALOCEAN_TOKEN in the environment of `sluice up`, or fleet.digitalocean.token in sluice.yml, and restart Sluice. docs/hosts.md lists the scopes that it needs.",
  ),
  "droplet-not-active": entry<{ host: string; minutes: number }>(
    504,
    ({ host, minutes }) => `The droplet of ${printable(host)} was not active after ${minutes} min.`,
    () => "Look at DigitalOcean's status page, and provision another one.",
  ),
  "droplet-unreachable": entry<{ host: string; address: string; seconds: number }>(
    504,
    ({ host, address, seconds }) =>
      `${printable(host)} does not answer over SSH: its droplet is active, and could not be reached at ${printable(address)} for ${seconds} s.`,
    () =>
      "Look at DigitalOcean's status page, and whether this machine reaches other hosts at port 22, then run the same command again. --keep-failed keeps such a droplet for a look by DigitalOcean's console.",
  ),
  "droplet-gone": entry<{ host: string }>(
    409,
    ({ host }) =>
      `The droplet of ${printable(host)} does not exist any more: somebody else has destroyed it.`,
    ({ host }) => `Remove what is left of it: sluice hosts remove ${printable(host)} --force.`,
  ),
  "provision-failed": entry<{ host: string }>(
    500,
    ({ host }) => `${printable(host)} is not as it should be.`,
    () =>
      "The lines above say what went wrong. Run the same command again after that: it goes on from there.",
  ),
  "identity-unreadable": entry<{ file: string; reason: string }>(
    400,
    ({ file, reason }) => `The SSH key ${printable(file)} cannot be read: ${reason}`,
    () =>
      "Name a private key without a passphrase with --identity, or, for a server, add it to your SSH agent (ssh-add).",
  ),
  "engine-not-changed": entry(
    409,
    () => "The engine stays runit, and no host is added.",
    () => "Answer yes, or use --yes. docs/swarm.md says what changes.",
  ),
  "fleet-address-missing": entry<{ addresses: readonly string[]; file: string }>(
    409,
    () => "Nothing says at which private address the other hosts reach this machine.",
    ({ addresses, file }) =>
      `Set fleet.address in ${file}. ${addresses.length === 0 ? "This machine has no private address: connect the hosts by a private network or a VPN first." : `This machine has: ${addresses.join(", ")}.`}`,
  ),
  "server-not-restartable": entry<{ file: string }>(
    409,
    () =>
      "Other hosts need the engine swarm, and Sluice runs in a terminal, from where it must be restarted.",
    ({ file }) =>
      `Set \`engine: swarm\` and \`fleet: {address: …}\` in ${file}. Then stop Sluice there with Ctrl-C, start it again with \`sluice up\`, and run this command again. Traffic goes on meanwhile.`,
  ),
  "host-not-joined": entry<{ host: string; what: string; seconds: number }>(
    504,
    ({ host, what, seconds }) => `${printable(host)} is configured, but after ${seconds} s ${what}.`,
    ({ host }) =>
      `Look at what Sluice says there (journalctl -u sluice on ${printable(host)}), and whether a firewall keeps the hosts apart.`,
    true,
  ),
  "host-unreachable": entry<{ host: string; address: string; reason: string }>(
    504,
    ({ host, address, reason }) =>
      `${printable(host)} (${printable(address)}) cannot be reached over SSH: ${printable(reason)}`,
    () => "Check that it runs, that its address and port are right, and that no firewall is in between.",
    true,
  ),
  "host-login-refused": entry<{ address: string; user: string }>(
    403,
    ({ address, user }) => `${printable(address)} does not let ${printable(user)} in with the SSH key.`,
    ({ user }) =>
      `Add the line that \`sluice provision --public-key\` prints to ~${printable(user)}/.ssh/authorized_keys there, or name a key that it takes: --identity FILE.`,
  ),
  "host-key-changed": entry<{ host: string; known: readonly string[]; shown: string }>(
    409,
    ({ host, known, shown }) =>
      `${printable(host)} shows another SSH host key than before: ${shown}, not ${known.join(" or ")}. Nothing was sent to it.`,
    ({ host }) =>
      `Somebody may be in between. If you have installed that machine again, take it out (sluice hosts remove ${printable(host)} --force) and provision it as a new one.`,
  ),
  "sudo-needs-password": entry<{ host: string; user: string; output: string }>(
    403,
    ({ host, user, output }) =>
      `${printable(user)} cannot become root on ${printable(host)} without a password: ${printable(output)}`,
    ({ user }) =>
      `Log in as root (--user root), or allow it there: echo '${printable(user)} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/${printable(user)}`,
  ),
  "host-output-long": entry<{ host: string; megabytes: number }>(
    502,
    ({ host, megabytes }) => `A command on ${printable(host)} printed more than ${megabytes} MB.`,
    () => "That machine does not do what it is told. Look at it before you use it.",
  ),
  "host-command-failed": entry<{ host: string; status: number; output: string }>(
    502,
    ({ host, status, output }) => `A command on ${printable(host)} failed with status ${status}:\n${output}`,
    () => "Fix what it says on that machine, then run the same command again.",
  ),
  "host-task-failed": entry<{ host: string; task: string; left: readonly string[] }>(
    502,
    ({ host, task, left }) =>
      `${printable(host)}: ${task} was set, but is not as it should be afterwards: ${left.join("; ")}`,
    () => "Something on that machine sets it back. Find out what, and run the same command again.",
  ),
  "host-task-slow": entry<{ host: string; task: string; seconds: number }>(
    504,
    ({ host, task, seconds }) => `${printable(host)}: ${task} was not set within ${seconds} s.`,
    () => "See what that machine is busy with, and run the same command again.",
    true,
  ),
  "host-unfit": entry<{ host: string; problem: string; fix: string }>(
    409,
    ({ host, problem }) => `${printable(host)} cannot be used: ${problem}.`,
    ({ fix }) => fix,
  ),
} as const;
