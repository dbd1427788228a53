import type { MonitorSettings } from "../../../core/settings/monitor-settings.js";

/** Whether alerts reach no person. */
export function hasNoRecipients({ email, webhook, slack }: MonitorSettings): boolean {
  return email === undefined && webhook === undefined && slack === undefined;
}
