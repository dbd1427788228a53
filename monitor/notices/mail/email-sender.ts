import { abortReason } from "../../../core/clock.js";
import type { AlertNotice } from "../../../core/records/alerts/alert-notice.js";
import type { EmailSettings } from "../../../core/settings/sender-settings.js";
import { mailOf } from "./mail.js";
import type { NoticeFacts } from "../notice-facts.js";
import type { Sender } from "../senders/sender.js";
import { SMTP_TIMEOUTS, smtpOptions, smtpServerOf, type SmtpServer } from "./smtp-options.js";
import { smtpProblem } from "./smtp-problem.js";

/** A mail for each recipient, so that one who is refused takes it from nobody else. */
export class EmailSender implements Sender {
  readonly kind = "email";
  readonly to: readonly string[];
  readonly by: string;
  private readonly server: SmtpServer;

  constructor(
    private readonly settings: EmailSettings,
    private readonly pagesUrl: string,
    private readonly timeouts = SMTP_TIMEOUTS,
  ) {
    this.server = smtpServerOf(settings.smtp);
    this.to = [...new Set(settings.to)];
    this.by = `${this.server.host}:${this.server.port}`;
  }

  async send(notice: AlertNotice, facts: NoticeFacts, recipient: string, signal: AbortSignal): Promise<void> {
    const { from } = this.settings;
    const { to, pagesUrl } = this;
    // Only who sends a mail has it in memory.
    const { createTransport } = await import("nodemailer");
    const transport = createTransport(smtpOptions(this.server, this.timeouts));
    try {
      await transport.sendMail({ ...mailOf(notice, facts, { from, to, recipient, pagesUrl }), signal });
    } catch (error) {
      if (signal.aborted) throw abortReason(signal);
      if (!(error instanceof Error)) throw error;
      throw smtpProblem(error, this.by, recipient);
    } finally {
      transport.close();
    }
  }
}
