import type { HaproxyOptions } from "../haproxy-options.js";
import { slotEntry } from "../entries/slot-entry.js";
import { answerRules } from "./rules/answer-rules.js";
import { bodyRules } from "./rules/body-rules.js";
import { decidedVisitorRules } from "./rules/decided-visitor-rules.js";
import { modeRules } from "./rules/mode-rules.js";
import { releaseRules } from "./rules/release-rules.js";
import { retryRules } from "./rules/retry-rules.js";
import { setCookieRules } from "./rules/set-cookie-rules.js";
import { slotRules } from "./rules/slot-rules.js";
import { splitRules } from "./rules/split-rules.js";
import { stickyRules } from "./rules/sticky-rules.js";
import { targetRules } from "./rules/target-rules.js";
import { visitorHeaders } from "./visitor-headers.js";
import { wantedCookieRules } from "./rules/wanted-cookie-rules.js";

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
