import type { FleetStep } from "./fleet-step.js";

const PATIENCE_MS = 900_000;

/** Configures a droplet from whose disk later ones are made. */
export const prepareSnapshot: FleetStep = {
  name: "configuring",
  patienceMs: PATIENCE_MS,
  run: async (host, { log, setup }, signal) => {
    const { name, user, address, snapshot } = host;
    if (snapshot === undefined) throw new Error(`${name} is for no snapshot`);
    await log.add(name, { kind: "heading", text: `Configuring ${name} (${user}@${String(address)})` });
    const { version } = await setup.prepareSnapshot(host, snapshot.role, signal);
    return { ...host, version, phase: "saving", failure: undefined };
  },
};
