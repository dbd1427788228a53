import type { HaproxyOptions } from "../haproxy-options.js";
import { guardEntry } from "../entries/guard-entry.js";

/**
 * The fetches `lua.visitor` and `lua.is_allowed` (`yes`, `no`). Networks that are only known at run time can be compared by Lua
 * alone. A visitor's address is the last one in `X-Forwarded-For` that is no trusted proxy's: each proxy appends the one that it
 * has seen, and what comes before may be made up.
 */
export function guardScript({ trustedProxies = [] }: Pick<HaproxyOptions, "trustedProxies">): string {
  return `local networks = {}
local function network(text)
  if networks[text] == nil then networks[text] = core.parse_addr(text) or false end
  return networks[text]
end

local function is_in(address, list)
  local one = core.parse_addr(address)
  if one == nil then return false end
  for text in list:gmatch("[^,]+") do
    local other = network(text)
    if other and core.match_addr(one, other) then return true end
  end
  return false
end

-- Without a port, brackets, and the prefix of an IPv4 address in an IPv6 one. Nil if it is no address.
local function plain(text)
  local address = text:match("^%s*(.-)%s*$")
  address = address:match("^%[(.*)%]") or address:match("^([%d.]+):%d+$") or address
  address = address:match("^::[fF][fF][fF][fF]:([%d.]+)$") or address
  if address:find("/") or core.parse_addr(address) == nil then return nil end
  return address
end

local trusted = "${trustedProxies.join(",")}"
core.register_fetches("visitor", function(txn)
  local chain = {}
  for text in (txn.f:req_fhdr("x-forwarded-for") or ""):gmatch("[^,]+") do chain[#chain + 1] = text end
  local visitor
  for index = #chain, 1, -1 do
    local address = plain(chain[index])
    if address == nil then break end
    visitor = address
    if not is_in(address, trusted) then break end
  end
  return visitor or tostring(txn.f:src())
end)

core.register_fetches("is_allowed", function(txn)
  local list = (txn:get_var("txn.guard") or ""):match("${guardEntry.luaPattern("addresses")}")
  if list == "" or is_in(txn:get_var("txn.visitor") or "", list) then return "yes" end
  return "no"
end)
`;
}
