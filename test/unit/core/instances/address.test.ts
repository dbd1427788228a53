import { expect } from "chai";
import { addressVariable, formatAddress, parseAddress } from "../../../../core/instances/address.js";

describe("an instance's address", () => {
  for (const [text, variable] of [
    ["127.0.0.1:20001", { PORT: "20001" }],
    ["10.77.0.3:32768", { PORT: "32768" }],
    ["unix@/run/a b/web.1.sock", { SOCKET: "/run/a b/web.1.sock" }],
  ] as const)
    it(`is ${text}, and the process is told ${Object.keys(variable).join()}`, () => {
      const address = parseAddress(text);
      expect(formatAddress(address)).to.equal(text);
      expect(addressVariable(address)).to.deep.equal(variable);
    });

  for (const text of ["", "localhost", "127.0.0.1:", ":80", "unix@relative", "127.0.0.1:123456", "a b:80"])
    it(`is not ${JSON.stringify(text)}`, () => {
      expect(() => parseAddress(text)).to.throw(TypeError);
    });
});
