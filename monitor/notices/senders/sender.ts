import type { AlertNotice, SenderKind } from "../../../core/records/alerts/alert-notice.js";
import type { NoticeFacts } from "../notice-facts.js";

/** A way to tell people of alerts. */
export interface Sender {
  readonly kind: SenderKind;
  /** Whom it tells, each on their own, as it may be shown: no secrets. */
  readonly to: readonly string[];
  /** By whom it is delivered, for people. */
  readonly by: string;
  /** Throws `DeliveryError`. Whoever gets it twice knows it by the notice's id. */
  send(notice: AlertNotice, facts: NoticeFacts, to: string, signal: AbortSignal): Promise<void>;
}
