import { expect } from "chai";
import { networksOf } from "../../../../server/access/networks-of.js";

describe("the networks that an address counts for", () => {
  const names = (address: string): string[] => networksOf(address).map(({ name }) => name);

  it("are itself for IPv4, however it is written", () => {
    expect(names("192.0.2.1")).to.deep.equal(["192.0.2.1"]);
    expect(names("::ffff:192.0.2.1")).to.deep.equal(["192.0.2.1"]);
    expect(names("::FFFF:192.0.2.1")).to.deep.equal(["192.0.2.1"]);
  });

  it("are a /64 and a /48 for IPv6", () => {
    const networks = ["2001:db8:0:1::/64", "2001:db8:0::/48"];
    for (const address of ["2001:db8:0:1::5", "2001:0DB8::1:2:3:4:5", "2001:db8:0:1:ffff::%eth0"])
      expect(names(address), address).to.deep.equal(networks);
    expect(names("::1")).to.deep.equal(["0:0:0:0::/64", "0:0:0::/48"]);
    expect(names("64:ff9b::192.0.2.1")).to.deep.equal(["64:ff9b:0:0::/64", "64:ff9b:0::/48"]);
  });
});
