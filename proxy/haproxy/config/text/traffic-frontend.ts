import type { HaproxyOptions } from "../haproxy-options.js";
import { slotEntry } from "../slot-entry.js";
import { answerRules } from "./answer-rules.js";
import { bodyRules } from "./body-rules.js";
import { decidedVisitorRules } from "./decided-visitor-rules.js";
import { modeRules } from "./mode-rules.js";
import { releaseRules } from "./release-rules.js";
import { retryRules } from "./retry-rules.js";
import { setCookieRules } from "./set-cookie-rules.js";
import { slotRules } from "./slot-rules.js";
import { splitRules } from "./split-rules.js";
import { stickyRules } from "./sticky-rules.js";
import { targetRules } from "./target-rules.js";
import { visitorHeaders } from "./visitor-headers.js";
import { wantedCookieRules } from "./wanted-cookie-rules.js";

/** What happens to a request and to its answer. The rules run in this order. */
export function trafficFrontend(options: HaproxyOptions): string {
  return [
    `frontend traffic from base
  bind ${bindAddress(options)}
${visitorHeaders(options.port, options.trustedProxies ?? [])}${retryRules()}`,
    bodyRules(options),
    targetRules(options),
    decidedVisitorRules(options),
    releaseRules(options),
    modeRules(),
    splitRules(),
    stickyRules(options),
    slotRules(options),
    wantedCookieRules(),
    `  use_backend %[var(txn.slot),${slotEntry.field("slot")}]\n`,
    answerRules(options),
    setCookieRules(),
  ].join("\n");
}

function bindAddress({ bind, port }: HaproxyOptions): string {
  return bind.includes(":") ? `[${bind}]:${port}` : `${bind}:${port}`;
}
