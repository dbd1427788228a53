import { AppError } from "../../../core/errors/app-error.js";
import { parseOpenStreams } from "./answers.js";
import { argument, type Runtime } from "./runtime.js";
import { isPlace, NOWHERE, type SlotServer } from "../config/state.js";

/** Changes servers at run time: in a slot's places, or by adding and deleting them. */
export class Servers {
  constructor(
    private readonly runtime: Runtime,
    private readonly check: string,
  ) {}

  /** From now on it gets requests of its slot. */
  async add({ slot, server, address }: SlotServer): Promise<void> {
    const name = `${argument(slot)}/${argument(server)}`;
    if (isPlace(server)) {
      await this.runtime.setAddress(name, address);
      await this.runtime.expect("", [`set server ${name} state ready`]);
    } else {
      const add = `add server ${name} ${argument(address)} ${this.check}; enable health ${name}; enable server ${name}`;
      await this.runtime.expect("New server registered.", [add]);
    }
    // It has just passed a health check. Without this, one failed check would be enough to take it out.
    await this.runtime.expect("", [`set server ${name} health up`]);
  }

  /** Stops new requests to it, and removes it if it has no open connection. Returns whether it is removed. */
  async remove(leaving: SlotServer): Promise<boolean> {
    const name = `${argument(leaving.slot)}/${argument(leaving.server)}`;
    return isPlace(leaving.server) ? this.vacate(leaving, name) : this.delete(name);
  }

  private async vacate({ slot, server }: SlotServer, name: string): Promise<boolean> {
    await this.runtime.expect("", [`set server ${name} state maint`]);
    if (parseOpenStreams(await this.runtime.run(`show stat ${slot} 4 -1`), server) > 0) return false;
    await this.runtime.setAddress(name, NOWHERE);
    return true;
  }

  private async delete(name: string): Promise<boolean> {
    const answer = (await this.runtime.run(`set server ${name} state maint; del server ${name}`)).trim();
    if (answer.includes("still has connections")) return false;
    if (answer.endsWith("Server deleted.") || answer.includes("No such")) return true;
    throw new AppError("haproxy-refused", { command: `del server ${name}`, answer });
  }
}
