import { AppError } from "../../../core/errors/app-error.js";
import type { FleetHost } from "../../../core/records/fleet/fleet-host.js";
import { newSshKeyPair, type SshKeyPair } from "../../../core/ssh-key-pair.js";
import type { Droplet, Droplets } from "../droplets/droplets.js";
import type { FleetNeeds } from "../fleet-needs.js";
import { openHostKey, sealHostKey } from "../seals.js";
import { saveHost, type FleetStep } from "./fleet-step.js";

const PATIENCE_MS = 600_000;
const POLL_MS = 2000;

/**
 * Orders the droplet and waits until it has addresses. Its key pair is saved before, so that every try orders the same one,
 * and its mark finds what an earlier try has ordered.
 */
export const createDroplet: FleetStep = {
  name: "ordering a droplet",
  patienceMs: PATIENCE_MS,
  run: async (host, needs, signal) => {
    const { droplets, clock, log } = needs;
    if (host.droplet === undefined) throw new Error(`${host.name} is no droplet`);
    if (droplets === undefined) throw new AppError("digitalocean-token-missing", {});
    const { saved, pair } = await withHostKey(host, needs);
    const { mark } = saved.droplet;
    let droplet: Droplet | undefined = await order(saved, pair, droplets, needs, signal);
    const known = await saveHost(needs, saved, { droplet: { ...saved.droplet, id: droplet.id } });
    while (droplet !== undefined && !isReachable(droplet)) {
      if (clock.now() - Date.parse(host.since) > PATIENCE_MS)
        throw new AppError("droplet-not-active", { host: host.name, minutes: PATIENCE_MS / 60_000 });
      await clock.sleep(POLL_MS, signal);
      droplet = await droplets.find(mark, signal);
    }
    if (droplet === undefined) throw new AppError("droplet-gone", { host: host.name });
    const { publicAddress, privateAddress } = droplet;
    await log.add(host.name, { kind: "task", text: `it is at ${String(publicAddress)}` });
    return { ...known, phase: "configuring", address: publicAddress, privateAddress };
  },
};

type OrderedHost = FleetHost & { readonly droplet: NonNullable<FleetHost["droplet"]> };

async function withHostKey(
  host: FleetHost,
  { hosts, box }: Pick<FleetNeeds, "hosts" | "box">,
): Promise<{ readonly saved: OrderedHost; readonly pair: SshKeyPair }> {
  if (host.droplet === undefined) throw new Error(`${host.name} is no droplet`);
  const { droplet } = host;
  if (droplet.sealedHostKey !== undefined && host.hostKey !== undefined)
    return {
      saved: { ...host, droplet },
      pair: { privateKey: openHostKey(droplet.sealedHostKey, host.name, box), publicKey: host.hostKey },
    };
  const pair = newSshKeyPair(host.name);
  const changed = { ...droplet, sealedHostKey: sealHostKey(pair.privateKey, host.name, box) };
  const saved = await saveHost({ hosts }, host, { hostKey: pair.publicKey, droplet: changed });
  return { saved: { ...saved, droplet: changed }, pair };
}

async function order(
  { name, roles, snapshot, droplet }: OrderedHost,
  hostKey: SshKeyPair,
  droplets: Droplets,
  { settings, log }: Pick<FleetNeeds, "settings" | "log">,
  signal: AbortSignal,
): Promise<Droplet> {
  const role = snapshot?.role ?? roles[0] ?? "production";
  const { mark, size, region, image, monthlyUsd } = droplet;
  const found = droplet.id === undefined ? undefined : await droplets.find(mark, signal);
  if (found !== undefined) return found;
  if (droplet.id !== undefined) throw new AppError("droplet-gone", { host: name });
  const what = `Ordering ${name} from DigitalOcean: ${size} in ${region}, ${String(image)}, ${monthlyUsd} US dollars a month`;
  await log.add(name, { kind: "heading", text: what });
  const group = { ...settings[role], size, region, image: String(image) };
  return droplets.order({ name, mark, role, group, hostKey }, signal);
}

function isReachable({ isActive, publicAddress, privateAddress }: Droplet): boolean {
  return isActive && publicAddress !== undefined && privateAddress !== undefined;
}
