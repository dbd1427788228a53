import { expect } from "chai";
import ssh2 from "ssh2";
import { newSshKeyPair } from "../../../core/ssh-key-pair.js";

describe("a new SSH key pair", () => {
  it("can always be read, and both halves belong together", () => {
    // Of ssh2's own some four in a thousand cannot.
    for (let made = 0; made < 1500; made++) {
      const { privateKey, publicKey } = newSshKeyPair("sluice");
      const [own, others] = [ssh2.utils.parseKey(privateKey), ssh2.utils.parseKey(publicKey)];
      if (own instanceof Error || others instanceof Error) throw new Error(privateKey);
      expect(own.getPublicSSH().equals(others.getPublicSSH())).to.equal(true);
    }
  });
});
