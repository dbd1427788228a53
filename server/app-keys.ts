import type { AppKeys } from "../core/records/apps/app-keys.js";
import { ERROR_PAGE_KEYS } from "../core/records/routes/error-pages.js";
import { SCALE_DECISION_KEYS } from "../core/records/scaling/scale-decisions.js";
import { SCALE_REQUEST_KEYS } from "../core/records/scaling/scale-requests.js";
import { CONFIG_KEYS } from "./apps/config-store.js";
import { CANARY_KEYS } from "./canary/canary-store.js";
import { FLAG_KEYS } from "./flags/flag-store.js";
import { RECEIVER_KEYS } from "./notify/receiver-store.js";
import { RELEASE_KEYS } from "./releases/release-store.js";
import { BRANCH_TRACK_KEYS } from "./routes/branch-tracks.js";
import { DELIVERY_KEYS } from "./webhooks/deliveries/delivery-store.js";
import { REPORT_KEYS } from "./webhooks/reports/forge-reporter.js";
import { SEEN_HEAD_KEYS } from "./webhooks/sources/seen-heads.js";
import { WEBHOOK_KEYS } from "./webhooks/webhook-store.js";

/** What every room keeps about an app. The app's own record, its route table and its traffic are removed by their stores. */
export const APP_KEYS: readonly AppKeys[] = [
  RELEASE_KEYS,
  BRANCH_TRACK_KEYS,
  CONFIG_KEYS,
  ERROR_PAGE_KEYS,
  FLAG_KEYS,
  CANARY_KEYS,
  SCALE_DECISION_KEYS,
  SCALE_REQUEST_KEYS,
  WEBHOOK_KEYS,
  DELIVERY_KEYS,
  SEEN_HEAD_KEYS,
  REPORT_KEYS,
  RECEIVER_KEYS,
];
