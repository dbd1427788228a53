import type { SendMailOptions } from "nodemailer";
import type { AlertNotice } from "../../../core/records/alerts/alert-notice.js";
import { METRIC_WORDS } from "../../rules/metric-words.js";
import { chart } from "../chart/chart.js";
import { htmlPart } from "./html-part.js";
import { shownMetric, SHOWN_MS, type NoticeFacts } from "../notice-facts.js";
import { firstNoticeId } from "../notice-of.js";
import { textPart } from "./text-part.js";
import { wordsOf } from "../words.js";

export interface MailFrame {
  readonly from: string;
  /** All who are notified; the mail goes to one of them. */
  readonly to: readonly string[];
  readonly recipient: string;
  /** Where a browser finds Sluice. */
  readonly pagesUrl: string;
}

const CHART_ID = "chart@sluice";

/** The mail of a notice: the same id at every try, dated when it turned, and all turns of an alert in one thread. Pure. */
export function mailOf(
  notice: AlertNotice,
  facts: NoticeFacts,
  { from, to, recipient, pagesUrl }: MailFrame,
): SendMailOptions {
  const words = wordsOf(notice, facts);
  const hasChart = facts.points.length > 0;
  const first = messageId(firstNoticeId(notice));
  return {
    from,
    to: [...to],
    envelope: { from, to: [recipient] },
    messageId: messageId(notice.id),
    ...(notice.turn === "raised" ? {} : { inReplyTo: first, references: [first] }),
    date: new Date(notice.at),
    subject: `[sluice] ${words.line}`,
    text: textPart(notice, words, pagesUrl),
    html: htmlPart(notice, words, { pagesUrl, chartId: hasChart ? CHART_ID : undefined }),
    // RFC 3834: no automatic answers.
    headers: { "Auto-Submitted": "auto-generated" },
    attachments: hasChart
      ? [
          {
            filename: "chart.png",
            contentType: "image/png",
            contentDisposition: "inline",
            cid: CHART_ID,
            content: chartOf(notice, facts),
          },
        ]
      : [],
  };
}

function messageId(noticeId: string): string {
  return `<${noticeId}@sluice>`;
}

function chartOf(notice: AlertNotice, { points, stepMs }: NoticeFacts): Buffer {
  const [, unit] = METRIC_WORDS[shownMetric(notice)];
  return chart(points, {
    from: notice.at - SHOWN_MS,
    to: notice.at,
    gapMs: 2.5 * stepMs,
    threshold: notice.rule?.above ?? notice.rule?.below,
    top: unit === "%" ? 100 : 0,
  });
}
