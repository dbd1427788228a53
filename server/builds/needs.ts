import type { Log } from "../../core/log.js";
import type { Settings } from "../../core/settings/settings.js";
import type { Tasks } from "../engines/tasks.js";
import type { Machine } from "../machine.js";

/** What builds are made with. */
export interface BuildsNeeds extends Machine {
  readonly settings: Settings;
  readonly log: Log;
  readonly tasks: Tasks;
}
