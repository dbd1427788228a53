import type { HaproxyOptions } from "../haproxy-options.js";
import { splitEntry } from "../entries/split-entry.js";
import { guardScript } from "./guard-script.js";
import { APPEND_SOURCE } from "./visitor-headers.js";

/** What only Lua can do. */
export function scriptText(options: Pick<HaproxyOptions, "trustedProxies">): string {
  return `${APPEND_SOURCE}${NAMED_HEADER}${guardScript(options)}`;
}

/** An app's mode header is only known at run time, and only Lua can look up a header by a variable name. */
const NAMED_HEADER = `core.register_fetches("named_header", function(txn)
  local split = txn:get_var("txn.split") or ""
  local name = split:match("${splitEntry.luaPattern("header")}")
  if name == nil or name == "" then return "" end
  return txn.f:req_fhdr(name) or ""
end)
`;
