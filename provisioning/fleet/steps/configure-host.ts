import { AppError } from "../../../core/errors/app-error.js";
import type { FleetHost } from "../../../core/records/fleet/fleet-host.js";
import { newSshKeyPair } from "../../../core/ssh-key-pair.js";
import type { FleetNeeds } from "../fleet-needs.js";
import { openHostKey, sealHostKey } from "../seals.js";
import { labelServer } from "../label-server.js";
import { addressesOf, peersOf } from "../peers.js";
import { saveHost, type FleetStep } from "./fleet-step.js";

const PATIENCE_MS = 900_000;
const JOIN_TIMEOUT_MS = 60_000;
const POLL_MS = 250;

/** Configures the host over SSH, lets it join, and waits until it is seen by all who count on it. */
export const configureHost: FleetStep = {
  name: "configuring",
  patienceMs: PATIENCE_MS,
  run: async (host, needs, signal) => {
    const { log, clock, setup, hosts } = needs;
    await log.add(host.name, {
      kind: "heading",
      text: `Configuring ${host.name} (${host.user}@${String(host.address)})`,
    });
    const peers = peersOf(host, await hosts.list(), needs.settings);
    const beganAt = clock.now();
    const learnt = await setup.configure(host, { mode: "apply", peers, signal });
    await refuseClaim({ ...host, ...learnt }, needs);
    const configured = await saveHost(needs, host, {
      ...learnt,
      ...{ peers: [...peers.hosts], proxies: [...peers.proxies], replicas: addressesOf(peers) },
      sealedIdentity: undefined,
    });
    const pinned = await replaceFirstHostKey(configured, needs, signal);
    await log.add(host.name, { kind: "heading", text: `Waiting until ${host.name} has joined` });
    await waitUntilJoined(pinned, needs, beganAt, signal);
    const seconds = (clock.now() - beganAt) / 1000;
    await log.add(host.name, { kind: "task", text: `${host.name} is ready after ${seconds.toFixed(1)} s` });
    const readyAfterSeconds = host.readyAfterSeconds ?? (clock.now() - Date.parse(host.createdAt)) / 1000;
    return { ...pinned, phase: "ready", failure: undefined, readyAfterSeconds };
  },
};

/** The first one of a droplet stays readable on it, by way of its user data. Both are known until the second is in place. */
async function replaceFirstHostKey(
  host: FleetHost,
  needs: FleetNeeds,
  signal: AbortSignal,
): Promise<FleetHost> {
  const { droplet, name } = host;
  if (droplet?.sealedHostKey === undefined) return host;
  const pair =
    host.nextHostKey !== undefined && droplet.sealedNextHostKey !== undefined
      ? {
          privateKey: openHostKey(droplet.sealedNextHostKey, name, needs.box),
          publicKey: host.nextHostKey,
        }
      : newSshKeyPair(name);
  const sealedNextHostKey = sealHostKey(pair.privateKey, name, needs.box);
  const ready = await saveHost(needs, host, {
    nextHostKey: pair.publicKey,
    droplet: { ...droplet, sealedNextHostKey },
  });
  await needs.setup.rotateHostKey(ready, pair, signal);
  const replaced = { ...droplet, sealedHostKey: undefined, sealedNextHostKey: undefined };
  return saveHost(needs, ready, {
    hostKey: pair.publicKey,
    nextHostKey: undefined,
    droplet: replaced,
  });
}

async function waitUntilJoined(
  host: FleetHost,
  needs: FleetNeeds,
  since: number,
  signal: AbortSignal,
): Promise<void> {
  const { engine, reports, access, clock } = needs;
  const { name, roles, node, privateAddress } = host;
  const isReplica = async (): Promise<boolean> =>
    !roles.includes("redis") || (privateAddress !== undefined && access.isReplicaInSync(privateAddress));
  if (node !== undefined) {
    // First, so that at no time only a host that has not joined is for a role.
    await labelServer(needs);
    await engine.labelRoles(node, roles);
  }
  const deadline = clock.now() + JOIN_TIMEOUT_MS;
  for (;;) {
    const isNode =
      node === undefined ||
      (await engine.list()).some(
        ({ id, state, address }) => id === node && state === "ready" && address === privateAddress,
      );
    const isInSync = await isReplica();
    if (isNode && isInSync && (await reports.hasJoined(name, roles, since))) return;
    if (clock.now() > deadline)
      throw new AppError("host-not-joined", {
        host: name,
        what: whatIsMissing({ isNode, isInSync }),
        seconds: JOIN_TIMEOUT_MS / 1000,
      });
    await clock.sleep(POLL_MS, signal);
  }
}

function whatIsMissing({ isNode, isInSync }: { isNode: boolean; isInSync: boolean }): string {
  if (!isNode) return "the Swarm does not see it";
  return isInSync
    ? "its monitor or its proxy has not reported"
    : "its Redis has not got all that the server's has";
}

/** A host says by itself which member of the Swarm it is. What is done to that member must not be done to another host. */
async function refuseClaim({ name, node, privateAddress }: FleetHost, { engine }: FleetNeeds): Promise<void> {
  const other = (await engine.list()).find(({ id, address }) => id === node && address !== privateAddress);
  if (other === undefined) return;
  throw new AppError("host-unfit", {
    host: name,
    problem: `it says that it is the member of the Swarm that joined from ${other.address}`,
    fix: "Look at that machine before you use it: docker info shows which member it is.",
  });
}
