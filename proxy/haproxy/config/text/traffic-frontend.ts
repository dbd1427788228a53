import type { HaproxyOptions } from "../haproxy-options.js";
import { slotEntry } from "../entries/slot-entry.js";
import { pageRules } from "../pages/page-map.js";
import { paths } from "../paths.js";
import { accessLogLines, accessLogRules } from "./rules/access-log-rules.js";
import { answerRules } from "./rules/answer-rules.js";
import { bodyRules } from "./rules/body-rules.js";
import { challengeRules } from "./rules/challenge-rules.js";
import { decidedVisitorRules } from "./rules/decided-visitor-rules.js";
import { guardRules, passwordRules } from "./rules/guard-rules.js";
import { httpsRules } from "./rules/https-rules.js";
import { bodyLengthRules, bodyLimitRules, limitRules } from "./rules/limit-rules.js";
import { modeRules } from "./rules/mode-rules.js";
import { redirectRules } from "./rules/redirect-rules.js";
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
${bindLines(options)}${accessLogLines()}${visitorHeaders(options)}${retryRules()}`,
    pageRules(),
    challengeRules(options),
    targetRules(options),
    accessLogRules(options),
    redirectRules(options),
    httpsRules(options),
    guardRules(options),
    limitRules(options),
    passwordRules(options),
    bodyLimitRules(options),
    bodyRules(options),
    bodyLengthRules(options),
    decidedVisitorRules(options),
    releaseRules(options),
    modeRules(options),
    splitRules(),
    stickyRules(options),
    slotRules(options),
    wantedCookieRules(),
    `  use_backend %[var(txn.slot),${slotEntry.field("slot")}]\n`,
    answerRules(options),
    setCookieRules(),
  ].join("\n");
}

/** What a PROXY header says is believed on connections from those networks alone, and they must begin with one. */
function bindLines(options: HaproxyOptions): string {
  const { bind, port, httpsPort, folder, proxyProtocolFrom: networks = [] } = options;
  const host = bind.includes(":") ? `[${bind}]` : bind;
  const tls = `ssl crt-list ${paths.certificateList(folder)} alpn h2,http/1.1`;
  return [
    `  bind ${host}:${port}\n`,
    httpsPort === undefined ? "" : `  bind ${host}:${httpsPort} ${tls}\n`,
    ...networks.map((network) => `  tcp-request connection expect-proxy layer4 if { src ${network} }\n`),
  ].join("");
}
