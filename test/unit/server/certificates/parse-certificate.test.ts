import { expect } from "chai";
import { X509Certificate } from "node:crypto";
import { isAppError } from "../../../../core/errors/app-error.js";
import { parseCertificate } from "../../../../server/certificates/parse-certificate.js";
import { renewalName } from "../../../../server/certificates/acme/renewal-windows.js";
import { TestAuthorityFiles } from "../../../support/tls/test-certificates.js";

describe("a certificate that is given", () => {
  let files: TestAuthorityFiles;
  before(async () => (files = await TestAuthorityFiles.make()));
  after(async () => files.remove());

  const problem = (certificate: string, key: string, now = Date.now()): string => {
    try {
      parseCertificate(certificate, key, now);
      return "";
    } catch (error) {
      if (!isAppError(error, "certificate-invalid")) throw error;
      return error.message;
    }
  };

  it("is put in the order that servers need, whatever order it has, without its root", async () => {
    const { certificate, key } = await files.issue({ names: ["A.test", "*.b.test", "127.0.0.1"] });
    const mixed = `${key}\nsome text\n${files.root}${files.intermediate}${certificate}`;
    const parsed = parseCertificate(mixed, "", Date.now());
    expect(parsed.warnings).to.deep.equal([]);
    expect(parsed.certificate).to.include({ issuer: "Test intermediate" });
    expect(parsed.certificate.names).to.deep.equal(["a.test", "*.b.test", "127.0.0.1"]);
    const subjects = parsed.certificate.pem
      .split(/(?=-----BEGIN CERT)/)
      .map((text) => new X509Certificate(text).subject);
    expect(subjects).to.deep.equal(["O=Test", "CN=Test intermediate"]);
    expect(parsed.certificate.pem).to.match(/-----END PRIVATE KEY-----\n$/);
  });

  it("is taken with a word of warning without its chain", async () => {
    const { certificate, key } = await files.issue({ names: ["a.test"] });
    expect(parseCertificate(certificate, key, Date.now()).warnings.join()).to.include("Test intermediate");
  });

  it("is refused when the key is another's, missing, weak or has a passphrase", async () => {
    const [one, two] = [await files.issue({ names: ["a.test"] }), await files.issue({ names: ["b.test"] })];
    expect(problem(one.certificate, two.key)).to.include("the key belongs to none");
    expect(problem(one.certificate, "")).to.include("no private key");
    expect(problem("", one.key)).to.include("no certificate");
    expect(problem(one.certificate, one.key + two.key)).to.include("more than one private key");
    const weak = await files.issue({ names: ["a.test"], key: ["-newkey", "rsa:1024", "-nodes"] });
    expect(problem(weak.certificate, weak.key)).to.include("1024 bits");
    const locked = `-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n`;
    expect(problem(one.certificate, locked)).to.include("passphrase");
    const odd = await files.issue({ names: ["a.test"], key: ["-newkey", "ed25519", "-nodes"] });
    expect(problem(odd.certificate, odd.key)).to.include("ed25519");
  });

  it("is refused when it is not valid now, or is garbage", async () => {
    const { certificate, key } = await files.issue({ names: ["a.test"] });
    expect(problem(certificate, key, Date.now() + 40 * 86_400_000)).to.include("has expired");
    expect(problem(certificate, key, Date.now() - 86_400_000)).to.include("not valid before");
    const broken = certificate.replace(/\n[A-Za-z0-9+/]{64}\n/, "\n");
    expect(problem(broken, key)).to.include("cannot be read");
  });

  it("has the name that RFC 9773 gives it", async () => {
    const { certificate } = await files.issue({ names: ["a.test"] });
    const [key = "", serial = ""] = renewalName(certificate).split(".");
    expect(Buffer.from(serial, "base64url").toString("hex").toUpperCase()).to.equal(
      new X509Certificate(certificate).serialNumber,
    );
    expect(Buffer.from(key, "base64url")).to.have.length(20);
  });
});
