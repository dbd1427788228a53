import { expect } from "chai";
import {
  SMTP_TIMEOUTS,
  smtpOptions,
  smtpServerOf,
} from "../../../../../monitor/notices/mail/smtp-options.js";

describe("an SMTP server's settings", () => {
  it("may be a URL or the parts of one", () => {
    expect(smtpServerOf({ url: "smtps://me%40x:p%2Fw@mail.example.com" })).to.deep.equal({
      host: "mail.example.com",
      port: 465,
      secure: true,
      user: "me@x",
      password: "p/w",
    });
    expect(smtpServerOf({ url: "smtp://[::1]:25" })).to.include({ host: "::1", port: 25, user: undefined });
    expect(smtpServerOf({ host: "mail" })).to.include({ port: 587, secure: false });
    expect(smtpServerOf({ host: "mail", secure: true })).to.include({ port: 465 });
    expect(smtpServerOf({ host: "mail", port: 465 })).to.include({ secure: true });
    expect(smtpServerOf({ url: "smtp://me@mail", password: "other" })).to.include({ password: "other" });
  });

  it("send a password over an encrypted and checked connection only, except to this machine", () => {
    const options = (host: string, password?: string) =>
      smtpOptions(smtpServerOf({ host, user: "me", password }), SMTP_TIMEOUTS);
    expect(options("mail", "p")).to.deep.include({ requireTLS: true, tls: { rejectUnauthorized: true } });
    expect(options("mail")).to.deep.include({ requireTLS: false, tls: { rejectUnauthorized: true } });
    for (const host of ["localhost", "127.0.0.1", "::1"])
      expect(options(host, "p"), host).to.deep.include({
        requireTLS: false,
        tls: { rejectUnauthorized: false },
      });
    expect(options("127.example.com", "p").requireTLS).to.equal(true);
  });
});
