import { expect } from "chai";
import type { NodemailerError } from "nodemailer/lib/errors";
import { smtpProblem } from "../../../../../monitor/notices/mail/smtp-problem.js";

const problem = (error: Partial<NodemailerError>) =>
  smtpProblem(Object.assign(new Error("words"), error), "mail:25", "a@b");
const answered = (code: string, response: string) =>
  problem({ code, response, responseCode: Number(response.slice(0, 3)) });

describe("what an SMTP server says", () => {
  it("is final when it refuses the mail by 5xx", () => {
    for (const response of ["550 5.1.1 no such user", "552 5.3.4 too large", "554 5.7.1 spam", "501 bad"])
      expect(answered("EENVELOPE", response), response).to.include({
        isFinal: true,
        retryAfterMs: undefined,
      });
    expect(answered("EENVELOPE", "550-5.1.1 no\r\n550 such user").message).to.equal(
      "mail:25 refuses the mail to a@b: 550-5.1.1 no 550 such user",
    );
  });

  it("is not final when it refuses by 4xx, or refuses us and not the mail", () => {
    expect(answered("EENVELOPE", "451 4.3.0 try later").isFinal).to.equal(false);
    expect(answered("EENVELOPE", "530 5.7.0 Authentication required").isFinal).to.equal(false);
    expect(answered("EPROTOCOL", "554 5.3.2 no service here")).to.include({
      isFinal: false,
      message: "mail:25 refuses us: 554 5.3.2 no service here",
    });
    expect(answered("EAUTH", "535 5.7.8 bad credentials")).to.include({
      isFinal: false,
      message: "mail:25 refuses the user or the password: 535 5.7.8 bad credentials",
    });
  });

  it("closes the way for a minute when it wants fewer mails, in whatever words", () => {
    for (const response of [
      "421 4.7.0 closing",
      "450 4.7.1 too many messages",
      "452 4.5.3 Too many recipients this hour",
      "550 5.4.5 Daily user sending limit exceeded",
      "550-5.2.1 The user is receiving mail at a rate that prevents additional messages",
      "554 5.7.0 Message throttled",
    ])
      expect(answered("EENVELOPE", response), response).to.include({ isFinal: false, retryAfterMs: 60_000 });
  });

  it("may be nothing", () => {
    expect(problem({ code: "ETIMEDOUT" }).message).to.equal("mail:25 does not answer");
    expect(problem({ code: "EDNS" }).message).to.equal("mail:25 is not found (words)");
    expect(problem({ code: "ESOCKET", errno: -111 }).message).to.equal("mail:25 cannot be reached (words)");
    expect(problem({ code: "ETLS" }).message).to.equal("mail:25 cannot be used: words");
    expect(problem({ code: "ETIMEDOUT" }).isFinal).to.equal(false);
  });
});
