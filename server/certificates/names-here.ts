import { isIP } from "node:net";
import type { DomainDns } from "../../core/api/apps/domains.js";
import { AddressPolicy } from "../../core/network/address-policy.js";
import { sendRequest } from "../../core/network/send-request.js";
import type { Settings } from "../../core/settings/settings.js";
import { domainDns, expectedAddresses } from "../routes/domain-dns.js";

const PROBE_TIMEOUT_MS = 5000;
const MOST_ADDRESSES = 4;

/** Why an authority would not find a name here. `isTold`: somebody was asked about it, which is not to be repeated all the time. */
export interface NotHere {
  readonly reason: string;
  readonly isTold: boolean;
}

export interface Probe {
  readonly token: string;
  readonly answer: string;
}

/** Whether visitors of names arrive here: asked before an authority does, since it counts what fails. */
export class NamesHere {
  constructor(
    private readonly settings: Settings,
    /** What our proxies answer who asks for the token. */
    private readonly probe: Probe,
  ) {}

  async look(names: readonly string[], signal: AbortSignal): Promise<Map<string, NotHere>> {
    const expected = await expectedAddresses(this.settings);
    const found = new Map<string, NotHere>();
    await Promise.all(
      names.map(async (name) => {
        const problem = await this.problemOf(name, expected, signal);
        if (problem !== undefined) found.set(name, problem);
      }),
    );
    return found;
  }

  private async problemOf(
    name: string,
    expected: readonly string[],
    signal: AbortSignal,
  ): Promise<NotHere | undefined> {
    // Nobody is led anywhere for these: they are shown to be ours by a TXT record.
    if (name.startsWith("*.")) return undefined;
    const dns = await domainDns(name, expected, this.settings);
    const should = `it should point to ${expected.join(" or ")}`;
    if (dns.state === "here") return undefined;
    if (dns.state === "nowhere") return { reason: `${name} has no address yet: ${should}`, isTold: false };
    if (dns.state === "unknown")
      return { reason: `the name servers of ${name} do not answer`, isTold: false };
    // A content network or NAT may stand between.
    if (await this.isReached(name, dns, signal)) return undefined;
    return {
      reason: `${name} points to ${dns.found.join(", ")}, where this Sluice does not answer at port 80: ${should}`,
      isTold: true,
    };
  }

  private async isReached(name: string, { found }: DomainDns, signal: AbortSignal): Promise<boolean> {
    const addresses = new AddressPolicy(this.settings.network.allow);
    const { token, answer } = this.probe;
    for (const address of found.slice(0, MOST_ADDRESSES)) {
      const host = isIP(address) === 6 ? `[${address}]` : address;
      const request = {
        method: "GET",
        url: `http://${host}/.well-known/acme-challenge/${token}`,
        headers: { host: name },
      };
      const options = { addresses, signal, timeoutMs: PROBE_TIMEOUT_MS };
      const said = await sendRequest(request, options).catch(() => undefined);
      if (said?.text !== answer) return false;
    }
    return found.length > 0;
  }
}
