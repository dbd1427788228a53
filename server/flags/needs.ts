import type { Settings } from "../../core/settings/settings.js";
import type { AppStore } from "../apps/app-store.js";

/** What flags are switched with. */
export interface FlagsNeeds {
  readonly settings: Settings;
  readonly apps: AppStore;
}
