import { expect } from "chai";
import { parse } from "yaml";
import { newSshKeyPair } from "../../../../core/ssh-key-pair.js";
import { userDataOf } from "../../../../provisioning/digitalocean/droplets/user-data.js";

describe("the user data of a droplet", () => {
  const hostKey = newSshKeyPair("host");
  const { publicKey } = newSshKeyPair("sluice");

  it("is a cloud-config with our host key, root's keys and the host's name", () => {
    const text = userDataOf({ hostname: "web-1", hostKey, authorizedKeys: [publicKey] });
    expect(text).to.match(/^#cloud-config\n/);
    expect(parse(text)).to.deep.equal({
      ...{ hostname: "web-1", disable_root: false, ssh_pwauth: false, ssh_deletekeys: true, users: [] },
      ssh_keys: { ed25519_private: hostKey.privateKey, ed25519_public: hostKey.publicKey },
      ssh_authorized_keys: [publicKey],
    });
  });

  it("is refused when it exceeds DigitalOcean's limit", () => {
    const authorizedKeys = Array.from({ length: 900 }, () => publicKey);
    expect(() => userDataOf({ hostname: "web-1", hostKey, authorizedKeys })).to.throw(/the limit is 65536/);
  });
});
