import { MACHINE_ADDRESS } from "../../../server/engines/runit/network/network-plan.js";

/** An address that an app was given for what this machine offers, as it reads outside the app's network. */
export function fromHere(url: string | undefined): string {
  return (url ?? "").replace(MACHINE_ADDRESS, "127.0.0.1");
}
