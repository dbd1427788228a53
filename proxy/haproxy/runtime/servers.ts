import { AppError } from "../../../core/errors/app-error.js";
import { parseOpenStreams } from "./answers.js";
import { SERVER_CHECK } from "../config/text/slot-text.js";
import { argument, type Runtime } from "./runtime.js";
import { isPlace, NOWHERE, type SlotServer } from "../config/state.js";

/** Servers that come and go at run time: in the places that a slot has beforehand, or made and deleted. */
export class Servers {
  constructor(private readonly runtime: Runtime) {}

  /** It gets requests of its slot from now on. */
  async add({ slot, server, address }: SlotServer): Promise<void> {
    const name = `${argument(slot)}/${argument(server)}`;
    if (isPlace(server)) {
      await this.runtime.setAddress(name, address);
      await this.runtime.expect("", [`set server ${name} state ready`]);
    } else {
      const add = `add server ${name} ${argument(address)} ${SERVER_CHECK}; enable health ${name}; enable server ${name}`;
      await this.runtime.expect("New server registered.", [add]);
    }
    // It has just proved its health: without this its first failed check would be one too many.
    await this.runtime.expect("", [`set server ${name} health up`]);
  }

  /** It gets nothing new; forgotten when nothing is open on it. Answers whether it is. */
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
