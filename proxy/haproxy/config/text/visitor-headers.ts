import type { HaproxyOptions } from "../haproxy-options.js";

/** HAProxy allows 64 words on a line. */
const NETWORKS_IN_A_LINE = 50;

/**
 * Names of headers that apps trust. They include every `X-Forwarded-*`, since frameworks know more of them than are set here.
 * Programs that read headers as CGI variables cannot tell `_` from `-` (RFC 3875, 4.1.18). HAProxy has names in lower case.
 */
const FORGEABLE = "^(x[-_]forwarded[-_]|x[-_]real[-_]ip$|x[-_]request[-_]start$|forwarded$)";

/**
 * Rules that tell the instance the client's address, and the host, port and scheme of the request. What a visitor sends of
 * these is dropped. A trusted proxy in front is believed, since it sets or drops them for its own visitors. HAProxy
 * configuration manual 2.6: section 7.3.3 (`src`), 7.3.6 (`req.fhdr`), 7.3.2 (`uuid`).
 */
export function visitorHeaders({
  port,
  httpsPort,
  trustedProxies = [],
}: Pick<HaproxyOptions, "port" | "httpsPort" | "trustedProxies">): string {
  const [acl, untrusted] =
    trustedProxies.length === 0 ? ["", ""] : [trusted(trustedProxies), " if !is_trusted"];
  const fallback = (name: string): string =>
    trustedProxies.length === 0 ? "" : ` unless is_trusted { req.fhdr(${name}) -m found }`;
  return `${acl}  http-request del-header ${FORGEABLE} -m reg${untrusted}
${append(trustedProxies)}  http-request set-header X-Forwarded-For %[src]${trustedProxies.length === 0 ? "" : " unless is_trusted is_forwarded"}
${portOfScheme(trustedProxies)}  http-request set-header X-Forwarded-Port ${httpsPort === undefined ? port : `%[ssl_fc,iif(${httpsPort},${port})]`}${fallback("x-forwarded-port")}
  http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]${fallback("x-forwarded-proto")}
  http-request set-header X-Forwarded-Host %[req.fhdr(host)]${fallback("x-forwarded-host")}
  http-request set-header X-Request-Start t=%[date(0,ms)]${fallback("x-request-start")}
  # It is only used to find a request again, so it does not matter who chose it.
  http-request set-header X-Request-ID %[uuid()] unless { req.fhdr_cnt(x-request-id) eq 1 } { req.fhdr(x-request-id) -m reg ^[A-Za-z0-9._:+/=-]{1,200}$ }
`;
}

/** The action `lua.append_source` appends to `X-Forwarded-For` and joins its lines; HAProxy's own rules only see one of them. */
export const APPEND_SOURCE = `core.register_action("append_source", { "http-req" }, function(txn)
  local given = txn.http:req_get_headers()["x-forwarded-for"]
  local addresses = {}
  for index = 0, #given do addresses[#addresses + 1] = given[index] end
  addresses[#addresses + 1] = tostring(txn.f:src())
  txn.http:req_set_header("X-Forwarded-For", table.concat(addresses, ", "))
end)
`;

function trusted(networks: readonly string[]): string {
  const lines: string[] = [];
  for (let index = 0; index < networks.length; index += NETWORKS_IN_A_LINE)
    lines.push(`  acl is_trusted src ${networks.slice(index, index + NETWORKS_IN_A_LINE).join(" ")}\n`);
  return `${lines.join("")}  acl is_forwarded req.fhdr_cnt(x-forwarded-for) gt 0\n`;
}

function append(trustedProxies: readonly string[]): string {
  return trustedProxies.length === 0 ? "" : "  http-request lua.append_source if is_trusted is_forwarded\n";
}

/** A proxy that gives a scheme and no port means the scheme's default port, not ours. */
function portOfScheme(trustedProxies: readonly string[]): string {
  if (trustedProxies.length === 0) return "";
  const unlessGiven = "is_trusted !{ req.fhdr(x-forwarded-port) -m found }";
  return `  http-request set-header X-Forwarded-Port 443 if { req.fhdr(x-forwarded-proto) -i https } ${unlessGiven}
  http-request set-header X-Forwarded-Port 80 if { req.fhdr(x-forwarded-proto) -i http } ${unlessGiven}
`;
}
