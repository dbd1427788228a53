import { expect } from "chai";
import { networkInterfaces } from "node:os";
import { AddressPolicy } from "../../../../core/network/address-policy.js";
import { RefusedAddress, resolveHost } from "../../../../core/network/resolve-host.js";

const REFUSED = [
  ...["127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"],
  ...["169.254.169.254", "100.64.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1"],
  ...["::", "::1", "fe80::1", "fe80::1%lo", "fc00::1", "fd12:3456::1", "ff02::1", "fec0::1"],
  // An IPv4 address in an IPv6 one: mapped, compatible, NAT64, 6to4, Teredo.
  ...["::ffff:127.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:ffff:7f00:0001", "::127.0.0.1"],
  ...["64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::"],
  ...["", "localhost", "127.1", "0x7f000001", "2130706433"],
];

describe("the addresses that an app may make Sluice connect to", () => {
  it("are those of the internet", () => {
    const policy = new AddressPolicy([]);
    for (const address of ["1.1.1.1", "8.8.8.8", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1"])
      expect(policy.allows(address), address).to.equal(true);
  });

  it("are none of this machine's, of a private network, or of a cloud's metadata", () => {
    const policy = new AddressPolicy([]);
    for (const address of REFUSED) expect(policy.allows(address), address).to.equal(false);
    for (const own of Object.values(networkInterfaces()).flatMap((each) => each ?? []))
      expect(policy.allows(own.address), own.address).to.equal(false);
  });

  it("are those that sluice.yml allows besides, and no more of them", () => {
    const policy = new AddressPolicy(["10.0.0.0/8", "127.0.0.1", "fd00::/8"]);
    for (const address of ["10.1.2.3", "127.0.0.1", "::ffff:127.0.0.1", "fd12::1"])
      expect(policy.allows(address), address).to.equal(true);
    for (const address of ["127.0.0.2", "192.168.1.1", "fc00::1", "::1"])
      expect(policy.allows(address), address).to.equal(false);
  });

  it("are resolved from a name once, and what is not allowed is left out", async () => {
    const refusal = await resolveHost("localhost", new AddressPolicy([])).catch((error: unknown) => error);
    expect(refusal).to.be.instanceOf(RefusedAddress).with.property("host", "localhost");
    expect(await resolveHost("localhost", new AddressPolicy(["127.0.0.1"]))).to.deep.equal(["127.0.0.1"]);
    expect(await resolveHost("[::1]", new AddressPolicy(["::1"]))).to.deep.equal(["::1"]);
  });
});
